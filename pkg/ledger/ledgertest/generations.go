package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// Streams is a log that can go on in another stream.
type Streams struct {
	// Open returns the log as another replica has it, which knows only what is stored.
	Open  func(t *testing.T) ledger.Log
	Heads ledger.Heads
	// Steps are what follows a last group until the log goes on, each to be done alone: where a crash may come between.
	Steps []func(t *testing.T)
	// Behind stores a group in the first stream right after its last one; nil if that cannot be.
	Behind func(t *testing.T, last uint64, group []byte)
}

// RunContinued attacks logs that are continued in another stream, each made by open and empty.
func RunContinued(t *testing.T, open func(t *testing.T) Streams) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T, Streams)
	}{
		{"a log is one over its streams", testContinued},
		{"continued under load with two rival writers", testContinuedUnderLoad},
		{"a crash after each step is healed", testCrashBetweenSteps},
		{"a writer that has missed it finds out", testStaleStream},
		{"a writer that has missed it does not refuse", testStaleStreamDoesNotRefuse},
		{"what stands after the last group is not part of the log", testBehindTheLast},
		{"saved heads hold across streams", testHeadAcrossStreams},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			attack.run(t, open(t))
		})
	}
}

// member is a replica with its own view of the log and its own peers, so that it can be asked to continue it.
type member struct {
	*replica
	id    string
	peers ledger.Peers
}

func join(t *testing.T, s Streams, id string) member {
	t.Helper()
	m := member{id: id, peers: memory.NewPeers()}
	m.replica = start(t, setup{log: s.Open(t), heads: s.Heads, lease: memory.NewLease(id), peers: m.peers})
	return m
}

// goOn has the member end the log's present stream. It returns the last sequence there.
func (m member) goOn(t *testing.T) uint64 {
	t.Helper()
	ctx := patiently(t)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		last, err := ledger.RequestContinue(ctx, m.peers, "TEST", m.id)
		if err == nil {
			return last
		}
		if !errors.Is(err, ledger.ErrUnavailable) || ctx.Err() != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
}

// whole checks the stored log from its first group to its last, in every way that it can be read, and returns the sum of
// its events.
func (s Streams) whole(t *testing.T) int64 {
	t.Helper()
	log := s.Open(t)
	checkChain(t, log)
	var sum int64
	err := ledger.Range(patiently(t), log, Codec{}.DecodeEvent, func(g ledger.Group[Event]) error {
		for _, e := range g.Events {
			sum += e.Event.Add
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := ledger.Check(patiently(t), "TEST", log, s.Heads)
	if err != nil || len(checked.Problems) > 0 {
		t.Fatalf("%+v, %v", checked, err)
	}
	return sum
}

func testContinued(t *testing.T, s Streams) {
	a := join(t, s, "a")
	follower := s.Open(t)
	f := ledger.NewFeed(s.Open(t), Codec{}.DecodeEvent)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fed := make(chan int64, 100)
	go func() {
		_ = f.Run(ctx, 0, func(_ context.Context, g ledger.Group[Event]) error {
			for _, e := range g.Events {
				fed <- e.Event.Add
			}
			return nil
		})
	}()
	var total int64
	add1 := func() {
		t.Helper()
		total++
		res := a.must(t, add(fmt.Sprint("c", total), "k", 1))
		if end := head(t, follower); end != res.Seq {
			t.Fatalf("the head is %d after %d", end, res.Seq)
		}
	}
	add1()
	for range 3 {
		last := a.goOn(t)
		if end := head(t, follower); end != last {
			t.Fatalf("the head is %d after the last group %d", end, last)
		}
		if end := head(t, s.Open(t)); end != last {
			t.Fatalf("the head is %d after the last group %d, from nothing", end, last)
		}
		add1()
		add1()
	}
	a.goOn(t)
	a.goOn(t) // a stream that holds its last group only
	add1()
	if again := a.must(t, add("c1", "k", 1)); again.Events[0].Seq != 2 {
		t.Errorf("a repeat from the first stream: %+v", again)
	}
	for range total {
		select {
		case <-fed:
		case <-patiently(t).Done():
			t.Fatal("the feed does not go on")
		}
	}
	if err := f.CatchUp(ctx); err != nil {
		t.Error(err)
	}
	if sum := s.whole(t); sum != total {
		t.Errorf("%d stored, want %d", sum, total)
	}
	a.stop()
	join(t, s, "b").want(t, "k", total)
}

func testContinuedUnderLoad(t *testing.T, s Streams) {
	leases, peers := memory.NewLeases(), memory.NewPeers()
	writers := []member{join(t, s, "a"), join(t, s, "b")}
	watcher := start(t, setup{log: s.Open(t), lease: leases.Lease("TEST", "watcher"), peers: peers})
	follower := start(t, setup{log: s.Open(t), lease: leases.Lease("TEST", "follower"), peers: peers})
	const callers, each, limit = 8, 30, 150
	var accepted, done int64
	var mu sync.Mutex
	half := make(chan struct{})
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				_, err := writers[(c+i)%2].Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint(c, "-", i), Body: Command{Key: "k", Add: 1, Max: limit}})
				if err != nil && !errors.As(err, new(*es.Refusal)) {
					t.Errorf("%d-%d: %v", c, i, err)
				}
				mu.Lock()
				if err == nil {
					accepted++
				}
				if done++; done == callers*each/4 {
					close(half)
				}
				mu.Unlock()
			}
		})
	}
	<-half
	writers[0].goOn(t)
	writers[1].goOn(t)
	all.Wait()
	if accepted != limit {
		t.Errorf("%d accepted, want %d", accepted, limit)
	}
	for _, r := range []*replica{writers[0].replica, writers[1].replica, watcher, follower} {
		if err := r.Sync(patiently(t)); err != nil {
			t.Fatal(err)
		}
		r.want(t, "k", limit)
	}
	if sum := s.whole(t); sum != limit {
		t.Errorf("%d stored, want %d", sum, limit)
	}
}

