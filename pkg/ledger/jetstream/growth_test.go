package jetstream_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	ledgertest.RunGrowth(t, func(t *testing.T, maxBytes int64) ledgertest.Room {
		return room(t, natstest.Connect(t, natstest.Start(t)), "TEST_00", 1, maxBytes)
	})
}

func TestGrowthOnThreeNodes(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	var streams atomic.Int64
	ledgertest.RunGrowth(t, func(t *testing.T, maxBytes int64) ledgertest.Room {
		n := streams.Add(1)
		return room(t, natstest.Connect(t, servers[n%3]), fmt.Sprintf("TEST_%02d", n), 3, maxBytes)
	})
}

// room opens a log with a limit, which Apply raises.
func room(t *testing.T, nc *nats.Conn, name string, replicas int, maxBytes int64) ledgertest.Room {
	t.Helper()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	want := jetstream.StreamConfig(name, "log."+strings.ToLower(name), replicas)
	apply := func(t *testing.T, maxBytes int64) {
		t.Helper()
		want.MaxBytes = maxBytes
		if _, err := jetstream.Apply(t.Context(), js, want, jetstream.Keep{}); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, maxBytes)
	return ledgertest.Room{Log: open(t, nc, name, replicas).Log, Raise: apply}
}
