package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// RunVirtualTime attacks ledgers on logs in memory where it is the time that passes which matters.
func RunVirtualTime(t *testing.T) {
	for name, attack := range map[string]func(*testing.T){
		"answers are forgotten by log time":                       testForgetting,
		"a replica whose clock is off leaves the lease to others": testLeavesLease,
		"a replica whose clock is off writes when no other does":  testNoOtherWriter,
		"a writer whose clock goes off raises an alarm":           testClockAlarm,
		"a clock that is asked slowly raises no false alarm":      testSlowClock,
		"a clock that does not answer is not waited for":          testSilentClock,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, attack)
		})
	}
}

// RunLease attacks a lease by the handles on it that join makes for replicas.
func RunLease(t *testing.T, join func(replica string) ledger.Lease) {
	a, b := join("a"), join("b")
	want := func(what string, ask func(context.Context) (string, error), holder string) {
		t.Helper()
		if got, err := ask(patiently(t)); err != nil || got != holder {
			t.Fatalf("%s: %q, %v; want %q", what, got, err, holder)
		}
	}
	want("free", a.Holder, "")
	want("not taken by looking", b.Holder, "")
	want("taken", a.Hold, "a")
	want("seen by another", b.Holder, "a")
	want("seen by its holder", a.Holder, "a")
	want("not to be had", b.Hold, "a")
	if err := a.Release(patiently(t)); err != nil {
		t.Fatal(err)
	}
	want("free again", b.Holder, "")
	want("taken by another", b.Hold, "b")
	want("lost", a.Holder, "b")
}

// told is what a replica tells its operators.
type told struct {
	mu     sync.Mutex
	alarms []string // and their ends
	turns  int      // how often it began or stopped writing
	off    []time.Duration
}

// Stored implements ledger.Metrics.
func (*told) Stored(string, int, time.Duration) {}

// Void implements ledger.Metrics.
func (*told) Void(string) {}

// Unknown implements ledger.Metrics.
func (*told) Unknown(string) {}

// Writer implements ledger.Metrics.
func (x *told) Writer(string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.turns++
}

// ClockOff implements ledger.Metrics.
func (x *told) ClockOff(_ string, by time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.off = append(x.off, by)
}

// Size implements ledger.Metrics.
func (x *told) Size(string, uint64, uint64, bool) {}

// Enabled implements slog.Handler.
func (*told) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (x *told) WithAttrs([]slog.Attr) slog.Handler { return x }

// WithGroup implements slog.Handler.
func (x *told) WithGroup(string) slog.Handler { return x }

// Handle implements slog.Handler.
func (x *told) Handle(_ context.Context, r slog.Record) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.Message == "this replica's clock is off" || r.Message == "this replica's clock is right again" {
		x.alarms = append(x.alarms, fmt.Sprint(r.Level, " ", r.Message))
	}
	return nil
}

// measured returns by how much the clock was found to be ahead, each time.
func (x *told) measured() []time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.off)
}

func (x *told) wantAlarms(t *testing.T, n int) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, said := range x.alarms {
		if want := [2]string{"ERROR this replica's clock is off", "INFO this replica's clock is right again"}[i%2]; said != want {
			t.Errorf("told %q, want %q", said, want)
		}
	}
	if len(x.alarms) != n {
		t.Errorf("told %q, want %d", x.alarms, n)
	}
}

// remote is the clock of a bubble, as it is asked from afar.
type remote struct{ there, back atomic.Int64 }

func (r *remote) Time(ctx context.Context) (time.Time, error) {
	if err := pass(ctx, time.Duration(r.there.Load())); err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	return now, pass(ctx, time.Duration(r.back.Load()))
}

// pass waits until ctx ends, or d has passed.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// off is a wall clock that is ahead.
func off(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}

