package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// giveBefore sends a gift while there is no battle: it is answered so, and not kept.
func (p *play) giveBefore(ctx context.Context) error {
	for i, d := range doors {
		g := newGift(p.ann.live, fmt.Sprintf("early-%d", i), i)
		v, err := p.give(ctx, d, g, "before the battle")
		if err != nil {
			return err
		}
		p.check("a gift without a battle is told so, by "+string(d), v.GetVerdict() == scorev1.GiftVerdict_NO_BATTLE && v.GetPoints() == 0, "the verdict is %v", v)
	}
	return nil
}

// give sends a gift through a door and notes the verdict.
func (s *stage) give(ctx context.Context, d door, g *scorev1.GiftEvent, sent string) (*scorev1.GiftVerdict, error) {
	v, calls, err := s.send(ctx, d, g)
	if err != nil {
		return nil, err
	}
	s.answered(Verdict{
		EventID: g.GetEventId(), LiveID: g.GetLiveId(), Door: string(d), Sent: sent, Calls: calls,
		Verdict: v.GetVerdict().String(), Points: v.GetPoints(), Reason: v.GetReason(), Duplicate: v.GetDuplicate(), BattleID: v.GetBattleId(),
	})
	s.check(fmt.Sprintf("the verdict on %s of %s (%s, %s) is about that gift", g.GetEventId(), g.GetLiveId(), sent, d),
		v.GetEventId() == g.GetEventId() && v.GetLiveId() == g.GetLiveId(), "it is %v", v)
	if calls == 1 && sent == "first" {
		s.check(fmt.Sprintf("the first verdict on %s of %s is no repeat", g.GetEventId(), g.GetLiveId()), !v.GetDuplicate(), "it is %v", v)
	}
	return v, nil
}

// giveDuring sends the gifts of the battle, over the first half of it.
func (p *play) giveDuring(ctx context.Context) error {
	b, err := p.getBattle(ctx, p.ben, p.battle)
	if err != nil {
		return err
	}
	if err := p.sendAll(ctx, b, p.tally, plan(p.ann.live, p.ben.live), p.duration/2); err != nil {
		return err
	}
	for _, h := range p.sides {
		points, gifts := p.tally.total(h.live)
		p.tell("audience", "gave %s %d gifts for %d points", h.live, gifts, points)
	}
	return nil
}

// sendAll sends gifts of a battle, spread over a time, each twice or more, and counts them.
func (s *stage) sendAll(ctx context.Context, b *battlev1.Battle, count *tally, all []planned, over time.Duration) error {
	pause := time.NewTicker(max(over/time.Duration(len(all)), time.Millisecond))
	defer pause.Stop()
	faults := make([]error, len(all))
	var sending sync.WaitGroup
	for i, g := range all {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		g.event.SentAt = newGift(g.event.GetLiveId(), "", 0).GetSentAt()
		sending.Go(func() { faults[i] = s.giveRepeatedly(ctx, b, count, g) })
	}
	sending.Wait()
	return errors.Join(faults...)
}

// giveRepeatedly sends one gift several times and compares the verdicts.
func (s *stage) giveRepeatedly(ctx context.Context, b *battlev1.Battle, count *tally, g planned) error {
	name := g.event.GetEventId() + " of " + g.event.GetLiveId()
	if g.repeats == atOnce {
		return s.giveAtOnce(ctx, b, count, g, name)
	}
	first, err := s.give(ctx, doors[g.first], g.event, "first")
	if err != nil {
		return err
	}
	s.judge(b, count, g.event, first, name)
	times := map[repeats]int{oneRepeat: 1, twoRepeats: 2, otherPayload: 1}[g.repeats]
	for n := 1; n <= times; n++ {
		again, err := s.give(ctx, doors[(g.first+n)%len(doors)], g.event, "repeat")
		if err != nil {
			return err
		}
		s.check("a repeat of "+name+" gets the first verdict", same(first, again) && again.GetDuplicate(), "first %v, then %v", first, again)
	}
	if g.repeats != otherPayload {
		return nil
	}
	other, err := s.give(ctx, doors[(g.first+2)%len(doors)], changed(g.event), "other payload")
	if err != nil {
		return err
	}
	s.check("another gift under the id of "+name+" does not count", other.GetVerdict() == scorev1.GiftVerdict_DUPLICATE &&
		other.GetReason() == "PAYLOAD_MISMATCH", "the verdict is %v", other)
	return nil
}

// giveAtOnce sends one gift through all doors at the same time.
func (s *stage) giveAtOnce(ctx context.Context, b *battlev1.Battle, count *tally, g planned, name string) error {
	verdicts := make([]*scorev1.GiftVerdict, len(doors))
	faults := make([]error, len(doors))
	var sending sync.WaitGroup
	for i, d := range doors {
		sending.Go(func() { verdicts[i], faults[i] = s.give(ctx, d, g.event, "at once") })
	}
	sending.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	s.judge(b, count, g.event, verdicts[0], name)
	fresh := 0
	for _, v := range verdicts {
		s.check("all doors give "+name+" one verdict", same(verdicts[0], v), "%v and %v", verdicts[0], v)
		if !v.GetDuplicate() {
			fresh++
		}
	}
	s.check("at most one door was the first for "+name, fresh <= 1, "%d say so", fresh)
	return nil
}

// judge compares a gift's first verdict with what it must be, and counts the gift.
func (s *stage) judge(b *battlev1.Battle, count *tally, g *scorev1.GiftEvent, v *scorev1.GiftVerdict, name string) {
	decided := v.GetDecidedAt().AsTime()
	inTime := !decided.Before(b.GetStartsAt().AsTime()) && decided.Before(b.GetEndsAt().AsTime())
	switch v.GetVerdict() {
	case scorev1.GiftVerdict_COUNTED:
		count.count(g)
		s.check(name+" counts for the battle, in time, by the rules", inTime && v.GetPoints() == worth(g) && v.GetBattleId() == b.GetBattleId(), "the verdict is %v", v)
	case scorev1.GiftVerdict_LATE: // an outage has outlasted the battle
		s.check(name+" came after the end", !inTime && v.GetPoints() == 0, "the verdict is %v", v)
	default:
		s.check(name+" gets a verdict of its battle", false, "the verdict is %v", v)
	}
}

// same tells that two verdicts are one, apart from being a repeat.
func same(a, b *scorev1.GiftVerdict) bool {
	a, b = proto.CloneOf(a), proto.CloneOf(b)
	a.Duplicate, b.Duplicate = false, false
	return proto.Equal(a, b)
}

// giveAfter sends gifts after the end: one that was sent in time, and one that was not.
func (p *play) giveAfter(ctx context.Context) error {
	b, err := p.getBattle(ctx, p.ben, p.battle)
	if err != nil {
		return err
	}
	onTheWay := newGift(p.ben.live, "late-0", 0)
	onTheWay.SentAt = b.GetStartsAt()
	for i, g := range []*scorev1.GiftEvent{onTheWay, newGift(p.ann.live, "late-1", 1)} {
		first, err := p.give(ctx, doors[i], g, "first")
		if err != nil {
			return err
		}
		p.check(g.GetEventId()+" comes late", first.GetVerdict() == scorev1.GiftVerdict_LATE && first.GetPoints() == 0, "the verdict is %v", first)
		again, err := p.give(ctx, doors[i+1], g, "repeat")
		if err != nil {
			return err
		}
		p.check(g.GetEventId()+" stays late", same(first, again) && again.GetDuplicate(), "first %v, then %v", first, again)
	}
	p.tell("audience", "sends two gifts after the end: late")
	return nil
}
