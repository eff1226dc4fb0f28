// Package sim runs cohost, battle and score, two replicas of each, in one process on logs in memory and in virtual time,
// harms them by a plan drawn from a seed, and checks what they did; see docs/architecture/simulation.md.
package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
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
	// always is how likely each fault is outside of episodes.
	always [faults]float64
}

// newPlan draws a plan for a run of about so long.
func newPlan(seed uint64, length time.Duration) plan {
	rng := rand.New(rand.NewPCG(seed, 1))
	var p plan
	for f := range p.always {
		if rng.IntN(3) == 0 && fault(f) != logAway {
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
	return p
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
	if i.quiet {
		return false
	}
	chance := i.plan.always[f]
	for at, n := time.Since(i.start), 0; n < len(i.plan.episodes) && i.plan.episodes[n].from <= at; n++ {
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
