package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

func testRestart(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	for i := range 100 {
		a.must(t, add(fmt.Sprint("c", i), "k", int64(i)))
	}
	a.want(t, "k", 4950)
	a.stop()
	b := start(t, setup{log: log})
	b.want(t, "k", 4950)
	checkChain(t, log)
}

func testRepeat(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	first := a.must(t, add("c1", "k", 5))
	stored := head(t, log)
	again := a.must(t, add("c1", "k", 5))
	if first.Seq != again.Seq || len(again.Events) != 1 || first.Events[0] != again.Events[0] {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	_, err := a.Submit(patiently(t), add("c1", "k", 6))
	wantRefused(t, err, es.ReasonPayloadMismatch)
	if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c2", Payload: []byte("p"), Body: Command{Key: "k", Add: 1}}); err != nil {
		t.Fatal(err)
	}
	same := a.must(t, ledger.Command[Command]{ID: "c2", Payload: []byte("p"), Body: Command{Key: "made anew", Add: 1}})
	if same.Events[0].Event.Key != "k" {
		t.Fatal("a repeat with the same payload got another answer")
	}
	if got := head(t, log); got != stored+1 {
		t.Fatalf("repeats were stored: head %d, want %d", got, stored+1)
	}
	a.want(t, "k", 6)
	a.stop()
	b := start(t, setup{log: log})
	if res := b.must(t, add("c1", "k", 5)); res.Events[0] != first.Events[0] {
		t.Fatalf("after a restart: %+v, want %+v", res.Events[0], first.Events[0])
	}
	_, err = b.Submit(patiently(t), add("c1", "k", 6))
	wantRefused(t, err, es.ReasonPayloadMismatch)
}

func testRepeatElsewhere(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	first := a.must(t, add("c1", "k", 5))
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	again := b.must(t, add("c1", "k", 5))
	if again.Events[0] != first.Events[0] {
		t.Fatalf("first %+v, elsewhere %+v", first, again)
	}
	b.want(t, "k", 5)
}

func testNothingToDo(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	// Both are decided in one group: the first publish is held until both are queued.
	held, release := make(chan struct{}), make(chan struct{})
	log.Next(func(ctx context.Context, after uint64, group []byte) error {
		close(held)
		<-release
		return log.Log.Append(ctx, after, group)
	})
	go a.Submit(context.Background(), add("c0", "k", 1)) //nolint:errcheck // it only holds the publish
	<-held
	// Only one of the two adds; the other has nothing to do because of it.
	var both sync.WaitGroup
	var results [2]ledger.Result[Event]
	for i := range results {
		both.Go(func() {
			results[i] = a.must(t, ledger.Command[Command]{Body: Command{Key: "once", Add: 1, Once: true}})
		})
	}
	close(release)
	both.Wait()
	added, nothing := results[0], results[1]
	if len(added.Events) == 0 {
		added, nothing = nothing, added
	}
	if len(added.Events) != 1 || len(nothing.Events) != 0 || nothing.Seq < added.Seq {
		t.Fatalf("added: %+v, nothing to do: %+v", added, nothing)
	}
}

func testClockJumps(t *testing.T, log *Faulty) {
	var offset atomic.Int64
	wall := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	a := start(t, setup{log: log, wall: wall})
	var last time.Time
	for i, jump := range []time.Duration{0, time.Hour, -time.Hour, -24 * time.Hour, 365 * 24 * time.Hour, 0} {
		offset.Store(int64(jump))
		res := a.must(t, add(fmt.Sprint("c", i), "k", 1)) // the machine panics if log time goes back
		if at := res.Events[0].At; at.Before(last) {
			t.Fatalf("log time went from %v back to %v", last, at)
		} else if i > 0 && at.Sub(last) > patience {
			t.Fatalf("log time jumped from %v to %v", last, at)
		} else {
			last = at
		}
	}
	a.stop()
	offset.Store(int64(-time.Hour))
	b := start(t, setup{log: log, wall: wall})
	if at := b.must(t, add("later", "k", 1)).Events[0].At; at.Before(last) {
		t.Fatalf("after a restart log time went from %v back to %v", last, at)
	}
}

func testDeadline(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	set := a.must(t, ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 5, After: 50 * time.Millisecond}})
	a.waitFor(t, "k", 6)
	a.must(t, ledger.Command[Command]{ID: "c2", Body: Command{Key: "j", Add: 5, After: 50 * time.Millisecond}})
	a.stop()
	b := start(t, setup{log: log})
	b.waitFor(t, "j", 6)
	early := false
	err := ledger.Range(patiently(t), log, Codec{}.DecodeEvent, func(g ledger.Group[Event]) error {
		for _, e := range g.Events {
			early = early || e.Event.Tick && e.Event.Key == "k" && e.At.Before(set.Events[0].Event.Due)
		}
		return nil
	})
	if err != nil || early {
		t.Fatalf("error %v, early %v", err, early)
	}
}

