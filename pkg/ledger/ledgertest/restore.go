package ledgertest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// fill is the i-th command of Fill; its group takes some 1.1 kB.
func fill(i int64) ledger.Command[Command] {
	return ledger.Command[Command]{ID: fmt.Sprint("fill", i), Body: Command{Key: "k", Add: 1, Size: 1000}}
}

// Fill has a ledger decide n commands on a store, more than those of earlier calls, and stops it in an orderly way.
func Fill(t *testing.T, s ledger.Store, n int) {
	t.Helper()
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: s.Pace})
	from := a.total("k")
	for i := range int64(n) {
		a.must(t, fill(from+i))
	}
	a.stop()
}

// Snapshot has a ledger decide one command more than Fill has, and returns the group of a snapshot that was made after it.
func Snapshot(t *testing.T, s ledger.Store) (seq uint64) {
	t.Helper()
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often})
	defer a.stop()
	return waitSnapshot(t, s.Snapshots, a.must(t, fill(a.total("k"))).Seq).Seq
}

// Recover starts a replica on a store that Fill has filled, and returns how many of Fill's commands it knows once it is
// ready, or why it stops. What it knows it must answer again as the first time.
func Recover(t *testing.T, s ledger.Store) (int, error) {
	t.Helper()
	a := launch(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: s.Pace})
	defer a.stop()
	select {
	case <-a.ready:
		n := a.total("k")
		if n > 0 {
			a.must(t, fill(n-1))
		}
		a.must(t, add(fmt.Sprint("recovered", n), "other", 1))
		a.want(t, "k", n)
		return int(n), nil
	case err := <-a.failed:
		return 0, err
	case <-time.After(patience):
		return 0, errors.New("neither ready nor stopped")
	}
}

// Continue has the log of a store end its present stream, and stops right after the last group.
func Continue(t *testing.T, s ledger.Store) {
	t.Helper()
	m := join(t, Streams{Open: func(*testing.T) ledger.Log { return s.Log }, Heads: s.Heads}, "r1")
	m.goOn(t)
	m.stop()
}

// Head is what a writer saves of a log when it has come to seq.
func Head(t *testing.T, log string, seq uint64) []byte {
	t.Helper()
	raw, err := proto.Marshal(&ledgerv1.Head{Version: 1, Log: log, Seq: seq, Chain: make([]byte, 32), Writer: "w"})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Follow starts a replica that never writes, waits until it has read all of a store's log, and returns where it tells why
// it stops.
func Follow(t *testing.T, s ledger.Store) <-chan error {
	t.Helper()
	b := launch(t, setup{log: s.Log, heads: s.Heads, lease: held{memory.NewLease("b")}})
	b.waitReady(t)
	return b.failed
}
