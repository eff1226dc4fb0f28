package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
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
		a.disturb()
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

// repeat does an earlier command again, with its id: it must be answered as before, and be done once.
func (a *actor) repeat() {
	o, c, ok := a.h.done(a.rng.IntN(1 << 20))
	if !ok {
		return
	}
	o.Accepted = nil
	a.again(o, c)
}
