// Package sim runs cohost, battle and score, two replicas of each, in one process on logs in memory and in virtual time,
// harms them by a plan drawn from a seed, and checks what they did; see docs/architecture/simulation.md.
package sim

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// fault is a way to harm the services.
type fault int

const (
	appendLost    fault = iota // a group does not reach the log
	appendUnknown              // it does, and the writer does not hear of it
	appendLate                 // it does, after the writer has given up
	appendSlow                 // it does, slowly
	readFails                  // head and groups cannot be read
	tailLags                   // followers get groups late
	logAway                    // neither log nor lease can be reached
	leaseLost                  // nobody seems to hold the lease
	leaseStolen                // a replica believes that it holds it
	headsFail                  // how far a log has come can be neither saved nor read
	headUnknown                // it is saved, and the replica does not hear of it
	snapshotsFail              // snapshots can be neither saved nor read
	snapshotCut                // the first part of one is saved
	peerLost                   // a forwarded command does not arrive
	peerAnswerLost
	peerLate // it arrives after its sender has given up
	peerTwice
	callLost // a gRPC call does not arrive
	callAnswerLost
	callLate
	callSlow
	callTwice
	signLost // a sign of life, or what a replica says to itself, does not reach a replica
	signLate
	signTwice
	signDropped // there is no room for it, which that replica knows
	faults
)

// episode is a time in which a fault happens often.
type episode struct {
	from, until time.Duration
	fault       fault
	slot        int // of the replica that it happens to; -1: to all
	chance      float64
}

// mishap is a crash, a pause, or a jump of a wall clock.
type mishap struct {
	at    time.Duration
	slot  int
	down  time.Duration // crash: how long the replica stays down
	pause time.Duration // nothing comes from the replica or gets to it; then it goes on as if nothing had been
	jump  time.Duration // of its wall clock
}

// gap is a time in which a replica of cohost does not hear others: nobody at all, or only itself, cut off together with the logs.
type gap struct {
	from, until time.Duration
	slot        int
	deaf        bool // it does not hear itself either
}

// clock of a replica's machine, against virtual time.
type clock struct {
	offset time.Duration
	drift  float64
}

// plan is what a seed brings. It is the same each time.
type plan struct {
	episodes []episode
	mishaps  []mishap
	clocks   [slots]clock
	gaps     []gap
	// calm is a time in which nothing happens to cohost, nor to calls from outside; none if it ends where it begins.
	calm struct{ from, until time.Duration }
	// always is how likely each fault is outside of episodes.
	always [faults]float64
}

// newPlan draws a plan for a run of about so long.
func newPlan(seed uint64, length time.Duration) plan {
	rng := rand.New(rand.NewPCG(seed, 1))
	var p plan
	for f := range p.always {
		if rng.IntN(3) == 0 && fault(f) != logAway && fault(f) != signDropped {
			p.always[f] = 0.05 * rng.Float64()
		}
	}
	for slot := range p.clocks {
		p.clocks[slot] = clock{offset: time.Duration(rng.Int64N(int64(4*time.Second))) - 2*time.Second, drift: 0.1*rng.Float64() - 0.05}
	}
	for at := time.Duration(0); at < length; at += time.Duration(rng.Int64N(int64(300 * time.Millisecond))) {
		e := episode{from: at, fault: fault(rng.IntN(int(faults))), slot: rng.IntN(slots+1) - 1, chance: 0.1 + 0.9*rng.Float64()}
		if e.fault == logAway {
			e.chance = 1
		}
		e.until = at + time.Duration(rng.Int64N(int64(2*time.Second)))
		p.episodes = append(p.episodes, e)
	}
	for at := time.Second; at < length; at += 200*time.Millisecond + time.Duration(rng.Int64N(int64(2*time.Second))) {
		m := mishap{at: at, slot: rng.IntN(slots)}
		switch rng.IntN(6) {
		case 0:
			m.jump = time.Duration(rng.Int64N(int64(20*time.Second))) - 10*time.Second
		case 1:
			m.pause = 100*time.Millisecond + time.Duration(rng.Int64N(int64(8*time.Second)))
		default:
			m.down = time.Duration(rng.Int64N(int64(3 * time.Second)))
		}
		p.mishaps = append(p.mishaps, m)
	}
	p.plan(rand.New(rand.NewPCG(seed, 4)), length)
	return p
}

