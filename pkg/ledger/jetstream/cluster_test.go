package jetstream_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// TestConformanceOnThreeNodes runs the suite on streams with three replicas, of which any may lead.
func TestConformanceOnThreeNodes(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	var streams atomic.Int64
	ledgertest.Run(t, func(t *testing.T) ledger.Store {
		n := streams.Add(1)
		return open(t, natstest.Connect(t, servers[n%3]), fmt.Sprintf("TEST_%02d", n), 3)
	})
}

// TestHeadOfALeaderAlone: a leader that has lost the others goes on believing in itself, but its head is not taken for
// the log's, which may have gone on elsewhere.
func TestHeadOfALeaderAlone(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	js, err := jetstream.New(natstest.Connect(t, servers[0]))
	if err != nil {
		t.Fatal(err)
	}
	log := open(t, js.Conn(), "TEST_00", 3).Log
	if err := log.Append(t.Context(), 0, []byte("group")); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "TEST_00")
	if err != nil {
		t.Fatal(err)
	}
	leader := stream.CachedInfo().Cluster.Leader
	var alone ledger.Log
	for i, s := range servers {
		if fmt.Sprintf("n%d", i+1) == leader {
			alone = open(t, natstest.Connect(t, s), "TEST_00", 3).Log
		}
	}
	for i, s := range servers {
		if fmt.Sprintf("n%d", i+1) != leader {
			s.Shutdown()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := alone.Head(ctx); err != nil && strings.Contains(err.Error(), "no quorum") {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("a head without a quorum is taken for the log's")
		}
	}
}
