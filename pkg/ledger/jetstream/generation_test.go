package jetstream_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

func TestContinued(t *testing.T) {
	t.Parallel()
	ledgertest.RunContinued(t, func(t *testing.T) ledgertest.Streams {
		return streams(t, natstest.Connect(t, natstest.Start(t)), "TEST_00", 1)
	})
}

func TestContinuedOnThreeNodes(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	var logs atomic.Int64
	ledgertest.RunContinued(t, func(t *testing.T) ledgertest.Streams {
		n := logs.Add(1)
		return streams(t, natstest.Connect(t, servers[n%3]), fmt.Sprintf("TEST_%02d", n), 3)
	})
}

// streams opens a log anew for each replica.
func streams(t *testing.T, nc *nats.Conn, name string, replicas int) ledgertest.Streams {
	t.Helper()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	handle := func(t *testing.T) *jetstream.Log {
		t.Helper()
		l, err := jetstream.OpenLog(t.Context(), js, name, "log."+strings.ToLower(name), replicas)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	do := func(step func(*jetstream.Log, *testing.T) error) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if err := step(handle(t), t); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ledgertest.Streams{
		Open:  func(t *testing.T) ledger.Log { return handle(t) },
		Heads: open(t, nc, name, replicas).Heads,
		Steps: []func(*testing.T){
			do(func(l *jetstream.Log, t *testing.T) error { return l.Seal(t.Context()) }),
			do(func(l *jetstream.Log, t *testing.T) error { return l.GoOn(t.Context()) }),
		},
		Behind: func(t *testing.T, last uint64, group []byte) {
			t.Helper()
			if _, err := js.Publish(t.Context(), "log."+strings.ToLower(name), group, natsjs.WithExpectLastSequencePerSubject(last)); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// TestContinuedAcrossRestarts: the server is stopped after each step; an empty stream keeps where it begins.
func TestContinuedAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	up := func(use func(s ledger.Store, log *jetstream.Log)) {
		t.Helper()
		server, err := natsd.Start(natsd.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Shutdown()
		nc := natstest.Connect(t, server)
		defer nc.Close()
		s := open(t, nc, "TEST_00", 1)
		use(s, s.Log.(*jetstream.Log))
	}
	for round := range 2 {
		up(func(s ledger.Store, _ *jetstream.Log) {
			ledgertest.Fill(t, s, 10)
			ledgertest.Continue(t, s)
		})
		up(func(_ ledger.Store, log *jetstream.Log) {
			if err := log.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		up(func(_ ledger.Store, log *jetstream.Log) {
			if err := log.GoOn(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		up(func(s ledger.Store, log *jetstream.Log) {
			if n, err := ledgertest.Recover(t, s); err != nil || n != 10*(round+1) {
				t.Fatalf("%d, %v", n, err)
			}
			all, err := log.Generations(t.Context())
			if err != nil || len(all) != round+2 || all[round].Last+1 != all[round+1].First {
				t.Fatalf("%+v, %v", all, err)
			}
		})
	}
}

// TestSealedStreamTakesNothing: once the log has gone on, the server refuses what is still sent to the stream before.
func TestSealedStreamTakesNothing(t *testing.T) {
	t.Parallel()
	js := connect(t)
	s := open(t, js.Conn(), "TEST_00", 1)
	ledgertest.Fill(t, s, 3)
	ledgertest.Continue(t, s)
	ledgertest.Fill(t, s, 3)
	if ack, err := js.Publish(t.Context(), "log.test_00", []byte("late")); err == nil {
		t.Fatalf("stored at %d", ack.Sequence)
	}
}

// TestHeadWithoutTheSeal: that a stream has ended is known from its last group, whatever its server knows of the seal.
func TestHeadWithoutTheSeal(t *testing.T) {
	t.Parallel()
	js := connect(t)
	s := open(t, js.Conn(), "TEST_00", 1)
	ledgertest.Fill(t, s, 3)
	stale := open(t, js.Conn(), "TEST_00", 1).Log
	if _, err := stale.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledgertest.Continue(t, s)
	subject, err := s.Log.(*jetstream.Log).GoOnUnsealed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ack, err := js.Publish(t.Context(), subject, []byte("group"))
	if err != nil {
		t.Fatal(err)
	}
	if head, err := stale.Head(t.Context()); err != nil || head != ack.Sequence {
		t.Fatalf("the head is %d, %v; want %d", head, err, ack.Sequence)
	}
}