// plan draws in which times replicas of cohost hear nobody, and when nothing happens to them.
func (p *plan) plan(rng *rand.Rand, length time.Duration) {
	for at := time.Second; at < length; at += time.Second + time.Duration(rng.Int64N(int64(14*time.Second))) {
		g := gap{from: at, slot: cohostService*replicas + rng.IntN(replicas), deaf: rng.IntN(2) == 0}
		g.until = at + 200*time.Millisecond + time.Duration(rng.Int64N(int64(3*time.Second)))
		if rng.IntN(3) == 0 {
			g.until += 8 * time.Second
		}
		p.gaps = append(p.gaps, g)
		if !g.deaf {
			p.episodes = append(p.episodes, episode{from: g.from, until: g.until, fault: logAway, slot: g.slot, chance: 1})
		}
	}
	slices.SortFunc(p.episodes, func(a, b episode) int { return cmp.Compare(a.from, b.from) })
	if rng.IntN(2) == 0 && length > 25*time.Second {
		p.calm.from = time.Duration(rng.Int64N(int64(length - 20*time.Second)))
		p.calm.until = p.calm.from + 12*time.Second + time.Duration(rng.Int64N(int64(20*time.Second)))
	}
}

// still reports whether nothing happens to a slot, or to calls from outside, at a time.
func (p *plan) still(at time.Duration, slot int) bool {
	return p.calm.from <= at && at < p.calm.until && slot < (cohostService+1)*replicas
}

// injector decides, call by call, whether a fault happens.
type injector struct {
	plan  plan
	start time.Time

	mu    sync.Mutex
	rng   *rand.Rand
	quiet bool
	count int
}

func newInjector(seed uint64, p plan) *injector {
	return &injector{plan: p, start: time.Now(), rng: rand.New(rand.NewPCG(seed, 2))}
}

// hits reports whether a fault happens now to the replica in a slot; -1 is outside of all.
func (i *injector) hits(f fault, slot int) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := time.Since(i.start)
	if i.quiet || i.plan.still(at, slot) {
		return false
	}
	chance := i.plan.always[f]
	for n := 0; n < len(i.plan.episodes) && i.plan.episodes[n].from <= at; n++ {
		if e := i.plan.episodes[n]; e.fault == f && at < e.until && (e.slot < 0 || e.slot == slot) {
			chance = max(chance, e.chance)
		}
	}
	hit := i.rng.Float64() < chance
	if hit {
		i.count++
	}
	return hit
}

// deafness are the times, up to when faults ceased, in which replicas of cohost could not hear whoever gave a sign of life, or ask the log.
func (p *plan) deafness(ceased time.Duration) (all []check.Spell) {
	add := func(slot int, from, until time.Duration) {
		if until = min(until, ceased); from < until {
			all = append(all, check.Spell{Replica: machine(slot), From: from, Until: until})
		}
	}
	outside := func(slot int, from, until time.Duration) {
		if slot >= (cohostService+1)*replicas {
			return
		}
		add(slot, from, min(until, max(p.calm.from, from)))
		add(slot, max(from, min(p.calm.until, until)), until)
	}
	for _, g := range p.gaps {
		if g.deaf {
			outside(g.slot, g.from, g.until)
		}
	}
	for _, e := range p.episodes {
		for slot := range replicas {
			if e.fault == logAway && (e.slot < 0 || e.slot == slot) {
				outside(slot, e.from, e.until)
			}
		}
	}
	return all
}

// apart reports whether what one replica of cohost says to another, or to itself, does not reach it now.
func (i *injector) apart(from, to int) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := time.Since(i.start)
	if i.quiet || i.plan.still(at, to) {
		return false
	}
	return slices.ContainsFunc(i.plan.gaps, func(g gap) bool {
		return g.from <= at && at < g.until && (g.deaf && g.slot == to || !g.deaf && from != to && (g.slot == from || g.slot == to))
	})
}

// between draws a time.
func (i *injector) between(least, most time.Duration) time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return least + time.Duration(i.rng.Int64N(int64(most-least)))
}

func (i *injector) draw(n int) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.rng.IntN(n)
}

func (i *injector) happened() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
}

// stop ends all faults.
func (i *injector) stop() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.quiet = true
	return i.count
}

var errSilence = errors.New("no answer")

// silence is what a caller gets of a message that was lost: nothing until its time is over, or an error before.
func (i *injector) silence(ctx context.Context) error {
	if i.draw(2) == 0 {
		if err := wait(ctx, i.between(time.Millisecond, 3*time.Second)); err != nil {
			return err
		}
	}
	return errSilence
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
