package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// Room is a log with a limit.
type Room struct {
	Log ledger.Log
	// Raise sets another limit, as an operator does.
	Raise func(t *testing.T, maxBytes int64)
}

// roomy is the limit of the logs that RunGrowth fills.
const roomy = 128 << 10

// RunGrowth fills logs with a limit that open makes, each empty.
func RunGrowth(t *testing.T, open func(t *testing.T, maxBytes int64) Room) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T, Room)
	}{
		{"a log that is nearly full takes only what ends things", testNearlyFull},
		{"a full log refuses for certain, and recovers", testFull},
		{"a full log is not asked without a pause", testFullIsNotAskedAlways},
		{"a deadline waits for room", testDeadlineWaitsForRoom},
		{"a writer that starts at a full log waits for room", testStartAtFullLog},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			attack.run(t, open(t, roomy))
		})
	}
}

// counted is a log whose appends are counted.
type counted struct {
	ledger.Log
	appends atomic.Int64
}

func (c *counted) Append(ctx context.Context, after uint64, group []byte) error {
	c.appends.Add(1)
	return c.Log.Append(ctx, after, group)
}

func (c *counted) Size(ctx context.Context) (used, limit uint64, err error) {
	return c.Log.(ledger.Sized).Size(ctx)
}

func padded(id string, size int) ledger.Command[Command] {
	return ledger.Command[Command]{ID: id, Body: Command{Key: "k", Add: 1, Size: size}}
}

// fillTo has large commands decided until so many percent of the log are taken. It returns how many there were.
func (r *replica) fillTo(t *testing.T, log ledger.Log, percent uint64) (n int64) {
	t.Helper()
	for {
		used, limit, err := log.(ledger.Sized).Size(patiently(t))
		if err != nil {
			t.Fatal(err)
		}
		if used >= limit*percent/100 {
			return n
		}
		r.must(t, padded(fmt.Sprint("fill", percent, "-", n), 1000))
		n++
	}
}

// fillUp has ever smaller commands decided until not even the smallest has room. It returns how many were.
func (r *replica) fillUp(t *testing.T) (n int64) {
	t.Helper()
	for size := 1000; ; n++ {
		_, err := r.Submit(patiently(t), padded(fmt.Sprint("up", n, "-", size), size))
		switch {
		case err == nil:
			continue
		case size == 0:
			wantRefused(t, err, es.ReasonRateLimited)
			return n
		}
		wantRefused(t, err, es.ReasonRateLimited)
		n--
		size /= 10
	}
}

// eventually submits a command again and again until it is not refused for want of room any more.
func (r *replica) eventually(t *testing.T, c ledger.Command[Command]) ledger.Result[Event] {
	t.Helper()
	ctx := patiently(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		res, err := r.Submit(ctx, c)
		if err == nil {
			return res
		}
		wantRefused(t, err, es.ReasonRateLimited)
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func testNearlyFull(t *testing.T, room Room) {
	a := start(t, setup{log: room.Log})
	total := a.fillTo(t, room.Log, 91)
	grows := ledger.Command[Command]{ID: "new", Body: Command{Key: "k", Add: 1, New: true}}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ { // it is noticed within seconds
		_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("before", n), Body: grows.Body})
		if err != nil {
			wantRefused(t, err, es.ReasonRateLimited)
			break
		}
		total++
		<-tick.C
	}
	_, err := a.Submit(patiently(t), grows)
	wantRefused(t, err, es.ReasonRateLimited)
	for i := range 5 {
		a.must(t, padded(fmt.Sprint("end", i), 100))
		total++
	}
	// What adds nothing is answered as ever.
	if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "nothing", Body: Command{Key: "k", New: true}}); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
	_, err = a.Submit(patiently(t), ledger.Command[Command]{ID: "full", Body: Command{Key: "k", Add: 1, Max: 1, New: true}})
	wantRefused(t, err, "FULL")
	a.must(t, padded("end0", 100)) // a repeat
	room.Raise(t, 2*roomy)
	a.eventually(t, grows) // the refusal was not remembered
	a.want(t, "k", total+1)
	checkChain(t, room.Log)
}

func testFull(t *testing.T, room Room) {
	a := start(t, setup{log: room.Log})
	total := a.fillTo(t, room.Log, 95)
	total += a.fillUp(t)
	end := head(t, room.Log)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := a.Submit(patiently(t), padded(fmt.Sprint("none", i), 100))
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != es.ReasonRateLimited {
				t.Errorf("at a full log: %v", err)
			}
		})
	}
	all.Wait()
	a.want(t, "k", total)
	if now := head(t, room.Log); now != end {
		t.Errorf("the log went from %d to %d", end, now)
	}
	room.Raise(t, 2*roomy)
	for i := range 8 {
		a.eventually(t, padded(fmt.Sprint("none", i), 100))
		total++
	}
	a.want(t, "k", total)
	checkChain(t, room.Log)
	start(t, setup{log: room.Log, lease: memory.NewLease("b")}).want(t, "k", total)
}

func testFullIsNotAskedAlways(t *testing.T, room Room) {
	log := &counted{Log: room.Log}
	a := start(t, setup{log: log})
	a.fillTo(t, room.Log, 95)
	a.fillUp(t)
	before := log.appends.Load()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for c := range 8 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, _ = a.Submit(ctx, padded(fmt.Sprint("again", c, "-", n), 100))
			}
		})
	}
	all.Wait()
	if n := log.appends.Load() - before; n > 200 {
		t.Errorf("%d appends in 2 s", n)
	}
}

func testDeadlineWaitsForRoom(t *testing.T, room Room) {
	log := &counted{Log: room.Log}
	a := start(t, setup{log: log})
	a.must(t, ledger.Command[Command]{ID: "timer", Body: Command{Key: "timed", Add: 1, After: 5 * time.Second}})
	room.fill(t)
	before := log.appends.Load()
	due := time.NewTimer(7 * time.Second)
	<-due.C
	if n := log.appends.Load() - before; n == 0 || n > 50 {
		t.Errorf("%d appends for a deadline at a full log", n)
	}
	a.want(t, "timed", 1)
	room.Raise(t, 2*roomy)
	a.waitFor(t, "timed", 2)
}

// fill takes all room from a log.
func (r Room) fill(t *testing.T) {
	t.Helper()
	used, _, err := r.Log.(ledger.Sized).Size(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	r.Raise(t, int64(used))
}

func testStartAtFullLog(t *testing.T, room Room) {
	a := start(t, setup{log: room.Log})
	total := a.fillTo(t, room.Log, 50)
	a.stop()
	room.fill(t) // not even a group without decisions has room
	log := &counted{Log: room.Log}
	b := launch(t, setup{log: log})
	timer := time.NewTimer(2 * time.Second)
	select {
	case <-timer.C:
	case <-b.ready:
		t.Error("ready without a group of its own")
	case err := <-b.failed:
		t.Fatalf("stopped: %v", err)
	}
	if n := log.appends.Load(); n == 0 || n > 40 {
		t.Errorf("%d appends in 2 s", n)
	}
	room.Raise(t, 2*roomy)
	b.waitReady(t)
	b.want(t, "k", total)
	b.must(t, padded("then", 100))
}
