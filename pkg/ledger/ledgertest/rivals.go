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

// Several replicas, whether or not they know of each other.

func testTwoWriters(t *testing.T, log *Faulty) {
	writers := []*replica{start(t, setup{log: log, lease: memory.NewLease("a")}), start(t, setup{log: log, lease: memory.NewLease("b")})}
	const callers, each, limit = 8, 40, 200
	var accepted atomic.Int64
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				id := fmt.Sprint("c", c, "-", i)
				cmd := ledger.Command[Command]{ID: id, Body: Command{Key: "k", Add: 1, Max: limit}}
				res, err := writers[(c+i)%2].Submit(patiently(t), cmd)
				// The same command again through the other writer: the same answer.
				again, errAgain := writers[(c+i+1)%2].Submit(patiently(t), cmd)
				if err == nil {
					accepted.Add(1)
					if errAgain != nil || again.Events[0] != res.Events[0] {
						t.Errorf("%s: first %+v, again %+v %v", id, res, again, errAgain)
					}
				} else if !errors.As(err, new(*es.Refusal)) || !errors.As(errAgain, new(*es.Refusal)) {
					t.Errorf("%s: %v, again %v", id, err, errAgain)
				}
			}
		})
	}
	all.Wait()
	if n := accepted.Load(); n != limit {
		t.Errorf("%d accepted, want %d", n, limit)
	}
	for _, w := range writers {
		if err := w.Sync(patiently(t)); err == nil {
			continue
		}
		t.Error("does not catch up")
	}
	checkChain(t, log)
	start(t, setup{log: log, lease: memory.NewLease("c")}).want(t, "k", limit)
}

func testPausedWriter(t *testing.T, log *Faulty) {
	paused, wake := make(chan struct{}), make(chan struct{})
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	a.must(t, add("c0", "k", 1))
	log.Next(func(_ context.Context, after uint64, group []byte) error {
		close(paused)
		<-wake
		return log.Log.Append(context.Background(), after, group)
	})
	answered := make(chan ledger.Result[Event], 1)
	go func() {
		res, err := a.Submit(context.Background(), ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 10, Max: 11}})
		if err != nil {
			t.Error(err)
		}
		answered <- res
	}()
	<-paused
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	b.must(t, ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 10, Max: 11}})
	close(wake)
	res := <-answered
	if len(res.Events) != 1 {
		t.Fatalf("answer %+v", res)
	}
	a.want(t, "k", 11)
	b.want(t, "k", 11)
	checkChain(t, log)
}

// A group that was sent before a replica takes over must not be stored after it, also when the position that the new
// writer wanted first went to a rival that has sent another since.
func testTakeoverBehindRival(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	wake, late := make(chan struct{}), make(chan error, 1)
	second := &Faulty{Log: log.Log}
	second.Next(func(ctx context.Context, after uint64, group []byte) error {
		a.must(t, add("c1", "k", 1))
		sent := make(chan struct{})
		log.Next(func(_ context.Context, after uint64, group []byte) error {
			close(sent)
			<-wake
			err := log.Log.Append(context.Background(), after, group)
			late <- err
			return err
		})
		go func() { _, _ = a.Submit(context.Background(), add("c2", "k", 1)) }()
		<-sent
		return log.Log.Append(ctx, after, group)
	})
	start(t, setup{log: second, lease: memory.NewLease("b")})
	close(wake)
	if err := <-late; err == nil {
		t.Error("a group that was sent before the takeover was stored after it")
	}
	checkChain(t, log)
}

// Nobody else will decide the deadlines that a rival has set and gone.
func testDeadlineOfRival(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	b.must(t, ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 5, After: 500 * time.Millisecond}})
	b.stop()
	a.waitFor(t, "k", 6)
	checkChain(t, log)
}

func testStaleWriterDoesNotRefuse(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	for _, id := range []string{"c3", ""} {
		a.must(t, add(id+"c1", "k", 5))
		b.must(t, add(id+"c2", "k", -5))
		// a still believes that k is 5.
		if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: id, Body: Command{Key: "k", Add: 1, Max: 5}}); err != nil {
			t.Fatalf("refused from stale state: %v", err)
		}
		a.want(t, "k", 1)
		a.must(t, add(id+"c4", "k", -1))
	}
}

func testForward(t *testing.T, log *Faulty) {
	leases, peers := memory.NewLeases(), memory.NewPeers()
	a := start(t, setup{log: log, lease: leases.Lease("TEST", "a"), peers: peers})
	b := start(t, setup{log: log, lease: leases.Lease("TEST", "b"), peers: peers})
	if !a.Writes() || b.Writes() {
		t.Fatalf("a writes: %v, b writes: %v", a.Writes(), b.Writes())
	}
	first := b.must(t, add("c1", "k", 5))
	b.want(t, "k", 5)
	if again := a.must(t, add("c1", "k", 5)); again.Events[0] != first.Events[0] {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	_, err := b.Submit(patiently(t), ledger.Command[Command]{ID: "c2", Body: Command{Key: "k", Add: 1, Max: 5}})
	wantRefused(t, err, "FULL")
	a.stop() // releases the lease
	b.must(t, add("c3", "k", 1))
	b.want(t, "k", 6)
	if !b.Writes() {
		t.Fatal("b does not write")
	}
	checkChain(t, log)
}
