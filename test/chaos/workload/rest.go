package workload

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

const (
	// restTime is how long anything may take once nothing is harmed any more.
	restTime = 60 * time.Second
	// followTime is how long replicas that follow may take to have all.
	followTime = 2 * time.Second
	// looks is how many receipts are looked up, and how many gifts are sent once more.
	looks = 300
)

// Rest brings the run to an end, when nothing is harmed any more: everybody hears the outcome of what they did, everything
// ends, what is told of it is read, and every live is booked once more. What does not come to an end in time is left for
// the checks to find.
func (w *Workload) Rest(ctx context.Context) error {
	w.h.Append(history.Record{F: call.Rest, Type: history.Info})
	c := w.client(restProcess)
	c.tries = triesAtRest
	reading, stop := context.WithCancel(ctx)
	read := make(chan struct{})
	go func() { defer close(read); w.client(headsProcess).readHeads(reading) }()
	defer func() { stop(); <-read }()

	c.settle(ctx)
	c.quiet(ctx)
	w.h.Append(history.Record{F: call.Quiet, Type: history.Info})
	wait(ctx, followTime)
	c.compare(ctx)
	c.bookAll(ctx)
	c.quiet(ctx)
	wait(ctx, 5*headsEvery) // the last answers find their place
	return ctx.Err()
}

// settle repeats what nobody knows the outcome of.
func (c *client) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	c.stage.mu.Lock()
	commands, gifts := c.stage.open, c.stage.openGifts
	c.stage.open, c.stage.openGifts = map[string]command{}, map[string]*scorev1.GiftEvent{}
	c.stage.mu.Unlock()
	work := make(chan func(*client))
	var working sync.WaitGroup
	for n := range hosts {
		side := c.side(n)
		working.Go(func() {
			for do := range work {
				do(side)
			}
		})
	}
	for _, m := range commands {
		work <- func(side *client) { side.repeat(ctx, m, side.tries) }
	}
	var batch []*scorev1.GiftEvent
	send := func() {
		events := batch
		work <- func(side *client) { side.deliver(ctx, events) }
		batch = nil
	}
	for _, e := range gifts {
		if batch = append(batch, e); len(batch) == 20 {
			send()
		}
	}
	for range looks { // and gifts that are known: the first verdict comes again
		if e, ok := one(c, &c.stage.gifts, 2*remembered); ok {
			if batch = append(batch, e); len(batch) >= 20 {
				send()
			}
		}
	}
	if len(batch) > 0 {
		send()
	}
	close(work)
	working.Wait()
}

// quiet waits until no battle and no invitation is open, no punishment takes any longer and no round is to come.
func (c *client) quiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	for {
		open := false
		for _, live := range c.lives {
			s := c.askCoHost(ctx, live, false)
			open = open || len(s.GetInvitees())+len(s.GetApplicants()) > 0
		}
		for _, f := range c.unended() {
			c.askBattle(ctx, f.id, false)
		}
		open = open || len(c.unended()) > 0
		if !open || !wait(ctx, 300*time.Millisecond) {
			return
		}
	}
}

// unended are the battles that nobody has seen the end of, nor of what follows.
func (c *client) unended() (open []fight) {
	c.stage.mu.Lock()
	defer c.stage.mu.Unlock()
	for _, id := range c.stage.fights {
		if f := c.stage.fight[id]; !f.over {
			open = append(open, f)
		}
	}
	return open
}

// compare reads what is told of every live, of every battle and of some gifts. It reads again what it gets no answer to,
// and scores until they are final: Redis follows the log.
func (c *client) compare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*restTime)
	defer cancel()
	for _, live := range c.lives {
		until(ctx, func() bool { return c.askLive(ctx, live, true) != history.Unknown })
		until(ctx, func() bool { return c.askCoHost(ctx, live, true) != nil || c.askLive(ctx, live, true) == history.Fail })
		until(ctx, func() bool { return c.askLiveState(ctx, live, true) != history.Unknown })
		until(ctx, func() bool { return c.askCandidates(ctx, live, "", 2*lives, true) != history.Unknown })
	}
	c.stage.mu.Lock()
	fights := c.stage.fights[c.stage.compared:]
	c.stage.compared = len(c.stage.fights)
	c.stage.mu.Unlock()
	for i, id := range fights {
		c.compareBattle(ctx, id, i%5 == 0)
	}
	for range looks {
		if e, ok := one(c, &c.stage.gifts, 2*remembered); ok {
			until(ctx, func() bool { return c.askGift(ctx, e, true) != history.Unknown })
		}
	}
}

