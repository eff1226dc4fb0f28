package score

import (
	"math"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// decideGifts gives every gift that is not known yet its verdict. Gifts without a battle get none: they are not kept.
func (s *State) decideGifts(now time.Time, c CountGifts) ([]Event, error) {
	var (
		events  []Event
		seen    map[string]struct{} // ids of this command, when it has many gifts
		live, _ = s.open.Get(c.LiveID)
		total   int64
	)
	if live != nil {
		total = live.board.tally.Get().Total
	}
	for i := range c.Gifts {
		g := &c.Gifts[i]
		if _, known := s.gifts.Get(giftKey{c.LiveID, g.EventID}); known {
			continue
		}
		if _, again := seen[g.EventID]; again {
			continue
		}
		decided, keep, err := s.decideGift(now, c, live, total, g)
		if err != nil {
			return nil, err
		}
		if !keep {
			continue
		}
		if s.gifts.Len()+len(events) >= s.set.MaxIDs {
			return nil, es.Refuse("RATE_LIMITED", "partition %d remembers %d gift events, its limit; gifts that are new are refused until older ones are forgotten", s.set.Partition, s.set.MaxIDs)
		}
		if events == nil {
			events = make([]Event, 0, len(c.Gifts)-i)
		}
		if len(c.Gifts) > 1 {
			if seen == nil {
				seen = make(map[string]struct{}, len(c.Gifts)-i)
			}
			seen[g.EventID] = struct{}{}
		}
		total += decided.Points
		events = append(events, decided)
	}
	return events, nil
}

// decideGift decides one gift that is not known yet. live is the open room of its live or nil, total what that has
// reached so far. keep is false when the live is in no battle that counts now, or may be in one that is not known yet.
func (s *State) decideGift(now time.Time, c CountGifts, live *Room, total int64, g *Gift) (_ GiftDecided, keep bool, _ error) {
	d := GiftDecided{LiveID: c.LiveID, Gift: *g}
	switch {
	case now.Sub(g.SentAt) > s.set.MaxAge:
		d.Verdict, d.Reason = Rejected, TooOld
		return d, true, nil
	case g.SentAt.Sub(now) > s.set.MaxAhead:
		d.Verdict, d.Reason = Rejected, SentAhead
		return d, true, nil
	case live == nil:
		return s.decideLate(now, d, c.Fresh)
	case now.Before(live.StartsAt):
		return d, false, nil
	case !now.Before(live.EndsAt):
		// The battle may yet be extended, and its end is not for this clock to say.
		return d, false, es.ErrLater
	}
	d.BattleID = live.BattleID
	points, fits := live.Rules.Points(*g)
	if !fits || points > math.MaxInt64-total {
		d.Verdict, d.Reason = Rejected, Overflow
		return d, true, nil
	}
	d.Verdict, d.Points = Counted, points
	return d, true, nil
}

// decideLate decides a gift for a live that is not open: late if it was meant for the battle that closed last.
// The live may be open by now, in a battle that it has rejoined or in its next one: that is for the battle service's log to say.
func (s *State) decideLate(now time.Time, d GiftDecided, fresh bool) (GiftDecided, bool, error) {
	last, ok := s.last.Get(d.LiveID)
	if !fresh || !ok || last.Phase != Closed || !d.Gift.SentAt.Before(last.EndsAt) && !now.Before(last.EndsAt.Add(s.set.LateWindow)) {
		return d, false, nil
	}
	d.Verdict, d.BattleID = Late, last.BattleID
	return d, true, nil
}
