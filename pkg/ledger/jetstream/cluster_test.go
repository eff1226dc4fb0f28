package jetstream_test

import (
	"fmt"
	"sync/atomic"
	"testing"

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
