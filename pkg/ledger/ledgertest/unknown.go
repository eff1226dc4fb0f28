package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// A publish without a clear answer: whatever happened to it, nothing is lost, done twice, or answered too early.

func testLostAnswer(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	log.Next(log.LoseAnswer)
	res := a.must(t, add("c1", "k", 5))
	if len(res.Events) != 1 || res.Seq != head(t, log) {
		t.Fatalf("answer %+v, head %d", res, head(t, log))
	}
	a.want(t, "k", 5)
	checkChain(t, log)
}

func testLostRequest(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	log.Next(log.LoseRequest)
	a.must(t, add("c1", "k", 5))
	a.want(t, "k", 5)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 5)
}

func testDelayedCopyLosesToRetry(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	var after uint64
	var copied []byte
	log.Next(func(_ context.Context, seq uint64, group []byte) error {
		after, copied = seq, group
		return errLost
	})
	a.must(t, add("c1", "k", 5))
	if err := log.Log.Append(patiently(t), after, copied); err == nil {
		t.Fatal("the log took a group at a position that was settled")
	}
	a.must(t, add("c2", "k", 1))
	a.want(t, "k", 6)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 6)
	checkChain(t, log)
}

func testDelayedCopyWins(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	// The first copy is on its way while the writer already tries again, and lands just before the second.
	log.Next(func(_ context.Context, after uint64, first []byte) error {
		log.Next(func(ctx context.Context, again uint64, second []byte) error {
			if again != after {
				return fmt.Errorf("decided again at %d, want %d", again, after)
			}
			if err := log.Log.Append(ctx, after, first); err != nil {
				return err
			}
			return log.Log.Append(ctx, again, second)
		})
		return errLost
	})
	res := a.must(t, add("c1", "k", 5))
	if len(res.Events) != 1 {
		t.Fatalf("answer %+v", res)
	}
	a.want(t, "k", 5)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 5)
	checkChain(t, log)
}

func testNoRefusalWhileContested(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 5))
	// A publish is lost on its way; its caller gives up. A command that would be refused must wait until something stands
	// at the position, because the lost copy could have made room for it.
	lost := make(chan struct{})
	settle := make(chan struct{})
	var after uint64
	var copied []byte
	log.Next(func(_ context.Context, seq uint64, group []byte) error {
		after, copied = seq, group
		log.Next(func(ctx context.Context, again uint64, second []byte) error {
			close(lost)
			<-settle
			if err := log.Log.Append(ctx, after, copied); err != nil {
				return err
			}
			return log.Log.Append(ctx, again, second)
		})
		return errLost
	})
	gaveUp, cancel := context.WithCancel(patiently(t))
	go func() { <-lost; cancel() }()
	if _, err := a.Submit(gaveUp, add("c2", "k", -5)); !errors.Is(err, ledger.ErrUnavailable) {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c3", Body: Command{Key: "k", Add: 1, Max: 5}})
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered at a contested position: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(settle)
	if err := <-answered; err != nil {
		t.Fatalf("refused although there was room: %v", err)
	}
	a.want(t, "k", 1)
}

func testCrashAfterPublish(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	published := make(chan struct{})
	log.Next(func(ctx context.Context, after uint64, group []byte) error {
		err := log.Log.Append(ctx, after, group)
		close(published)
		<-ctx.Done() // the process ends here
		return errors.Join(ctx.Err(), err)
	})
	gone := make(chan error, 1)
	go func() {
		_, err := a.Submit(patiently(t), add("c1", "k", 5))
		gone <- err
	}()
	<-published
	a.stop()
	if err := <-gone; err == nil || errors.As(err, new(*es.Refusal)) {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	b := start(t, setup{log: log})
	res := b.must(t, add("c1", "k", 5))
	if len(res.Events) != 1 {
		t.Fatalf("answer %+v", res)
	}
	b.want(t, "k", 5)
}
