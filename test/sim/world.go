package sim

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger/memory"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// world is everything of one run.
type world struct {
	faults   *injector
	stores   *memory.Stores
	exchange exchange
	journal  journal
	start    time.Time
	under    sync.WaitGroup // what was put off
	shape    shape
	air      air
	pauses   []check.Spell // of replicas of cohost
	ceased   time.Duration // when faults did

	takeovers takeovers
	opened    atomic.Int64 // snapshots, to start from

	mu       sync.Mutex
	replicas [slots]*replica // nil while one is down
	lives    int             // replicas started
	jumps    [slots]time.Duration
	findings []string
}

func newWorld(seed uint64, p plan) (*world, error) {
	w := &world{
		faults: newInjector(seed, p), stores: memory.NewStores(), exchange: exchange{served: map[string]*served{}}, start: time.Now(),
		shape: newShape(seed),
	}
	w.journal.start = w.start
	for slot := range w.replicas {
		if err := w.restart(slot, false); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// restart puts a new replica into a slot; whole: one that uses no snapshots.
func (w *world) restart(slot int, whole bool) error {
	w.mu.Lock()
	w.lives++
	life := w.lives
	w.mu.Unlock()
	r, err := w.launch(slot, life, whole)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas[slot] = r
	return nil
}

func (w *world) replica(slot int) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replicas[slot]
}

// down takes the replica out of a slot and ends it.
func (w *world) down(slot int, crash bool) {
	w.mu.Lock()
	r := w.replicas[slot]
	w.replicas[slot] = nil
	w.mu.Unlock()
	if r != nil {
		w.journal.note(r.id, "ends, crash: %v", crash)
		r.end(crash)
	}
}

// mishaps crashes and restarts replicas and moves clocks, as planned, until ctx ends.
func (w *world) mishaps(ctx context.Context) {
	var restarting sync.WaitGroup
	defer restarting.Wait()
	busy := [slots]chan struct{}{}
	for slot := range busy {
		busy[slot] = make(chan struct{}, 1)
	}
	for _, m := range w.faults.plan.mishaps {
		if wait(ctx, m.at-time.Since(w.start)) != nil {
			return
		}
		if w.faults.plan.still(w.now(), m.slot) {
			continue
		}
		w.faults.happened()
		if m.jump != 0 {
			w.journal.note(machine(m.slot), "wall clock jumps by %v", m.jump)
			w.mu.Lock()
			w.jumps[m.slot] += m.jump
			w.mu.Unlock()
			continue
		}
		if m.pause != 0 {
			if r := w.replica(m.slot); r != nil {
				w.journal.note(r.id, "pauses for %v", m.pause)
				until := time.Now().Add(m.pause)
				r.paused.Store(&until)
				w.pauses = append(w.pauses, check.Spell{Replica: r.id, From: w.now(), Until: w.now() + m.pause})
			}
			continue
		}
		select {
		case busy[m.slot] <- struct{}{}:
		default:
			continue // it is down
		}
		restarting.Go(func() {
			w.down(m.slot, true)
			_ = wait(ctx, m.down)
			if err := w.restart(m.slot, false); err != nil {
				w.found("restart: %v", err)
			}
			<-busy[m.slot]
		})
	}
}

// now is how long the run has taken.
func (w *world) now() time.Duration { return time.Since(w.start) }

// wall is the wall clock of a slot's machine.
func (w *world) wall(slot int) time.Time {
	c := w.faults.plan.clocks[slot]
	passed := time.Since(w.start)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.start.Add(passed + c.offset + w.jumps[slot] + time.Duration(c.drift*float64(passed)))
}

// later does something after a while.
func (w *world) later(d time.Duration, do func()) {
	w.under.Go(func() {
		<-time.After(d)
		do()
	})
}

func (w *world) found(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = append(w.findings, fmt.Sprintf(format, args...))
}

// Names of logs.
const (
	cohostLog = "COHOST_00"
	battleLog = "BATTLE_00"
)

// logs returns the names of all logs.
func logs() []string {
	all := []string{cohostLog, battleLog}
	for i := range partitions {
		all = append(all, fmt.Sprintf("SCORE_%02d", i))
	}
	return all
}

// head of a log, as it is.
func (w *world) head(name string) uint64 {
	head, _ := w.stores.Log(name).Head(context.Background()) // memory does not fail
	return head
}

// heads of all logs, as they are.
func (w *world) heads() map[string]uint64 {
	all := map[string]uint64{}
	for _, name := range logs() {
		all[name] = w.head(name)
	}
	return all
}

// groups returns all logs as they are.
func (w *world) groups() map[string][][]byte {
	all := map[string][][]byte{}
	for _, name := range logs() {
		for seq := uint64(1); seq <= w.head(name); seq++ {
			raw, _ := w.stores.Log(name).Read(context.Background(), seq) // memory does not fail
			all[name] = append(all[name], raw)
		}
	}
	return all
}

// close ends all, in an orderly way.
func (w *world) close() {
	for slot := range w.replicas {
		w.down(slot, false)
	}
	w.under.Wait()
	w.air.under.Wait()
}
