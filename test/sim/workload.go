package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// clients that act at the same time.
const clients = 8

// actor draws what a client does.
type actor struct {
	*client
	rng *rand.Rand
	shape
	made  int
	heard map[string]int64 // number of the last event of each live
}

// work has all clients do their share of the steps.
func work(w *world, h *history, seed uint64, steps int) {
	for _, live := range w.shape.lives {
		newClient(w, h, "first-"+live, 0).create(live)
	}
	var working sync.WaitGroup
	for i := range clients {
		a := &actor{
			client: newClient(w, h, fmt.Sprintf("c%d", i), 0), rng: rand.New(rand.NewPCG(seed, uint64(100+i))), shape: w.shape, heard: map[string]int64{},
		}
		share := steps / clients
		if i < steps%clients {
			share++
		}
		working.Go(func() {
			for range share {
				a.think()
				a.step()
			}
		})
	}
	working.Wait()
}

func (a *actor) think() {
	if a.rng.IntN(3) > 0 {
		_ = wait(context.Background(), time.Duration(a.rng.Int64N(int64(150*time.Millisecond))))
	}
}

func (a *actor) live() string { return a.lives[a.rng.IntN(len(a.lives))] }

func (a *actor) two() (string, string) {
	i := a.rng.IntN(len(a.lives))
	return a.lives[i], a.lives[(i+1+a.rng.IntN(len(a.lives)-1))%len(a.lives)]
}

// invitation is one that was sent not long ago, or none that is known.
func (a *actor) invitation() (from, to string) {
	from, to = a.two()
	if i, ok := recent(a.h, &a.h.invited, a.rng.IntN(100)); ok && a.rng.IntN(10) > 0 {
		from, to = i.from, i.to
	}
	return from, to
}

// step does one thing. The numbers are weights.
func (a *actor) step() {
	switch n := a.rng.IntN(100); {
	case n < 2:
		a.create(a.live())
	case n < 3:
		a.endLive(a.live())
	case n < 14:
		a.ask()
	case n < 20: // each invites the other
		from, to := a.invitation()
		a.request(to, []string{from})
	case n < 32:
		a.answer()
	case n < 36:
		a.change()
	case n < 38:
		a.exit(a.live())
	case n < 53:
		a.fight()
	case n < 66:
		a.inBattle()
	case n < 70:
		a.repeat()
	case n < 76:
		a.look()
	default:
		a.give()
	}
}

// at waits for about so long, give or take a few milliseconds.
func (a *actor) at(d time.Duration) {
	_ = wait(context.Background(), d+time.Duration(a.rng.Int64N(int64(10*time.Millisecond)))-5*time.Millisecond)
}

// fight requests a battle with some of those that a live is connected with.
func (a *actor) fight() {
	var live string
	var targets []string
	for range 4 {
		live, targets = a.live(), nil
		s, err := a.state(live)
		if refusal, ok := rpc.Refusal(err); ok && refusal.Reason == "LIVE_NOT_FOUND" {
			a.create(live)
		}
		for _, m := range s.GetConnected() {
			if m.GetLiveId() != live && len(targets) < 8 && (len(targets) == 0 || a.rng.IntN(2) == 0) {
				targets = append(targets, m.GetLiveId())
			}
		}
		if len(targets) > 0 {
			break
		}
	}
	if len(targets) == 0 {
		x, y := a.two()
		live, targets = x, []string{y}
	}
	config := &battlev1.BattleConfig{DurationSeconds: 1 + a.rng.Int32N(4), NeedResponse: a.rng.IntN(2) == 0, PunishmentSeconds: a.rng.Int32N(3)}
	if a.rng.IntN(3) == 0 {
		config.BestOf = 3
	}
	_, b := a.requestBattle(live, targets, config)
	a.h.heard(b)
}

// inBattle answers, cancels or exits a battle.
func (a *actor) inBattle() {
	b, ok := recent(a.h, &a.h.battles, a.rng.IntN(100))
	if !ok {
		a.onBattle(check.ExitBattle, "none", a.live())
		return
	}
	if a.rng.IntN(5) == 0 && b.GetEndsAt() != nil {
		a.at(time.Until(b.GetEndsAt().AsTime()))
	}
	live := b.GetUsers()[a.rng.IntN(len(b.GetUsers()))].GetLiveId()
	switch n := a.rng.IntN(10); {
	case n < 6:
		a.onBattle(check.AcceptBattle, b.GetBattleId(), live)
	case n < 7:
		a.onBattle(check.RejectBattle, b.GetBattleId(), live)
	case n < 8:
		a.onBattle(check.CancelBattle, b.GetBattleId(), b.GetInviterLiveId())
	default:
		a.onBattle(check.ExitBattle, b.GetBattleId(), live)
	}
}

// repeat does an earlier command again, with its id: it must be answered as before, and be done once.
func (a *actor) repeat() {
	o, c, ok := a.h.done(a.rng.IntN(1 << 20))
	if !ok {
		return
	}
	o.Accepted = nil
	a.again(o, c)
}

// give sends gifts, new ones and old ones, at any time or about when a battle starts or ends.
func (a *actor) give() {
	live := a.live()
	if b, ok := recent(a.h, &a.h.battles, a.rng.IntN(100)); ok && a.rng.IntN(10) > 0 {
		live = b.GetUsers()[a.rng.IntN(len(b.GetUsers()))].GetLiveId()
		switch edge := b.GetEndsAt(); {
		case edge == nil:
		case a.rng.IntN(4) == 0:
			a.at(time.Until(edge.AsTime()))
		case a.rng.IntN(4) == 0:
			a.at(time.Until(b.GetStartsAt().AsTime()))
		}
	}
	var events []*scorev1.GiftEvent
	for range 1 + a.rng.IntN(4) {
		a.made++
		e := a.gift(live, fmt.Sprintf("%s-%d", a.name, a.made))
		if old, ok := recent(a.h, &a.h.sent, a.rng.IntN(100)); ok && a.rng.IntN(5) == 0 {
			e = old
			if a.rng.IntN(3) == 0 { // the same id for another gift
				e = proto.CloneOf(old)
				e.Count += 7
			}
		}
		a.h.send(e)
		events = append(events, e)
	}
	a.gifts(events...)
}

func (a *actor) gift(live, id string) *scorev1.GiftEvent {
	e := &scorev1.GiftEvent{
		EventId: id, LiveId: live, Sender: &userv1.User{UserId: fmt.Sprintf("fan%d", a.rng.IntN(5))}, GiftId: "rose",
		Category: scorev1.GiftEvent_Category(1 + a.rng.IntN(5)), Count: 1 + a.rng.Int64N(9), SentAt: timestamppb.Now(),
	}
	if e.Category == scorev1.GiftEvent_SPECIAL {
		e.FixedScore = 1 + a.rng.Int64N(999)
	} else {
		e.UnitValue = 1 + a.rng.Int64N(100)
	}
	return e
}
