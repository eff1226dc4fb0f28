package replay

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// recount is what a stored log says of one live.
type recount struct {
	partition int
	opened    *score.LiveOpened
	rules     score.Rules
	openedAt  es.Place
	closedAt  es.Place
	// endsAt is until when gifts count, and extended the ends that were set after the first.
	endsAt   time.Time
	extended []time.Time
	// rejoins is how often it was opened again.
	rejoins int
	// voided: what was counted is void.
	voided bool
	// counted anew from the gifts, and as the LiveClosed entry has it; both zero for a live that could not open.
	counted, closed *score.LiveClosed
	// wrong are gifts that should not have counted, or not for so much.
	wrong []string
}

// folding folds what one partition's log has of one battle, and looks at its lives on the way.
type folding struct {
	machine *score.State
	battle  string
	lives   map[string]*recount
}

func (f *folding) group(g ledger.Group[score.Event]) error {
	for _, e := range g.Events {
		if f.event(e) {
			f.machine.Evolve(e.Place, e.Event)
		}
	}
	f.machine.Commit()
	return nil
}

// event looks at an event, and reports whether the battle's totals depend on it.
func (f *folding) event(e ledger.Placed[score.Event]) bool {
	switch x := e.Event.(type) {
	case score.GiftDecided:
		live := f.live(x.BattleID, x.LiveID)
		if live == nil || x.Verdict != score.Counted {
			return false
		}
		live.check(e.Place, x)
		return true
	case score.LiveOpened:
		live := f.live(x.BattleID, x.LiveID)
		if live == nil {
			return false
		}
		live.opened, live.openedAt, live.endsAt = &x, e.Place, x.EndsAt
		live.rules = f.machine.Rules(x.RuleSet)
		return true
	case score.LiveExtended:
		live := f.live(x.BattleID, x.LiveID)
		if live == nil {
			return false
		}
		live.endsAt, live.extended = x.EndsAt, append(live.extended, x.EndsAt)
		return true
	case score.LiveReopened:
		live := f.live(x.BattleID, x.LiveID)
		if live == nil {
			return false
		}
		if !x.EndsAt.Equal(live.endsAt) {
			live.extended = append(live.extended, x.EndsAt)
		}
		live.endsAt, live.counted, live.closed, live.closedAt = x.EndsAt, nil, nil, es.Place{}
		live.rejoins++
		return true
	case score.LiveVoided:
		live := f.live(x.BattleID, x.LiveID)
		if live == nil {
			return false
		}
		live.voided = true
		if counted, open := f.machine.Closing(x.BattleID, x.LiveID); open {
			live.counted = &counted
		}
		return true
	case score.LiveTombstoned:
		if live := f.live(x.BattleID, x.LiveID); live != nil && x.Plays {
			live.counted, live.closed = &score.LiveClosed{}, &score.LiveClosed{}
		}
		return false
	case score.LiveClosed:
		live := f.live(x.BattleID, x.LiveID)
		if live == nil {
			return false
		}
		counted, ok := f.machine.Closing(x.BattleID, x.LiveID)
		if !ok {
			live.wrong = append(live.wrong, "it closed without being open")
		}
		live.counted, live.closed, live.closedAt = &counted, &x, e.Place
		return true
	default:
		return false
	}
}

func (f *folding) live(battleID, liveID string) *recount {
	if battleID != f.battle {
		return nil
	}
	return f.lives[liveID]
}

// check decides a counted gift anew: its time and its points.
func (r *recount) check(at es.Place, d score.GiftDecided) {
	if r.opened == nil || r.closed != nil || r.voided || at.At.Before(r.opened.StartsAt) || !at.At.Before(r.endsAt) {
		r.wrong = append(r.wrong, fmt.Sprintf("gift %s counted at %d.%d while nothing counts", d.Gift.EventID, at.Seq, at.Index))
		return
	}
	if r.rules == nil {
		r.wrong = append(r.wrong, fmt.Sprintf("the rules %s are not known", r.opened.RuleSet))
		return
	}
	if points, fits := r.rules.Points(d.Gift); !fits || points != d.Points {
		r.wrong = append(r.wrong, fmt.Sprintf("gift %s counted %d points, the rules %s give %d", d.Gift.EventID, d.Points, r.rules.Version(), points))
	}
}

