package memory_test

import (
	"testing"
	"testing/synctest"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(*testing.T) ledger.Store {
		return ledger.Store{Log: memory.NewLog(), Heads: memory.NewHeads()}
	})
}

func TestForgetting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, ledgertest.RunForgetting)
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	leases, peers := memory.NewLeases(), memory.NewPeers()
	ledgertest.RunTakeover(t, memory.NewLog(), func(replica string) (ledger.Lease, ledger.Peers) {
		return leases.Lease("TEST", replica), peers
	})
}
