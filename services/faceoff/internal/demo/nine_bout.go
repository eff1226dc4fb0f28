package demo

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// unhurried is the time of battles that end before it is over.
const unhurried = 60

// begin has the first of the sides ask the others for a battle, who accept if they have to, and waits until all are told
// that it has started.
func (n *nine) begin(ctx context.Context, name string, c *battlev1.BattleConfig, sides ...*host) (*bout, *battlev1.Battle, error) {
	b := newBout(name, sides)
	b.teams = c.GetTeams()
	inviter, others := sides[0], names(sides[1:])
	in := &battlev1.RequestBattleRequest{InviterLiveId: inviter.live, TargetLiveIds: others, TimeoutSeconds: 60, Config: c}
	out := new(battlev1.RequestBattleResponse)
	if err := n.post(ctx, inviter.token, "/v1/battles", in, out); err != nil {
		return nil, nil, err
	}
	n.register(b, out.GetBattle())
	n.tell(inviter.user, "asks %d others for a battle of %d s, %s", len(others), c.GetDurationSeconds(), c.GetMode())
	for _, live := range others {
		n.check(live+" is asked to the battle "+name, out.GetResults()[live].GetOk(), "the answer is %v", out)
	}
	if c.GetNeedResponse() {
		if err := n.acceptAll(ctx, b); err != nil {
			return nil, nil, err
		}
	}
	started, err := n.awaitStarted(ctx, b)
	return b, started, err
}

// register notes which battle a bout is, as one of the play.
func (n *nine) register(b *bout, battle *battlev1.Battle) {
	b.is(battle)
	n.bouts = append(n.bouts, b)
	n.report.Battles = append(n.report.Battles, b.account)
}

// acceptAll has all that are asked accept; no battle starts before the last has.
func (n *nine) acceptAll(ctx context.Context, b *bout) error {
	for _, h := range b.sides[1:] {
		if _, err := await(ctx, h.viewer, "BattleRequestReceived", func(m *message) (bool, bool) {
			return true, m.GetBattle().GetBattleRequestReceived().GetBattle().GetBattleId() == b.battle
		}); err != nil {
			return err
		}
		now, err := n.getBattle(ctx, h, b.battle)
		if err != nil {
			return err
		}
		n.check("the battle waits for "+h.live, now.GetStatus() == battlev1.Battle_REQUESTED, "it is %v", now)
		if err := n.order(ctx, b, h.token, "accept", &battlev1.AcceptBattleRequest{LiveId: h.live}); err != nil {
			return err
		}
		n.tell(h.user, "accepts the battle")
	}
	return nil
}

// awaitStarted waits until all sides are told that the battle has started: the same to all.
func (n *nine) awaitStarted(ctx context.Context, b *bout) (*battlev1.Battle, error) {
	var first *battlev1.Battle
	for _, h := range b.sides {
		started, err := await(ctx, h.viewer, "BattleStarted", func(m *message) (*battlev1.Battle, bool) {
			e := m.GetBattle().GetBattleStarted()
			return e.GetBattle(), e.GetBattle().GetBattleId() == b.battle
		})
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = started
		}
		n.check(h.live+" is told the same times as the inviter", proto.Equal(started.GetStartsAt(), first.GetStartsAt()) &&
			proto.Equal(started.GetEndsAt(), first.GetEndsAt()), "they are %v and %v", started, first)
	}
	joined := 0
	for _, u := range first.GetUsers() {
		if u.GetState() == battlev1.BattleUser_JOINED {
			joined++
		}
	}
	n.check("all have joined the battle "+b.name, joined == len(b.sides), "it is %v", first)
	n.tell("all sides", "BattleStarted, until %s", first.GetEndsAt().AsTime().Format("15:04:05.000"))
	return first, nil
}

// order gives a command for a battle.
func (n *nine) order(ctx context.Context, b *bout, token, verb string, in proto.Message) error {
	return n.post(ctx, token, client.Path("v1", "battles", b.battle)+":"+verb, in, nil)
}

// sendEach sends the sides as many gifts as each is to get, by all doors, spread over a time.
func (n *nine) sendEach(ctx context.Context, b *bout, battle *battlev1.Battle, over time.Duration, gifts ...int) error {
	if err := n.sendAll(ctx, battle, b.tally, planEach(b, gifts), over); err != nil {
		return err
	}
	for _, h := range b.sides {
		points, gifts := b.tally.total(h.live)
		n.tell("audience", "gave %s %d gifts for %d points", h.live, gifts, points)
	}
	return nil
}

// planEach lists the gifts of a battle, for its sides in turn.
func planEach(b *bout, gifts []int) []planned {
	var all []planned
	for i, more := 0, true; more; i++ {
		more = false
		for side, h := range b.sides {
			if i < gifts[side] {
				all, more = append(all, newPlanned(h.live, b.name, i)), true
			}
		}
	}
	return all
}

// awaitEnded waits until all sides are told that the battle has ended, for this reason, and all of the same result, which is
// the battle's own.
func (n *nine) awaitEnded(ctx context.Context, b *bout, reason battlev1.Battle_EndReason) (*battlev1.Battle, error) {
	battle, err := n.getBattle(ctx, b.sides[0], b.battle)
	if err != nil {
		return nil, err
	}
	over := time.NewTimer(0)
	if reason == battlev1.Battle_TIME_OVER {
		over.Reset(time.Until(battle.GetEndsAt().AsTime()))
	}
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var ends []*battlev1.BattleEnded
	for _, h := range b.sides {
		e, err := await(ctx, h.viewer, "BattleEnded", func(m *message) (*battlev1.BattleEnded, bool) {
			e := m.GetBattle().GetBattleEnded()
			return e, e.GetBattle().GetBattleId() == b.battle
		})
		if err != nil {
			return nil, err
		}
		n.check(h.live+" is told why the battle "+b.name+" ended", e.GetReason() == reason, "the reason is %s, not %s", e.GetReason(), reason)
		ends = append(ends, e)
	}
	if battle, err = n.getBattle(ctx, b.sides[0], b.battle); err != nil {
		return nil, err
	}
	for i, e := range ends {
		n.check(b.sides[i].live+" is told the settlement of "+b.name+" itself", proto.Equal(e.GetResult(), battle.GetResult()),
			"%v and %v", e.GetResult(), battle.GetResult())
	}
	b.account.EndReason = battle.GetEndReason().String()
	n.check("the battle "+b.name+" has ended", battle.GetStatus() == battlev1.Battle_ENDED && battle.GetEndReason() == reason, "it is %v", battle)
	n.tell("all sides", "BattleEnded: %s", reason)
	return battle, nil
}

// settle waits for the end, and compares the result with the own count in all places.
func (n *nine) settle(ctx context.Context, b *bout, reason battlev1.Battle_EndReason) (*battlev1.BattleResult, error) {
	battle, err := n.awaitEnded(ctx, b, reason)
	if err != nil {
		return nil, err
	}
	r := battle.GetResult()
	b.account.Settlement = document(r)
	early := battle.GetEndedAt().AsTime().Before(battle.GetEndsAt().AsTime())
	n.check("the battle "+b.name+" ended before its time only if it had to", early == (reason != battlev1.Battle_TIME_OVER), "it is %v", battle)
	n.checkLives(b, r)
	n.checkRanks(b, r)
	if err := n.compareScores(ctx, b); err != nil {
		return nil, err
	}
	return r, n.replay(ctx, b)
}
