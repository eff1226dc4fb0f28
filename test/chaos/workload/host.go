package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// host creates its share of the lives, and then acts for one live after another until ctx ends.
func (c *client) host(ctx context.Context) {
	for i := c.p - hostProcess; i < len(c.lives) && ctx.Err() == nil; i += hosts {
		c.create(ctx, c.lives[i])
	}
	for c.pause(ctx, 0, 200*time.Millisecond) {
		switch n := c.rng.IntN(100); {
		case n < 2:
			c.create(ctx, c.live())
		case n < 4:
			c.recreate(ctx)
		case n < 13:
			c.inviteSome(ctx)
		case n < 18:
			c.grow(ctx)
		case n < 23:
			c.inviteEachOther(ctx)
		case n < 32:
			c.answer(ctx)
		case n < 36:
			c.race(ctx)
		case n < 43:
			c.change(ctx)
		case n < 45:
			c.exit(ctx, c.live())
		case n < 65:
			c.battle(ctx)
		case n < 95:
			c.inBattle(ctx)
		default:
			c.again(ctx)
		}
	}
}

func (c *client) live() string { return pick(c, c.lives) }

// two different lives, the second often a popular one.
func (c *client) two() (string, string) {
	from, to := c.live(), c.live()
	if c.chance(30) {
		to = c.lives[c.rng.IntN(popular)]
	}
	if from == to {
		return c.two()
	}
	return from, to
}

// side is another client, who acts at the same moment.
func (c *client) side(n int) *client {
	return &client{c.Workload, sideProcess + most*c.p + n, rand.New(rand.NewPCG(c.rng.Uint64(), c.rng.Uint64())), c.tries}
}

// together does things at the same moment, give or take a millisecond.
func (c *client) together(ctx context.Context, at time.Time, deeds ...func(*client)) {
	var acting sync.WaitGroup
	for n, deed := range deeds {
		side, d := c.side(n), time.Until(at)+c.between(-time.Millisecond, time.Millisecond)
		acting.Go(func() {
			if wait(ctx, d) {
				deed(side)
			}
		})
	}
	acting.Wait()
}

// recreate ends a live, and soon creates it again.
func (c *client) recreate(ctx context.Context) {
	live := c.live()
	c.end(ctx, live)
	if c.pause(ctx, 0, 300*time.Millisecond) {
		c.create(ctx, live)
	}
}

func (c *client) inviteSome(ctx context.Context) {
	from, to := c.two()
	targets := []string{to}
	if other := c.live(); c.chance(25) && other != from && other != to {
		targets = append(targets, other)
	}
	a := c.invite(ctx, from, targets, 1+c.rng.Int32N(4))
	for _, target := range a.Accepted {
		if !c.pause(ctx, 0, 300*time.Millisecond) {
			return
		}
		switch n := c.rng.IntN(10); {
		case n < 5:
			c.accept(ctx, target, from)
		case n < 7:
			c.reject(ctx, target, from)
		case n < 8:
			c.cancel(ctx, from, target)
		}
	}
}

// grow has a live invite as many others as it may at once, and most of them accept. So connections become as large as they can be.
func (c *client) grow(ctx context.Context) {
	from, members := c.connected(ctx)
	var targets []string
	for _, i := range c.rng.Perm(len(c.lives)) {
		if to := c.lives[i]; to != from && !slices.Contains(members, to) && len(targets) < most-1 {
			targets = append(targets, to)
		}
	}
	var deeds []func(*client)
	for _, to := range c.invite(ctx, from, targets, 1+c.rng.Int32N(2)).Accepted {
		if c.chance(80) {
			deeds = append(deeds, func(side *client) { side.accept(ctx, to, from) })
		}
	}
	c.together(ctx, time.Now().Add(c.between(0, 100*time.Millisecond)), deeds...)
}

func (c *client) inviteEachOther(ctx context.Context) {
	x, y := c.two()
	c.together(
		ctx, time.Now(),
		func(side *client) { side.invite(ctx, x, []string{y}, 2) },
		func(side *client) { side.invite(ctx, y, []string{x}, 2) },
	)
}

// answer ends an invitation in one of the ways.
func (c *client) answer(ctx context.Context) {
	from, to := c.two()
	if i, ok := one(c, &c.stage.invited, 6); ok && !c.chance(10) {
		from, to = i.from, i.to
	}
	switch c.rng.IntN(4) {
	case 0:
		c.reject(ctx, to, from)
	case 1:
		c.cancel(ctx, from, to)
	default:
		c.accept(ctx, to, from)
	}
}

// race invites, and ends the invitation in several ways within a millisecond or two: at once, or when it times out.
func (c *client) race(ctx context.Context) {
	from, to := c.two()
	a := c.invite(ctx, from, []string{to}, 1)
	at := time.Now().Add(20 * time.Millisecond)
	if c.chance(60) {
		if expires, ok := expiry(a.state, to); ok {
			at = expires
		}
	}
	c.together(
		ctx, at,
		func(side *client) { side.accept(ctx, to, from) },
		func(side *client) { side.cancel(ctx, from, to) },
		func(side *client) {
			if side.chance(30) {
				side.reject(ctx, to, from)
			}
		},
	)
}

// expiry is when an invitation times out, by the local clock.
func expiry(s *cohostv1.CoHostState, to string) (time.Time, bool) {
	for _, i := range s.GetInvitees() {
		if i.GetInvitee().GetLiveId() == to {
			return time.Now().Add(i.GetExpiresAt().AsTime().Sub(s.GetServerNow().AsTime())), true
		}
	}
	return time.Time{}, false
}

// change does something to a connection, or shows a host in another way.
func (c *client) change(ctx context.Context) {
	live, others := c.connected(ctx)
	switch n := c.rng.IntN(10); {
	case n < 3:
		c.setLayout(ctx, live, pick(c, templates))
	case n < 7 && len(others) > 0:
		c.mute(ctx, live, pick(c, others), c.chance(60))
	case n < 8:
		from, to := c.two()
		c.mute(ctx, from, to, true)
	default:
		name := fmt.Sprintf("Host %d", c.rng.IntN(5))
		c.update(ctx, live, &cohostv1.UpdateLiveRequest_HostProfile{UserName: &name})
	}
}

// templates are the layouts of lives that show a picture, and one that is not.
var templates = []string{
	"hostDynamicGrid", "hostDynamicGrid", "hostDynamic1v6", "HostVideoLandscapeFixed2Seats", "hostDynamicFloat", "hostFixedFloat", "hostVoiceConnection",
}

// connected finds a live that is connected, with some of the others.
func (c *client) connected(ctx context.Context) (live string, targets []string) {
	for range 3 {
		live = c.live()
		state := c.askCoHost(ctx, live, false)
		for _, m := range state.GetConnected() {
			if m.GetLiveId() != live && (len(targets) == 0 || c.chance(40)) {
				targets = append(targets, m.GetLiveId())
			}
		}
		if len(targets) > 0 || ctx.Err() != nil {
			break
		}
	}
	return live, targets
}

// at waits for a moment, give or take 5 ms, if it comes within 3 s.
func (c *client) at(ctx context.Context, at time.Time) bool {
	d := time.Until(at)
	if d > 3*time.Second {
		return ctx.Err() == nil
	}
	return wait(ctx, d+c.between(-5*time.Millisecond, 5*time.Millisecond))
}

// again repeats a command that was answered with ok: it must be answered so again, and be done once.
func (c *client) again(ctx context.Context) {
	if m, ok := one(c, &c.stage.done, remembered); ok {
		c.repeat(ctx, m, 1)
	}
}
