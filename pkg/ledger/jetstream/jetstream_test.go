package jetstream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledger.Store { return open(t, natstest.Connect(t, natstest.Start(t)), "TEST_00", 1) })
}

func TestOpenLogRefusesAnotherStream(t *testing.T) {
	t.Parallel()
	js := connect(t)
	lax := jetstream.StreamConfig("TEST_00", "log.test.00", 1)
	lax.DenyPurge = false
	if _, err := js.CreateStream(t.Context(), lax); err != nil {
		t.Fatal(err)
	}
	_, err := jetstream.OpenLog(t.Context(), js, "TEST_00", "log.test.00", 1)
	if err == nil || !strings.Contains(err.Error(), "deny_purge is false, must be true") {
		t.Fatalf("got %v", err)
	}
	if _, err := jetstream.OpenLog(t.Context(), js, "OTHER_00", "log.other.00", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.OpenLog(t.Context(), js, "OTHER_00", "log.other.00", 1); err != nil {
		t.Fatalf("its own stream, the second time: %v", err)
	}
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	js := connect(t)
	log, err := jetstream.OpenLog(t.Context(), js, "TEST_00", "log.test.00", 1)
	if err != nil {
		t.Fatal(err)
	}
	ledgertest.RunTakeover(t, log, func(replica string) (ledger.Lease, ledger.Peers) {
		lease, err := jetstream.NewLease(t.Context(), js, "TEST_00", replica, 1)
		if err != nil {
			t.Fatal(err)
		}
		return lease, jetstream.NewPeers(js.Conn())
	})
}

func TestLease(t *testing.T) {
	t.Parallel()
	js := connect(t)
	ledgertest.RunLease(t, func(replica string) ledger.Lease {
		lease, err := jetstream.NewLease(t.Context(), js, "TEST_00", replica, 1)
		if err != nil {
			t.Fatal(err)
		}
		return lease
	})
}

// TestClock: the server of these tests has the clock of this machine.
func TestClock(t *testing.T) {
	t.Parallel()
	clock := open(t, natstest.Connect(t, natstest.Start(t)), "TEST_00", 1).Clock
	for range 3 {
		before := time.Now()
		at, err := clock.Time(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if after := time.Now(); at.Before(before.Round(0)) || at.After(after.Round(0)) {
			t.Errorf("told %v between %v and %v", at, before, after)
		}
	}
}

// open opens a log and what is kept beside it as a service does.
func open(t *testing.T, nc *nats.Conn, name string, replicas int) ledger.Store {
	t.Helper()
	stores, err := jetstream.NewStores(nc, replicas)
	if err != nil {
		t.Fatal(err)
	}
	store, err := stores.Open(t.Context(), name, "log."+strings.ToLower(name))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func connect(t *testing.T) natsjs.JetStream {
	t.Helper()
	return streamsOf(t, natstest.Connect(t, natstest.Start(t)))
}

func streamsOf(t *testing.T, nc *nats.Conn) natsjs.JetStream {
	t.Helper()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestLeaseAfterServerRestart: the bucket is in memory and gone with the server; the next to ask makes it again.
func TestLeaseAfterServerRestart(t *testing.T) {
	t.Parallel()
	options := natsd.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0"}
	server, err := natsd.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	options.Addr = strings.TrimPrefix(server.ClientURL(), "nats://")
	nc, err := nats.Connect(server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	a, err := jetstream.NewLease(t.Context(), js, "TEST_00", "a", 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := jetstream.NewLease(t.Context(), js, "TEST_00", "b", 1)
	if err != nil {
		t.Fatal(err)
	}
	hold := func(l ledger.Lease, want string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for {
			once, done := context.WithTimeout(ctx, 500*time.Millisecond)
			holder, err := l.Hold(once)
			done()
			if err == nil && holder == want {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("holder %q, %v; want %q", holder, err, want)
			}
		}
	}
	hold(a, "a")
	hold(b, "a")
	server.Shutdown()
	if server, err = natsd.Start(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	hold(b, "b")
	// a may still believe that it holds the lease, and renew it by its old revision: then b is told.
	once, done := context.WithTimeout(t.Context(), 10*time.Second)
	defer done()
	one, err := a.Hold(once)
	if err != nil {
		t.Fatal(err)
	}
	hold(b, one)
	hold(a, one)
}
