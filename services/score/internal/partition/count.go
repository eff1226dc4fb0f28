package partition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Count has gifts decided and returns a verdict for each, in their order, when the log has them. Gifts of several lives
// are decided at the same time. After an error some may have been decided: the same call again gets their verdicts.
// Errors: a *es.Refusal, or what ledger.Ledger.Submit gives.
func (s *Set) Count(ctx context.Context, gifts []gift.Gift) ([]*scorev1.GiftVerdict, error) {
	verdicts, err := s.decide(ctx, gifts)
	if err == nil {
		s.verdicts.count(verdicts)
	}
	return verdicts, err
}

func (s *Set) decide(ctx context.Context, gifts []gift.Gift) ([]*scorev1.GiftVerdict, error) {
	verdicts := make([]*scorev1.GiftVerdict, len(gifts))
	shares := split(gifts)
	if len(shares) == 1 {
		if err := s.Of(shares[0].live).count(ctx, shares[0], verdicts); err != nil {
			return nil, err
		}
		return verdicts, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for _, x := range shares {
		running.Go(func() {
			if err := s.Of(x.live).count(ctx, x, verdicts); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return verdicts, nil
}

// share is what one command takes of a call: gifts of one live, and where they stand in the call.
type share struct {
	live  string
	gifts []score.Gift
	at    []int
	bytes int
}

// split makes the shares of a call, each within what one command may yield.
func split(gifts []gift.Gift) []*share {
	var shares []*share
	open := make(map[string]*share, 1)
	for i, g := range gifts {
		bytes := 120 + len(g.LiveID) + len(g.EventID) + len(g.GiftID) + len(g.Sender.ID) + len(g.Sender.Name) + len(g.Sender.AvatarURL)
		x := open[g.LiveID]
		if x == nil || x.bytes+bytes > commandBytes {
			x = &share{live: g.LiveID}
			open[g.LiveID] = x
			shares = append(shares, x)
		}
		x.gifts = append(x.gifts, g.Gift)
		x.at = append(x.at, i)
		x.bytes += bytes
	}
	return shares
}

// count decides a share and puts the verdicts in their places.
func (p *Partition) count(ctx context.Context, x *share, verdicts []*scorev1.GiftVerdict) error {
	l := p.bound()
	if l == nil {
		return fmt.Errorf("%w: the partition is not open yet", ledger.ErrUnavailable)
	}
	command := score.CountGifts{LiveID: x.live, Gifts: x.gifts, Fresh: p.idle(x, l.Now())}
	for {
		result, err := l.Submit(ctx, ledger.Command[score.Command]{Body: command})
		if errors.Is(err, es.ErrLater) {
			if err := p.parked.wait(ctx, x.live, func() bool { return p.pastEnd(x.live, l.Now()) }); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		x = p.answer(x, result, verdicts)
		if len(x.gifts) == 0 {
			return nil
		}
		if command.Fresh {
			for i, g := range x.gifts {
				verdicts[x.at[i]] = codec.NoBattle(x.live, g.EventID)
			}
			return nil
		}
		// That a gift has no battle, or is late, is for the battle service's log to say: once more, after reading it to its head.
		command.Gifts, command.Fresh = x.gifts, true
	}
}

// pastEnd reports whether a live is open and past its end: then it closes, is extended, or becomes void.
func (p *Partition) pastEnd(live string, now time.Time) (past bool) {
	p.View(func(s *score.State, _ Place) {
		r := s.Current(live)
		past = r != nil && r.Phase == score.Open && !now.Before(r.EndsAt)
	})
	return past
}

// idle reports whether a share has new gifts, and its live seems to be in no battle: they are best decided after reading the battle
// service's log to its head, in one go. A gift for a battle must not wait for that.
func (p *Partition) idle(x *share, now time.Time) (idle bool) {
	p.View(func(s *score.State, _ Place) {
		idle = !s.Expects(x.live, now) && slices.ContainsFunc(x.gifts, func(g score.Gift) bool {
			_, known := s.Gift(x.live, g.EventID)
			return !known
		})
	})
	return idle
}

// answer gives the verdicts that committed state has, and returns the rest of the share.
func (p *Partition) answer(x *share, result ledger.Result[score.Event], verdicts []*scorev1.GiftVerdict) *share {
	rest := &share{live: x.live}
	fresh := 0 // events of the result that are taken; they are in the order of the gifts
	p.View(func(s *score.State, _ Place) {
		for i, g := range x.gifts {
			first := fresh < len(result.Events) && isGift(result.Events[fresh].Event, g.EventID)
			if first {
				fresh++
			}
			receipt, known := s.Gift(x.live, g.EventID)
			switch {
			case !known:
				rest.gifts, rest.at = append(rest.gifts, g), append(rest.at, x.at[i])
			case receipt.Hash != g.Hash:
				verdicts[x.at[i]] = codec.Mismatch(x.live, g.EventID)
			default:
				v := codec.Verdict(x.live, g.EventID, receipt, s.Voided(x.live, receipt))
				v.Duplicate = !first
				verdicts[x.at[i]] = v
			}
		}
	})
	return rest
}

func isGift(event score.Event, id string) bool {
	d, ok := event.(score.GiftDecided)
	return ok && d.Gift.EventID == id
}

// Gift returns the receipt of a gift event, nil if none is kept.
func (s *Set) Gift(liveID, eventID string) *scorev1.GiftVerdict {
	var verdict *scorev1.GiftVerdict
	s.Of(liveID).View(func(s *score.State, _ Place) {
		if receipt, ok := s.Gift(liveID, eventID); ok {
			verdict = codec.Verdict(liveID, eventID, receipt, s.Voided(liveID, receipt))
		}
	})
	return verdict
}
