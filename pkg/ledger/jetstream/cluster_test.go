package jetstream_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// TestConformanceOnThreeNodes runs the suite on streams with three replicas, of which any may lead.
func TestConformanceOnThreeNodes(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	var streams atomic.Int64
	ledgertest.Run(t, func(t *testing.T) ledger.Log {
		n := streams.Add(1)
		js, err := natsjs.New(natstest.Connect(t, servers[n%3]))
		if err != nil {
			t.Fatal(err)
		}
		log, err := jetstream.OpenLog(t.Context(), js, fmt.Sprintf("TEST_%02d", n), fmt.Sprintf("log.test.%02d", n), 3)
		if err != nil {
			t.Fatal(err)
		}
		return log
	})
}
