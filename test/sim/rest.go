package sim

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// followed is when all replicas have all that is in a log, now that nothing is harmed: one that still takes itself for the writer looks
// every 2 s whether another has written.
const followed = 3 * time.Second

// endHosted ends the lives whose hosts have stopped: of one that goes on it is told that its host is lost while replicas are compared. It
// returns what cannot be ended.
func (w *world) endHosted(h *history) (stuck []string) {
	c := newClient(w, h, "last", 0)
	for _, live := range w.shape.hosted {
		if o := c.endLive(live); !done(o, "LIVE_NOT_FOUND") {
			stuck = append(stuck, atRest(o))
		}
	}
	return stuck
}

// bookAll books every live once more, now that nothing is harmed: each two connect, battle to the end and part. It returns
// what cannot be booked.
func (w *world) bookAll(h *history) (stuck []string) {
	c := newClient(w, h, "end", 0)
	must := func(o check.Op, also ...string) bool {
		ok := done(o, also...)
		if !ok {
			stuck = append(stuck, atRest(o))
		}
		return ok
	}
	for _, live := range w.shape.lives {
		must(c.create(live), "LIVE_EXISTS")
		must(c.exit(live), "CONNECTION_NOT_FOUND")
	}
	for _, pair := range w.shape.pairs() {
		x, y := pair[0], pair[1]
		if !must(unhurried(func() check.Op {
			return c.invite(&cohostv1.RequestHostConnectionRequest{LiveId: x, TargetLiveIds: []string{y}, TimeoutSeconds: 10})
		})) {
			continue
		}
		w.askAround(h, x, y)
		if !must(c.accept(y, x, "")) {
			continue
		}
		var b *battlev1.Battle
		if !must(unhurried(func() (o check.Op) {
			o, b = c.requestBattle(&battlev1.RequestBattleRequest{
				InviterLiveId: x, TargetLiveIds: []string{y}, Config: &battlev1.BattleConfig{DurationSeconds: 1},
			})
			return o
		})) {
			continue
		}
		_ = wait(context.Background(), time.Until(b.GetStartsAt().AsTime())+500*time.Millisecond)
		if !c.gifts(&scorev1.GiftEvent{
			EventId: "last-" + x, LiveId: x, Sender: user(y), GiftId: "rose", Category: scorev1.GiftEvent_BASIC, UnitValue: 1, SentAt: b.GetStartsAt(),
		}) {
			stuck = append(stuck, "at rest: a gift for "+x+" gets no verdict")
		}
		if end := c.ended(b.GetBattleId()); end.GetEndReason() != battlev1.Battle_TIME_OVER || len(end.GetResult().GetLives()) != 2 {
			stuck = append(stuck, fmt.Sprintf("at rest: the battle of %s and %s comes to %v", x, y, end))
		}
		must(c.exit(x))
	}
	return stuck
}

// done reports whether a command was answered with ok, or with one of the reasons that are as good.
func done(o check.Op, also ...string) bool {
	return o.Outcome == check.OK || o.Outcome == check.Refused && slices.Contains(also, o.Reason)
}

func atRest(o check.Op) string {
	return fmt.Sprintf("at rest: %s of %s with %v: %s %s", o.Kind, o.Live, o.Others, o.Outcome, o.Reason)
}

// unhurried asks for something that only so many may in a minute of log time, which may stand still for some time after a clock was put
// back: it asks again a minute later, three times at most.
func unhurried(ask func() check.Op) check.Op {
	o := ask()
	for n := 0; n < 3 && strings.HasSuffix(o.Reason, "RATE_LIMITED"); n++ {
		_ = wait(context.Background(), time.Minute)
		o = ask()
	}
	return o
}

// askAround asks both replicas of cohost about two lives, once they have all: what they say must be so now.
func (w *world) askAround(h *history, lives ...string) {
	_ = wait(context.Background(), followed)
	now := w.head(cohostLog)
	for only := range replicas {
		c := newClient(w, h, "asker", 1+only)
		c.since = now
		for _, live := range lives {
			_, _ = c.state(live)
			c.list(live, check.Page{Size: len(w.shape.lives)})
		}
		c.list("", check.Page{Size: len(w.shape.lives)})
	}
}

// ended waits for the end of a battle. Where the clocks of battle's and score's machines are apart by so much, it takes as much longer.
func (c *client) ended(battle string) *battlev1.Battle {
	for began := time.Now(); time.Since(began) < rest; {
		r, err := c.battle.GetBattle(context.Background(), &battlev1.GetBattleRequest{BattleId: battle})
		if err == nil && r.GetBattle().GetStatus() == battlev1.Battle_ENDED {
			return r.GetBattle()
		}
		_ = wait(context.Background(), 100*time.Millisecond)
	}
	return nil
}