func testPanic(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			fault := []string{"", "decide", "evolve", "encode"}[i%4]
			_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("c", i), Body: Command{Key: "k", Add: 1, Fault: fault}})
			if fault == "" && err != nil {
				t.Errorf("refused with others: %v", err)
			} else if fault != "" && !errors.Is(err, es.Refuse(es.ReasonInternal, "")) {
				t.Errorf("%s: got %v, want INTERNAL", fault, err)
			}
		})
	}
	all.Wait()
	a.want(t, "k", 10)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 10)
}

func testTooLarge(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 1, Size: 200 << 10}})
	wantRefused(t, err, es.ReasonInvalidArgument)
	log.Next(func(context.Context, uint64, []byte) error { return ledger.ErrNotStored })
	_, err = a.Submit(patiently(t), add("c2", "k", 1))
	wantRefused(t, err, es.ReasonInvalidArgument)
	a.must(t, add("c3", "k", 1))
	a.want(t, "k", 1)
}

func testBounds(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	const n = 12
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("c", i), Body: Command{Key: "k", Add: 1, Size: 100 << 10}}); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	a.want(t, "k", n)
	for seq := uint64(1); seq <= head(t, log); seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > 300<<10 {
			t.Fatalf("group %d has %d bytes", seq, len(raw))
		}
	}
}

func testVoidGroup(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 1))
	// Somebody writes a group that does not follow from this log.
	entry, _ := Codec{}.EncodeEvent(Event{Key: "k", Add: 1000})
	raw, err := proto.Marshal(&ledgerv1.Group{Version: 1, Previous: []byte("of another log"), Decisions: []*ledgerv1.Decision{{AtMs: 1, Entries: [][]byte{entry}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Log.Append(patiently(t), head(t, log), raw); err != nil {
		t.Fatal(err)
	}
	a.must(t, add("c2", "k", 1))
	a.want(t, "k", 2)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 2)
	var ranged int64
	err = ledger.Range(patiently(t), log, Codec{}.DecodeEvent, func(g ledger.Group[Event]) error {
		for _, e := range g.Events {
			ranged += e.Event.Add
		}
		return nil
	})
	if err != nil || ranged != 2 {
		t.Fatalf("ranged %d, %v", ranged, err)
	}
}

func testDamage(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 1))
	a.stop()
	if err := log.Log.Append(patiently(t), head(t, log), []byte("no group")); err != nil {
		t.Fatal(err)
	}
	b := launch(t, setup{log: log})
	select {
	case err := <-b.failed:
		if !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("stopped with %v, want ErrLog", err)
		}
	case <-b.ready:
		t.Fatal("ready on a damaged log")
	case <-time.After(patience):
		t.Fatal("goes on with a damaged log")
	}
}

func testNotAfter(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c1", NotAfter: time.Now().Add(-time.Second), Body: Command{Key: "k", Add: 1}})
	wantRefused(t, err, es.ReasonDeadlineExceeded)
	a.want(t, "k", 0)
}

func testFeed(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	for i := range 20 {
		a.must(t, add(fmt.Sprint("c", i), "k", 1))
	}
	feed := ledger.NewFeed(log, Codec{}.DecodeEvent)
	ctx, cancel := context.WithCancel(patiently(t))
	var mu sync.Mutex
	var sum int64
	failed := false
	done := make(chan error, 1)
	go func() {
		done <- feed.Run(ctx, 3, func(_ context.Context, g ledger.Group[Event]) error {
			mu.Lock()
			defer mu.Unlock()
			if g.Seq == 7 && !failed {
				failed = true
				return errors.New("not now")
			}
			for _, e := range g.Events {
				sum += e.Event.Add
			}
			return nil
		})
	}()
	a.must(t, add("last", "k", 100))
	for feed.CatchUp(ctx) != nil { // a feed that starts may need longer than a caller would wait
		if ctx.Err() != nil {
			t.Fatal("does not catch up")
		}
	}
	mu.Lock()
	// The first group of the log is the writer's fence, so three groups hold the first two commands.
	if sum != 18+100 || !failed {
		t.Errorf("handed over %d, failed once: %v", sum, failed)
	}
	mu.Unlock()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v", err)
	}
	if err := feed.CatchUp(patiently(t)); err != nil {
		t.Fatalf("a feed that is not behind must answer: %v", err)
	}
	a.must(t, add("more", "k", 1))
	if err := feed.CatchUp(patiently(t)); !errors.Is(err, ledger.ErrUnavailable) {
		t.Fatalf("a feed that does not run says %v", err)
	}
}
