package jetstream_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// harms and harmTime bound TestLeaderHarmed; an election takes 4 to 9 s.
var (
	harms    = flag.Int("harms", 6, "how often TestLeaderHarmed harms the leader of the log")
	harmTime = flag.Duration("harmtime", 40*time.Second, "how long TestLeaderHarmed goes on harming it at most")
)

// TestLeaderHarmed kills the server that leads a log of three replicas, stops it for a while, or cuts it from the others,
// while two writers that do not know of each other each have a group under way at the same position.
func TestLeaderHarmed(t *testing.T) {
	t.Parallel()
	servers := natstest.StartProcesses(t, 3)
	var handles [2]ledger.Store
	for i := range handles {
		handles[i] = openSoon(t, servers.Connect(i), "TEST_00")
	}
	nc := servers.Connect(2)
	ledgertest.RunHarmed(t, handles, *harms, *harmTime, func(round int) (harm, mend func()) {
		leader := leaderOf(t, nc, servers)
		switch round % 3 {
		case 0:
			return func() { servers.Kill(leader) }, func() { servers.Start(leader) }
		case 1:
			return func() { servers.Pause(leader) }, func() { servers.Continue(leader) }
		default:
			return func() { servers.Isolate(leader) }, func() { servers.Rejoin(leader) }
		}
	})
}

// leaderOf waits until somebody leads the log.
func leaderOf(t *testing.T, nc *nats.Conn, servers *natstest.Processes) (leader int) {
	t.Helper()
	await(t, "somebody leads TEST_00", func(ctx context.Context) bool {
		stream, err := streamsOf(t, nc).Stream(ctx, "TEST_00")
		if err != nil || stream.CachedInfo().Cluster == nil {
			return false
		}
		leader = servers.Index(stream.CachedInfo().Cluster.Leader)
		return leader >= 0
	})
	return leader
}