// Whichever of the two asks for the lease first when it is free.
func testLeavesLease(t *testing.T) {
	for phase := time.Duration(0); phase < 500*time.Millisecond; phase += 100 * time.Millisecond {
		log, leases, peers := memory.NewLog(), memory.NewLeases(), memory.NewPeers()
		join := func(id string, wall func() time.Time) *replica {
			return start(t, setup{log: log, lease: leases.Lease("TEST", id), peers: peers, clock: new(remote), wall: wall})
		}
		writer := join("writer", nil)
		wrong := join("wrong", off(-3*time.Second))
		<-time.After(250 * time.Millisecond)
		right := join("right", off(time.Second/2))
		<-time.After(phase)
		writer.stop()
		wrong.must(t, add("c1", "k", 1))
		if wrong.Writes() || !right.Writes() {
			t.Errorf("phase %v: wrong writes: %v, right writes: %v", phase, wrong.Writes(), right.Writes())
		}
		wrong.stop()
		right.stop()
	}
}

func testNoOtherWriter(t *testing.T) {
	log, leases, peers := memory.NewLog(), memory.NewLeases(), memory.NewPeers()
	began := time.Now()
	var all []*replica
	for i := range 2 {
		said := new(told)
		all = append(all, launch(t, setup{log: log, lease: leases.Lease("TEST", fmt.Sprint(i)), peers: peers, clock: new(remote), wall: off(time.Hour), told: said}))
		defer said.wantAlarms(t, 1)
	}
	for _, r := range all {
		r.waitReady(t)
		r.must(t, add("c1", "k", 1))
	}
	if took := time.Since(began); took < 2*time.Second || took > 3*time.Second {
		t.Errorf("the lease was taken after %v", took)
	}
}

func testClockAlarm(t *testing.T) {
	var ahead atomic.Int64
	said, leases := new(told), memory.NewLeases()
	a := start(t, setup{log: memory.NewLog(), lease: leases.Lease("TEST", "a"), clock: new(remote), told: said, wall: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	for i, x := range []struct {
		by     time.Duration
		alarms int
	}{{0, 0}, {990 * time.Millisecond, 0}, {1100 * time.Millisecond, 1}, {time.Hour, 1}, {-990 * time.Millisecond, 2}, {-3 * time.Second, 3}, {0, 4}} {
		ahead.Store(int64(x.by))
		<-time.After(10 * time.Second)
		said.wantAlarms(t, x.alarms)
		a.must(t, add(fmt.Sprint("c", i), "k", 1))
		if err := leases.Lease("TEST", "a").Release(patiently(t)); err != nil { // as if it had run out: the writer renews it
			t.Fatal(err)
		}
		if by := said.measured(); by[len(by)-1] != x.by {
			t.Errorf("measured %v, want %v", by, x.by)
		}
	}
	said.mu.Lock()
	defer said.mu.Unlock()
	if said.turns != 1 {
		t.Errorf("began or stopped writing %d times", said.turns)
	}
}

func testSlowClock(t *testing.T) {
	said, clock := new(told), new(remote)
	start(t, setup{log: memory.NewLog(), clock: clock, told: said, wall: off(-800 * time.Millisecond)})
	for _, x := range []struct{ there, back float64 }{{0.8, 0}, {0, 0.8}, {0.4, 0.4}, {3, 0}, {0, 3}} {
		clock.there.Store(int64(x.there * float64(time.Second)))
		clock.back.Store(int64(x.back * float64(time.Second)))
		<-time.After(10 * time.Second)
	}
	said.wantAlarms(t, 0)
	for _, by := range said.measured() {
		if by < -1200*time.Millisecond || by > -400*time.Millisecond {
			t.Errorf("measured %v", by)
		}
	}
}

// silent is a clock that cannot be asked.
type silent struct{}

func (silent) Time(ctx context.Context) (time.Time, error) {
	<-ctx.Done()
	return time.Time{}, errors.New("no answer")
}

func testSilentClock(t *testing.T) {
	began := time.Now()
	start(t, setup{log: memory.NewLog(), clock: silent{}, wall: off(time.Hour)}).must(t, add("c1", "k", 1))
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
}