// comparison gathers the answer.
type comparison struct {
	response *scorev1.ReplayBattleResponse
	settled  map[string]*battlev1.LiveResult
	// extended and rejoins as in told.
	extended []int64
	rejoins  map[string]int
}

func (c *comparison) differ(format string, args ...any) {
	c.response.Differences = append(c.response.Differences, fmt.Sprintf(format, args...))
}

// live compares a live's recount with its LiveClosed entry and its settlement.
func (c *comparison) live(p *battlev1.Entry_Participant, r *recount) {
	id := p.GetLiveId()
	out := &scorev1.ReplayBattleResponse_ReplayedLive{LiveId: id, UserId: p.GetHost().GetUserId()}
	c.response.Lives = append(c.response.Lives, out)
	for _, wrong := range r.wrong {
		c.differ("%s: %s", id, wrong)
	}
	for _, end := range r.extended {
		if !slices.Contains(c.extended, end.UnixMilli()) {
			c.differ("%s: its log counts until %s, which the battle was not extended to", id, end.Format(time.RFC3339Nano))
		}
	}
	if r.rejoins != c.rejoins[id] {
		c.differ("%s: its log opened it again %d times, it has rejoined the battle %d times", id, r.rejoins, c.rejoins[id])
	}
	if r.closed == nil && r.voided && r.counted != nil {
		out.Total, out.TopGifters = r.counted.Total, codec.ToGifters(r.counted.Top)
		out.Proof = codec.Proof(r.partition, r.openedAt, es.Place{}, r.counted.Gifts)
		return
	}
	if r.closed == nil {
		c.differ("%s: its log has no close", id)
		return
	}
	out.Total, out.SettledTotal, out.TopGifters = r.counted.Total, r.closed.Total, codec.ToGifters(r.counted.Top)
	out.Proof = codec.Proof(r.partition, r.openedAt, r.closedAt, r.counted.Gifts)
	if r.closed.Total != r.counted.Total || r.closed.Gifts != r.counted.Gifts || !slices.Equal(r.closed.Top, r.counted.Top) {
		c.differ("%s: its log closed it with %d points of %d gifts, its gifts make %d of %d, or other top gifters", id, r.closed.Total, r.closed.Gifts, r.counted.Total, r.counted.Gifts)
	}
	result, ok := c.settled[id]
	if !ok {
		if len(c.settled) > 0 {
			c.differ("%s: the settlement does not have it", id)
		}
		return
	}
	if result.GetScore() != r.counted.Total {
		c.differ("%s: the settlement says %d points, its gifts make %d", id, result.GetScore(), r.counted.Total)
	}
	c.proof(id, result.GetProof(), out.GetProof())
}

func (c *comparison) proof(id string, got, want *battlev1.ClosingProof) {
	if got.GetPartition() != want.GetPartition() {
		c.differ("%s: the settlement names partition %d, it is in %d", id, got.GetPartition(), want.GetPartition())
	}
	if got.GetOpenedSequence() != want.GetOpenedSequence() || got.GetOpenedIndex() != want.GetOpenedIndex() {
		c.differ("%s: the settlement has it opened at %d.%d, its log at %d.%d", id,
			got.GetOpenedSequence(), got.GetOpenedIndex(), want.GetOpenedSequence(), want.GetOpenedIndex())
	}
	if got.GetClosedSequence() != want.GetClosedSequence() || got.GetClosedIndex() != want.GetClosedIndex() {
		c.differ("%s: the settlement has it closed at %d.%d, its log at %d.%d", id,
			got.GetClosedSequence(), got.GetClosedIndex(), want.GetClosedSequence(), want.GetClosedIndex())
	}
	if !bytes.Equal(got.GetChainHash(), want.GetChainHash()) {
		c.differ("%s: the settlement's chain hash is %x, the log's %x", id, got.GetChainHash(), want.GetChainHash())
	}
	if got.GetGifts() != want.GetGifts() {
		c.differ("%s: the settlement counts %d gifts, its log %d", id, got.GetGifts(), want.GetGifts())
	}
}