// compare asks the two replicas of each service, and then two that know nothing but the logs, one of them by snapshots, for
// all there is: they must say the same.
func (w *world) compare(h *history) {
	_ = wait(context.Background(), followed)
	before := [replicas][]byte{}
	for i := range before {
		before[i] = w.told(h, i+1)
		w.hear(h, i+1)
	}
	for slot := range slots {
		w.down(slot, false)
		if err := w.restart(slot, slot%replicas == 0); err != nil {
			w.found("restart: %v", err)
		}
	}
	w.settle()
	_ = wait(context.Background(), 3*time.Second) // callers have reached the new ones
	for i := range before {
		if after := w.told(h, i+1); !bytes.Equal(before[0], before[i]) || !bytes.Equal(before[i], after) {
			w.found("what replica %d says differs: %s", i, firstDifference(before[0], before[i], after))
		}
		w.hear(h, i+1)
	}
	w.recount(h)
}

// hear has a replica tell again all that each live was told, as far as it knows.
func (w *world) hear(h *history, only int) {
	c := newClient(w, h, "listener", only)
	ctx, cancel := context.WithTimeout(context.Background(), rest)
	defer cancel()
	for _, live := range w.shape.lives {
		now, err := c.watch(ctx, live, -1, 0)
		if err != nil {
			w.found("at rest replica %d does not say what live %s is told: %v", only, live, err)
			continue
		}
		all, err := c.watch(ctx, live, 0, now.Snapshot.GetNumber())
		if err != nil {
			w.found("at rest replica %d does not go on saying what live %s is told: %v", only, live, err)
		}
		now.Last, all.Last = true, true
		h.heardOf(now)
		h.heardOf(all)
	}
}

// recount has settled battles counted again from the logs, each by one of the replicas.
func (w *world) recount(h *history) {
	for i, b := range h.battles {
		c := newClient(w, h, "recount", 1+i%replicas)
		ctx, cancel := context.WithTimeout(context.Background(), rest)
		r, err := c.battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: b.GetBattleId()})
		if err == nil && len(r.GetBattle().GetResult().GetLives()) > 0 {
			p, err := c.score.ReplayBattle(ctx, &scorev1.ReplayBattleRequest{BattleId: b.GetBattleId()})
			if err != nil || !p.GetEqual() {
				w.found("battle %s counted again: %v %v", b.GetBattleId(), p.GetDifferences(), err)
			}
		}
		cancel()
	}
}

// told is all that a replica of each service says, in one canonical form.
func (w *world) told(h *history, only int) []byte {
	c := newClient(w, h, "reader", only)
	// Of a battle that has never begun score says so when it has followed the whole log, which takes its time for each.
	ctx, cancel := context.WithTimeout(context.Background(), rest+time.Duration(len(h.battles))*5*followed)
	defer cancel()
	var out bytes.Buffer
	say := func(what string, m proto.Message, err error) {
		if err != nil {
			refusal, ok := rpc.Refusal(err)
			if !ok || refusal.Reason == "UNAVAILABLE" {
				w.found("at rest replica %d does not say %s: %v", only, what, err)
			}
			fmt.Fprintf(&out, "%s: %v\n", what, refusal)
			return
		}
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		fmt.Fprintf(&out, "%s: %x %v\n", what, raw, err)
	}
	for _, live := range w.shape.lives {
		l, err := c.cohost.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: live})
		say("live "+live, l, err)
		s, err := c.cohost.GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: live})
		if err == nil {
			s.State.ServerNow = nil
		}
		say("state of "+live, s, err)
	}
	for _, b := range h.battles {
		id := b.GetBattleId()
		r, err := c.battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: id})
		if err == nil {
			r.Battle.ServerNow = nil
		}
		say("battle "+id, r, err)
		s, err := c.score.GetBattleScores(ctx, &scorev1.GetBattleScoresRequest{BattleId: id})
		if err == nil {
			s.Scores.ServerNow, s.Scores.Seq = nil, ""
		}
		say("scores of "+id, s, err)
	}
	seen := map[check.GiftID]bool{}
	for _, g := range h.gifts {
		if seen[g.GiftID] {
			continue
		}
		seen[g.GiftID] = true
		v, err := c.score.GetGift(ctx, &scorev1.GetGiftRequest{LiveId: g.Live, EventId: g.Event})
		say(fmt.Sprintf("gift %v", g.GiftID), v, err)
	}
	return out.Bytes()
}

// firstDifference is the first line that is not the same everywhere.
func firstDifference(texts ...[]byte) string {
	lines := make([][][]byte, len(texts))
	for i, t := range texts {
		lines[i] = bytes.Split(t, []byte("\n"))
	}
	for n, first := range lines[0] {
		for _, other := range lines[1:] {
			if n >= len(other) || !bytes.Equal(first, other[n]) {
				return fmt.Sprintf("%.300s | %.300s", first, append(other, nil)[min(n, len(other))])
			}
		}
	}
	return "one says more"
}
