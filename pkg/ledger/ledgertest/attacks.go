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

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// What follows attacks what went wrong once.

func testLostReadReply(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	log.LoseReads(1)
	log.Next(log.LoseAnswer)
	a.must(t, add("c1", "k", 1))
	a.must(t, add("c2", "k", 1))
	a.want(t, "k", 2)
}

func testRefusedElsewhere(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	a.must(t, add("c0", "k", 1))
	paused, wake := make(chan struct{}), make(chan struct{})
	log.Next(func(_ context.Context, after uint64, group []byte) error {
		close(paused)
		<-wake
		return log.Log.Append(context.Background(), after, group)
	})
	command := ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 1, Max: 5}}
	ctx, giveUp := context.WithCancel(patiently(t))
	gaveUp := make(chan error)
	go func() {
		_, err := a.Submit(ctx, command)
		gaveUp <- err
	}()
	<-paused
	giveUp()
	if err := <-gaveUp; !errors.Is(err, ledger.ErrUnavailable) {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	b.must(t, add("c2", "k", 4))
	_, err := b.Submit(patiently(t), command)
	wantRefused(t, err, "FULL")
	b.must(t, add("c3", "k", -4))
	close(wake)
	a.must(t, add("c4", "j", 1))
	a.want(t, "k", 1)
}

func testNotStarved(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	ctx, stop := context.WithCancel(patiently(t))
	var busy sync.WaitGroup
	defer busy.Wait()
	defer stop()
	busy.Go(func() {
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := b.Submit(ctx, add(fmt.Sprint("b", i), "b", 1)); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			<-tick.C
		}
	})
	b.waitFor(t, "b", 3)
	for i := range 5 {
		a.must(t, add(fmt.Sprint("a", i), "k", 1))
		_, err := a.Submit(patiently(t), ledger.Command[Command]{Body: Command{Key: "b", Add: 1, Max: 1}})
		wantRefused(t, err, "FULL")
	}
}

func testAnswersAfterJump(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	a.must(t, add("c1", "k", 5))
	a.stop()
	ahead := func() time.Time { return time.Now().Add(time.Hour) }
	b := start(t, setup{log: log, lease: memory.NewLease("b"), wall: ahead})
	b.must(t, add("c2", "j", 1))
	b.must(t, add("c1", "k", 5))
	b.want(t, "k", 5)
}

func testFeedBeforeVoid(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 1))
	after := head(t, log)
	entry, _ := Codec{}.EncodeEvent(Event{Key: "k", Add: 1000})
	raw, err := proto.Marshal(&ledgerv1.Group{Version: 1, Previous: []byte("of another log"), Decisions: []*ledgerv1.Decision{{AtMs: 1, Entries: [][]byte{entry}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Log.Append(patiently(t), after, raw); err != nil {
		t.Fatal(err)
	}
	a.must(t, add("c2", "k", 1))
	feed := ledger.NewFeed(log, Codec{}.DecodeEvent)
	ctx, cancel := context.WithCancel(patiently(t))
	var sum atomic.Int64
	done := make(chan error, 1)
	go func() {
		done <- feed.Run(ctx, after, func(_ context.Context, g ledger.Group[Event]) error {
			for _, e := range g.Events {
				sum.Add(e.Event.Add)
			}
			return nil
		})
	}()
	for feed.CatchUp(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("does not catch up")
		}
	}
	cancel()
	<-done
	if n := sum.Load(); n != 1 {
		t.Fatalf("handed over %d, want 1", n)
	}
}

func testStopInMidAppend(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	publishing, release := make(chan struct{}), make(chan struct{})
	log.Next(func(ctx context.Context, after uint64, group []byte) error {
		close(publishing)
		select {
		case <-release:
			return log.Log.Append(ctx, after, group)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	answered := make(chan error, 1)
	go func() {
		_, err := a.Submit(patiently(t), add("c1", "k", 1))
		answered <- err
	}()
	<-publishing
	go a.stop()
	close(release)
	if err := <-answered; err != nil {
		t.Fatalf("the group landed, its caller was told %v", err)
	}
}

// testLostTail: a follower has read more than the log has after a disaster; it must stop, not go on.
func testLostTail(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	for i := range 9 {
		a.must(t, add(fmt.Sprint("c", i), "k", 1))
	}
	a.stop()
	short := memory.NewLog()
	for seq := uint64(1); seq <= 8; seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		if err := short.Append(patiently(t), seq-1, raw); err != nil {
			t.Fatal(err)
		}
	}
	leases, peers := memory.NewLeases(), memory.NewPeers()
	taken := leases.Lease("TEST", "w")
	if _, err := taken.Hold(patiently(t)); err != nil {
		t.Fatal(err)
	}
	swapped := &swappable{Log: log.Log, change: make(chan struct{})}
	b := launch(t, setup{log: swapped, lease: leases.Lease("TEST", "b"), peers: peers})
	if err := b.WaitApplied(patiently(t), 10); err != nil {
		t.Fatal(err)
	}
	swapped.swap(short)
	w := start(t, setup{log: short, lease: taken, peers: peers})
	for i := range 5 {
		w.must(t, add(fmt.Sprint("n", i), "j", 1))
	}
	select {
	case err := <-b.failed:
		if !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("stopped with %v, want ErrLog", err)
		}
	case <-time.After(patience):
		t.Fatal("follows a log that is not the one it has read")
	}
}

func testDamageWhileWriting(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, during: func(ctx context.Context) { <-ctx.Done() }})
	a.must(t, add("c1", "k", 1))
	if err := log.Log.Append(patiently(t), head(t, log), []byte("no group")); err != nil {
		t.Fatal(err)
	}
	go a.Submit(context.Background(), add("c2", "k", 1)) //nolint:errcheck // its conflict makes the writer read
	select {
	case err := <-a.failed:
		if !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("stopped with %v, want ErrLog", err)
		}
	case <-time.After(patience):
		t.Fatal("goes on with a damaged log")
	}
}

// swappable is a log that becomes another one.
type swappable struct {
	mu     sync.Mutex
	change chan struct{}
	ledger.Log
}

func (s *swappable) swap(to ledger.Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Log = to
	close(s.change)
}

func (s *swappable) now() (ledger.Log, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Log, s.change
}

func (s *swappable) Head(ctx context.Context) (uint64, error) {
	log, _ := s.now()
	return log.Head(ctx)
}

func (s *swappable) Read(ctx context.Context, seq uint64) ([]byte, error) {
	log, _ := s.now()
	return log.Read(ctx, seq)
}

func (s *swappable) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	next := from
	until := func(log ledger.Log, change <-chan struct{}) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-change:
				cancel()
			case <-ctx.Done():
			}
		}()
		return log.Tail(ctx, next, func(seq uint64, group []byte) error {
			next = seq + 1
			return handle(seq, group)
		})
	}
	log, change := s.now()
	if err := until(log, change); ctx.Err() != nil || !errors.Is(err, context.Canceled) {
		return err
	}
	log, _ = s.now()
	return until(log, nil)
}