func testCrashBetweenSteps(t *testing.T, s Streams) {
	for step := range len(s.Steps) + 1 {
		a := join(t, s, fmt.Sprint("a", step))
		a.must(t, add(fmt.Sprint("before", step), "k", 1))
		last := a.goOn(t)
		a.stop()
		if step > 0 {
			s.Steps[step-1](t)
		}
		if end := head(t, s.Open(t)); end != last {
			t.Fatalf("step %d: the head is %d after the last group %d", step, end, last)
		}
		b := join(t, s, fmt.Sprint("b", step))
		b.must(t, add(fmt.Sprint("after", step), "k", 1))
		b.want(t, "k", int64(2*step+2))
		b.stop()
	}
	if sum := s.whole(t); sum != int64(2*len(s.Steps)+2) {
		t.Errorf("%d stored", sum)
	}
}

func testStaleStream(t *testing.T, s Streams) {
	stale := &Faulty{Log: s.Open(t)}
	a := start(t, setup{log: stale, lease: memory.NewLease("a")})
	a.must(t, add("c1", "k", 1))
	paused, wake := make(chan struct{}), make(chan struct{})
	stale.Next(func(_ context.Context, after uint64, group []byte) error {
		close(paused)
		<-wake
		return stale.Log.Append(context.Background(), after, group)
	})
	answered := make(chan error, 1)
	go func() {
		_, err := a.Submit(context.Background(), add("c2", "k", 1))
		answered <- err
	}()
	<-paused
	b := join(t, s, "b")
	b.must(t, add("c3", "k", 1))
	b.goOn(t)
	b.must(t, add("c4", "k", 1))
	b.goOn(t)
	b.must(t, add("c5", "k", 1))
	close(wake)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	a.want(t, "k", 5)
	a.must(t, add("c6", "k", 1))
	b.must(t, add("c7", "k", 1))
	if sum := s.whole(t); sum != 7 {
		t.Errorf("%d stored, want 7", sum)
	}
}

func testStaleStreamDoesNotRefuse(t *testing.T, s Streams) {
	a, b := join(t, s, "a"), join(t, s, "b")
	for i := range int64(5) {
		a.must(t, add(fmt.Sprint("up", i), "k", 5))
		b.must(t, add(fmt.Sprint("first", i), "k", -4))
		b.goOn(t)
		b.must(t, add(fmt.Sprint("then", i), "k", -1))
		// a still believes that k is 5.
		if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("new", i), Body: Command{Key: "k", Add: 1, Max: 1}}); err != nil {
			t.Fatalf("refused from stale state: %v", err)
		}
		a.must(t, add(fmt.Sprint("down", i), "k", -1))
	}
	a.want(t, "k", 0)
}

func testBehindTheLast(t *testing.T, s Streams) {
	if s.Behind == nil {
		return
	}
	a := join(t, s, "a")
	a.must(t, add("c1", "k", 1))
	group, err := s.Open(t).Read(patiently(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	last := a.goOn(t)
	a.stop()
	s.Behind(t, last, group)
	s.Behind(t, last+1, group)
	b := join(t, s, "b")
	b.want(t, "k", 1)
	b.must(t, add("c2", "k", 1))
	c := join(t, s, "c")
	c.want(t, "k", 2)
	if sum := s.whole(t); sum != 2 {
		t.Errorf("%d stored, want 2", sum)
	}
}

func testHeadAcrossStreams(t *testing.T, s Streams) {
	store := func() ledger.Store { return ledger.Store{Log: s.Open(t), Heads: s.Heads} }
	for range 3 {
		Fill(t, store(), 10)
		m := join(t, s, "m")
		m.goOn(t)
		m.stop()
	}
	if n, err := Recover(t, store()); err != nil || n != 30 {
		t.Fatalf("%d of 30, %v", n, err)
	}
}
