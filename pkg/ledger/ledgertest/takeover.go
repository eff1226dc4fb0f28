package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// RunTakeover has three replicas share a log by the leases and peers that join makes: one writes at a time, the others
// forward to it, and when it stops, or dies without a word, another takes over and nothing is lost or done twice.
func RunTakeover(t *testing.T, log ledger.Log, join func(replica string) (ledger.Lease, ledger.Peers)) {
	var writing, most atomic.Int32
	during := func(ctx context.Context) {
		if n := writing.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-ctx.Done()
		writing.Add(-1)
	}
	var replicas []*replica
	var dead atomic.Bool
	for i := range 3 {
		lease, peers := join(fmt.Sprint("r", i))
		if i == 0 {
			lease = &mortal{Lease: lease, dead: &dead}
		}
		replicas = append(replicas, start(t, setup{log: log, lease: lease, peers: peers, during: during}))
	}
	const each = 20
	var total int64
	work := func(phase string, on []*replica) {
		for i := range each {
			r := on[i%len(on)]
			r.must(t, add(fmt.Sprint(phase, i), "k", 1))
			total++
			r.want(t, "k", total)
		}
	}
	work("all", replicas)
	dead.Store(true) // the lease is neither renewed nor released
	replicas[0].stop()
	work("first gone", replicas[1:])
	replicas[1].stop()
	work("second gone", replicas[2:])
	if !replicas[2].Writes() {
		t.Error("the last replica does not write")
	}
	if n := most.Load(); n != 1 {
		t.Errorf("%d replicas wrote at the same time", n)
	}
	checkChain(t, log)
}

// mortal is a lease whose replica can die.
type mortal struct {
	ledger.Lease
	dead *atomic.Bool
}

func (m *mortal) Hold(ctx context.Context) (string, error) {
	if m.dead.Load() {
		return "", errors.New("dead")
	}
	return m.Lease.Hold(ctx)
}

func (m *mortal) Release(ctx context.Context) error {
	if m.dead.Load() {
		return nil
	}
	return m.Lease.Release(ctx)
}
