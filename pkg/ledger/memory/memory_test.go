package memory_test

import (
	"testing"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(*testing.T) ledger.Store {
		return ledger.Store{Log: memory.NewLog(), Heads: memory.NewHeads(), Snapshots: memory.NewSnapshots()}
	})
}

func TestVirtualTime(t *testing.T) {
	t.Parallel()
	ledgertest.RunVirtualTime(t)
}

func TestLease(t *testing.T) {
	t.Parallel()
	leases := memory.NewLeases()
	ledgertest.RunLease(t, func(replica string) ledger.Lease { return leases.Lease("TEST", replica) })
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	leases, peers := memory.NewLeases(), memory.NewPeers()
	ledgertest.RunTakeover(t, memory.NewLog(), func(replica string) (ledger.Lease, ledger.Peers) {
		return leases.Lease("TEST", replica), peers
	})
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	ledgertest.RunGrowth(t, func(_ *testing.T, maxBytes int64) ledgertest.Room {
		log := memory.NewLog()
		log.Limit(uint64(maxBytes))
		return ledgertest.Room{Log: log, Raise: func(_ *testing.T, maxBytes int64) { log.Limit(uint64(maxBytes)) }}
	})
}

// A log in memory has one stream only; a last group is one like any other.
func TestContinued(t *testing.T) {
	t.Parallel()
	ledgertest.RunContinued(t, func(*testing.T) ledgertest.Streams {
		log := memory.NewLog()
		return ledgertest.Streams{Open: func(*testing.T) ledger.Log { return log }, Heads: memory.NewHeads()}
	})
}