func (c *client) compareBattle(ctx context.Context, id string, replay bool) {
	var b *battlev1.Battle
	until(ctx, func() bool { b = c.askBattle(ctx, id, true); return b != nil })
	if b.GetResult() == nil {
		return
	}
	until(ctx, func() bool {
		s, _ := c.askScores(ctx, id, true)
		return s.GetStatus() == scorev1.BattleScores_CLOSED
	})
	until(ctx, func() bool {
		fields := c.readRedis(ctx, id, true)
		for _, l := range b.GetResult().GetLives() {
			if fields[l.GetUserId()] != strconv.FormatInt(l.GetScore(), 10) {
				return false
			}
		}
		return fields["_status"] == "CLOSED"
	})
	for _, l := range b.GetResult().GetLives() {
		until(ctx, func() bool { return c.readGifters(ctx, id, l.GetLiveId()) == l.GetScore() })
	}
	if replay {
		until(ctx, func() bool { return c.replay(ctx, id) != history.Unknown })
	}
}

// until repeats something until it is so, for a while.
func until(ctx context.Context, so func() bool) {
	ctx, cancel := context.WithTimeout(ctx, restTime/4)
	defer cancel()
	for !so() && wait(ctx, 100*time.Millisecond) {
	}
}

// bookAll has all lives play once more, two by two.
func (c *client) bookAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	var booking sync.WaitGroup
	for i := 0; i+1 < len(c.lives); i += 2 {
		x, y, side := c.lives[i], c.lives[i+1], c.side(i)
		booking.Go(func() {
			side.record(call.Book, x+" "+y, nil, func() (any, error) { return nil, side.book(ctx, x, y) })
		})
	}
	booking.Wait()
}

// book has two lives connect, battle to the settlement with a gift each, and part.
func (c *client) book(ctx context.Context, x, y string) error {
	for _, live := range []string{x, y} {
		if a := c.create(ctx, live); a.kind == history.Unknown {
			return fmt.Errorf("%s cannot be created", live)
		}
		if a := c.exit(ctx, live); a.kind == history.Unknown {
			return fmt.Errorf("%s cannot exit", live)
		}
	}
	for _, step := range []struct {
		what string
		a    func() answer
	}{
		{string(check.Invite), func() answer { return c.invite(ctx, x, []string{y}, 30) }},
		{string(check.Accept), func() answer { return c.accept(ctx, y, x) }},
	} {
		if a := step.a(); !a.ok() {
			return fmt.Errorf("%s and %s: %s: %s", x, y, step.what, a.kind)
		}
	}
	a := c.requestBattle(ctx, x, []string{y}, &battlev1.BattleConfig{DurationSeconds: 1, PunishmentSeconds: 1}, 0)
	if !a.ok() {
		return fmt.Errorf("%s and %s: RequestBattle: %s", x, y, a.kind)
	}
	f, _ := c.heardOf(a.Battle)
	if !wait(ctx, time.Until(f.starts)+200*time.Millisecond) {
		return ctx.Err()
	}
	for _, live := range []string{x, y} {
		e := c.newGift(live, fmt.Sprintf("%d-last", c.stage.round))
		c.stage.send(e)
		if !c.deliver(ctx, []*scorev1.GiftEvent{e}) {
			return fmt.Errorf("%s: a gift gets no verdict", live)
		}
	}
	var b *battlev1.Battle
	until(ctx, func() bool { b = c.askBattle(ctx, a.Battle, false); return b.GetStatus() == battlev1.Battle_ENDED })
	if b.GetEndReason() != battlev1.Battle_TIME_OVER || len(b.GetResult().GetLives()) != 2 {
		return fmt.Errorf("%s and %s: battle %s comes to %v", x, y, a.Battle, b)
	}
	c.compareBattle(ctx, a.Battle, false)
	if a := c.exit(ctx, x); !a.ok() {
		return fmt.Errorf("%s cannot part from %s: %s", x, y, a.kind)
	}
	return nil
}
