package ledgertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// runSnapshots attacks starting from a snapshot.
func runSnapshots(t *testing.T, open func(t *testing.T) ledger.Store) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T, ledger.Store)
	}{
		{"a start from a snapshot gives the same state and the same answers", testSnapshot},
		{"a snapshot after one is the same as without it", testSnapshotSame},
		{"a snapshot that cannot be used costs a fold of the log", testBadSnapshot},
		{"a snapshot before the one that cannot be used is used", testSnapshotBefore},
		{"a snapshot of another history costs a fold of the log", testSnapshotOfOtherHistory},
		{"a snapshot beyond the log's end stops who starts", testSnapshotBeyondEnd},
		{"a crash in the middle of a snapshot", testHalfSnapshot},
		{"two snapshots are kept", testSnapshotsKept},
		{"snapshots while commands are decided", testSnapshotsUnderLoad},
		{"a small log has no snapshot", testSnapshotBytes},
		{"a takeover by a replica that started from a snapshot", testSnapshotTakeover},
		{"void groups before and after a snapshot", testSnapshotVoid},
		{"a saved head before and after a snapshot", testSnapshotHead},
		{"snapshots that can be neither made nor read stop nothing", testNoSnapshots},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			attack.run(t, open(t))
		})
	}
}

// often makes a snapshot after every few groups.
var often = ledger.Pace{Bytes: 1, Every: 5 * time.Millisecond}

// waitSnapshot waits until there is a whole snapshot at seq or later, and returns the latest.
func waitSnapshot(t *testing.T, s ledger.Snapshots, seq uint64) ledger.SnapshotID {
	t.Helper()
	ctx := patiently(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, id := range listed(t, s) {
			if id.Seq >= seq && whole(s.Open(ctx, id)) {
				return id
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("no snapshot at %d: %v", seq, listed(t, s))
		}
	}
}

// whole reports whether a snapshot has its end.
func whole(r io.ReadCloser, err error) bool {
	if err != nil {
		return false
	}
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(r)
	for err == nil && len(raw) > 0 {
		size, n := binary.Uvarint(raw)
		if n <= 0 || uint64(len(raw)-n) < size {
			return false
		}
		record := new(ledgerv1.SnapshotRecord)
		if err = proto.Unmarshal(raw[n:n+int(size)], record); record.GetEnd() != nil {
			return true
		}
		raw = raw[n+int(size):]
	}
	return false
}

// listed returns the snapshots there are, latest first.
func listed(t *testing.T, s ledger.Snapshots) []ledger.SnapshotID {
	t.Helper()
	ctx := patiently(t)
	var ids []ledger.SnapshotID
	for err := errors.New("not asked yet"); err != nil; { // a reply may be lost
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		once, done := context.WithTimeout(ctx, patience/10)
		ids, err = s.List(once)
		done()
	}
	slices.SortFunc(ids, func(a, b ledger.SnapshotID) int { return int(b.Seq) - int(a.Seq) })
	return ids
}

// filled has a replica decide n commands, and stops it once there is a snapshot that has them all. It returns that.
func filled(t *testing.T, s ledger.Store, n int) ledger.SnapshotID {
	t.Helper()
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often})
	defer a.stop()
	from := a.total("k")
	var last uint64
	for i := range int64(n) {
		last = a.must(t, add(fmt.Sprint("fill", from+i), "k", 1)).Seq
	}
	return waitSnapshot(t, s.Snapshots, last)
}

func rawSnapshot(t *testing.T, s ledger.Snapshots, id ledger.SnapshotID) []byte {
	t.Helper()
	r, err := s.Open(patiently(t), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func saveSnapshot(t *testing.T, s ledger.Snapshots, seq uint64, raw []byte) ledger.SnapshotID {
	t.Helper()
	id, err := s.Save(patiently(t), seq, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// noticing is a log that remembers from where on it is folded.
type noticing struct {
	ledger.Log
	from atomic.Uint64
}

func (n *noticing) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	n.from.CompareAndSwap(0, from)
	return n.Log.Tail(ctx, from, handle)
}

// wantFrom starts a replica and makes sure that it folds the log from a group on.
func wantFrom(t *testing.T, s ledger.Store, from uint64) *replica {
	t.Helper()
	log := &noticing{Log: s.Log}
	r := start(t, setup{log: log, heads: s.Heads, snapshots: s.Snapshots})
	if got := log.from.Load(); got != from {
		t.Fatalf("the log is folded from %d, want %d", got, from)
	}
	return r
}

func testSnapshot(t *testing.T, s ledger.Store) {
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often})
	first := a.must(t, add("c1", "k", 5))
	a.must(t, ledger.Command[Command]{ID: "later", Body: Command{Key: "due", Add: 1, After: time.Second}})
	a.must(t, add("big", "pad", 1))
	full := ledger.Command[Command]{ID: "full", Body: Command{Key: "pad", Add: 1, Max: 1}}
	_, err := a.Submit(patiently(t), full)
	wantRefused(t, err, "FULL")
	a.must(t, add("less", "pad", -1))
	id := waitSnapshot(t, s.Snapshots, a.must(t, ledger.Command[Command]{ID: "c2", Body: Command{Key: "k", Add: 1, Size: 1000}}).Seq)
	a.stop()
	after := start(t, setup{log: s.Log}) // adds to the tail
	after.must(t, add("c3", "k", 1))
	after.stop()

	b := wantFrom(t, s, id.Seq+1)
	b.want(t, "k", 7)
	b.want(t, "pad", 0)
	_, err = b.Submit(patiently(t), full)
	wantRefused(t, err, "FULL")
	if again := b.must(t, add("c1", "k", 5)); len(again.Events) != 1 || again.Events[0] != first.Events[0] || again.Seq != first.Seq {
		t.Errorf("a repeat of what is in the snapshot got %+v, first %+v", again, first)
	}
	_, err = b.Submit(patiently(t), add("c1", "k", 6))
	wantRefused(t, err, es.ReasonPayloadMismatch)
	b.must(t, add("c3", "k", 1))
	b.want(t, "k", 7)
	b.waitFor(t, "due", 2)
	checkChain(t, s.Log)
}

// testSnapshotSame compares a snapshot of a replica that started from one with that of a replica that folded all.
func testSnapshotSame(t *testing.T, s ledger.Store) {
	filled(t, s, 20)
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often})
	for i := range 20 {
		a.must(t, ledger.Command[Command]{ID: fmt.Sprint("c", i), Body: Command{Key: fmt.Sprint("k", i), Add: 1, After: time.Hour}})
	}
	id := waitSnapshot(t, s.Snapshots, a.Applied())
	a.stop()
	if head(t, s.Log) != id.Seq {
		t.Fatalf("the log ends at %d, the snapshot is of %d", head(t, s.Log), id.Seq)
	}
	all := ledger.Store{Log: copied(t, s.Log, id.Seq, nil), Snapshots: memory.NewSnapshots()}
	b := start(t, setup{log: all.Log, snapshots: all.Snapshots, pace: often})
	other := waitSnapshot(t, all.Snapshots, id.Seq+1) // a group without decisions comes first
	b.stop()
	if got, want := content(t, s.Snapshots, id), content(t, all.Snapshots, other); !slices.Equal(got, want) {
		t.Errorf("from a snapshot:\n%q\nfrom the log:\n%q", got, want)
	}
}

// halves are snapshots that are cut off by a crash.
type halves struct {
	ledger.Snapshots
	crash atomic.Bool
	cut   chan struct{} // closed when the first one is
	once  sync.Once
}

func (h *halves) Save(ctx context.Context, seq uint64, r io.Reader) (ledger.SnapshotID, error) {
	if !h.crash.Load() {
		return h.Snapshots.Save(ctx, seq, r)
	}
	defer h.once.Do(func() { close(h.cut) })
	_, err := h.Snapshots.Save(ctx, seq, io.LimitReader(r, 100))
	return ledger.SnapshotID{}, errors.Join(errLost, err)
}

func testHalfSnapshot(t *testing.T, s ledger.Store) {
	before := filled(t, s, 5)
	half := &halves{Snapshots: s.Snapshots, cut: make(chan struct{})}
	half.crash.Store(true)
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: half, pace: often})
	a.must(t, add("c1", "k", 1))
	await(t, half.cut)
	a.stop()
	if latest := listed(t, s.Snapshots)[0]; latest.Seq <= before.Seq {
		t.Fatalf("nothing is left of the crash: %v", latest)
	}
	b := wantFrom(t, s, before.Seq+1)
	b.want(t, "k", 6)
	b.stop()
	// What the crash has left goes with the next snapshots.
	filled(t, s, 1)
	for _, id := range listed(t, s.Snapshots) {
		if !whole(s.Snapshots.Open(patiently(t), id)) {
			t.Errorf("snapshot %v has no end", id)
		}
	}
}

func testSnapshotsKept(t *testing.T, s ledger.Store) {
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often})
	var before ledger.SnapshotID
	for i := range 5 {
		seq := a.must(t, add(fmt.Sprint("c", i), "k", 1)).Seq
		id := waitSnapshot(t, s.Snapshots, seq)
		if i > 0 && id.Seq <= before.Seq {
			t.Fatalf("%v after %v", id, before)
		}
		before = id
	}
	a.stop() // after it has deleted what it was about to
	if ids := listed(t, s.Snapshots); len(ids) != 2 {
		t.Errorf("there are %v, want two", ids)
	}
}

func testSnapshotsUnderLoad(t *testing.T, s ledger.Store) {
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: ledger.Pace{Bytes: 1, Every: time.Millisecond}})
	var working sync.WaitGroup
	for w := range 8 {
		working.Go(func() {
			for i := range 60 {
				c := add(fmt.Sprintf("%d.%d", w, i), fmt.Sprint("k", (w*7+i)%20), int64(i))
				if i%10 == 9 {
					c.Body.After = time.Duration(1+i) * time.Millisecond
				}
				if _, err := a.Submit(patiently(t), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	waitSnapshot(t, s.Snapshots, a.must(t, add("last", "last", 1)).Seq)
	a.stop()
	end, err := s.Log.Head(patiently(t)) // timers may have brought more
	if err != nil {
		t.Fatal(err)
	}
	still := copied(t, s.Log, end, nil)
	full := start(t, setup{log: still, lease: held{memory.NewLease("w")}})
	some := start(t, setup{log: still, lease: held{memory.NewLease("s")}, snapshots: s.Snapshots})
	if got, want := some.all(), full.all(); !maps.Equal(got, want) {
		t.Errorf("from a snapshot %v, from the log %v", got, want)
	}
}

// all returns all committed counters.
func (r *replica) all() (totals map[string]int64) {
	r.View(func() { totals = maps.Collect(r.counters.totals.All()) })
	return totals
}

func testSnapshotBytes(t *testing.T, s ledger.Store) {
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: ledger.Pace{Bytes: 20_000, Every: time.Millisecond}})
	for i := range 10 {
		a.must(t, add(fmt.Sprint("c", i), "k", 1))
	}
	if ids := listed(t, s.Snapshots); len(ids) != 0 {
		t.Errorf("a log of some 1000 bytes has snapshots: %v", ids)
	}
	a.must(t, ledger.Command[Command]{ID: "big", Body: Command{Key: "k", Add: 1, Size: 20_000}})
	waitSnapshot(t, s.Snapshots, 1)
}

func testSnapshotTakeover(t *testing.T, s ledger.Store) {
	leases, peers := memory.NewLeases(), memory.NewPeers()
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often, lease: leases.Lease("TEST", "a"), peers: peers})
	first := a.must(t, add("c1", "k", 1))
	waitSnapshot(t, s.Snapshots, first.Seq)
	b := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, lease: leases.Lease("TEST", "b"), peers: peers})
	a.must(t, add("c2", "k", 1))
	a.stop()
	b.must(t, add("c3", "k", 1))
	if again := b.must(t, add("c1", "k", 1)); again.Events[0] != first.Events[0] {
		t.Errorf("a repeat got %+v, first %+v", again, first)
	}
	b.want(t, "k", 3)
	b.stop()
	start(t, setup{log: s.Log}).want(t, "k", 3)
	checkChain(t, s.Log)
}

func testSnapshotVoid(t *testing.T, s ledger.Store) {
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: s.Snapshots, pace: often})
	a.must(t, add("c1", "k", 1))
	appendVoid(t, s.Log)
	id := waitSnapshot(t, s.Snapshots, a.must(t, add("c2", "k", 1)).Seq)
	a.stop()
	foreign := appendVoid(t, s.Log)
	b := wantFrom(t, s, id.Seq+1)
	b.want(t, "k", 2)
	b.must(t, add("c3", "k", 1))
	b.stop()
	// A group that goes on from a void one is damage, also when that void one is before the snapshot.
	c := start(t, setup{log: s.Log, snapshots: s.Snapshots, pace: often})
	waitSnapshot(t, s.Snapshots, c.must(t, add("c4", "k", 1)).Seq)
	c.stop()
	sum := sha256.Sum256(foreign)
	raw, err := proto.Marshal(&ledgerv1.Group{Version: 1, Previous: sum[:]})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Log.Append(patiently(t), head(t, s.Log), raw); err != nil {
		t.Fatal(err)
	}
	wantFault(t, launch(t, setup{log: s.Log, snapshots: s.Snapshots}).failed)
}

// appendVoid stores a group that does not follow from the log.
func appendVoid(t *testing.T, log ledger.Log) []byte {
	t.Helper()
	entry, err := Codec{}.EncodeEvent(Event{Key: "k", Add: 1000})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(&ledgerv1.Group{
		Version: 1, Previous: []byte("of another log"), Decisions: []*ledgerv1.Decision{{AtMs: 1, Entries: [][]byte{entry}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(patiently(t), head(t, log), raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

func testSnapshotHead(t *testing.T, s ledger.Store) {
	id := filled(t, s, 9)
	early, _, err := s.Heads.Load(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	Fill(t, ledger.Store{Log: s.Log, Heads: s.Heads}, 9) // the head is behind the snapshot's now
	full := head(t, s.Log)
	if saved := savedHead(t, s.Heads); saved.GetSeq() != full || id.Seq >= full {
		t.Fatalf("head %v, snapshot %v, log %d", saved, id, full)
	}
	b := wantFrom(t, s, id.Seq+1)
	b.want(t, "k", 18)
	b.stop()
	short := copied(t, s.Log, full-1, nil)
	wantStopped(t, launch(t, setup{log: short, heads: s.Heads, snapshots: s.Snapshots}), fmt.Sprint(full-1))

	later := filled(t, s, 9)
	heads := memory.NewHeads() // before the snapshot's
	if _, err := heads.Save(patiently(t), early, 0); err != nil {
		t.Fatal(err)
	}
	c := wantFrom(t, ledger.Store{Log: s.Log, Heads: heads, Snapshots: s.Snapshots}, later.Seq+1)
	c.want(t, "k", 27)
}

// lame are snapshots that cannot be reached.
type lame struct {
	ledger.Snapshots
	asked atomic.Int64
}

func (l *lame) List(context.Context) ([]ledger.SnapshotID, error) {
	l.asked.Add(1)
	return nil, errors.New("not now")
}

func (l *lame) Save(context.Context, uint64, io.Reader) (ledger.SnapshotID, error) {
	l.asked.Add(1)
	return ledger.SnapshotID{}, errors.New("not now")
}

func testNoSnapshots(t *testing.T, s ledger.Store) {
	filled(t, s, 3)
	away := &lame{Snapshots: s.Snapshots}
	a := start(t, setup{log: s.Log, heads: s.Heads, snapshots: away, pace: often})
	a.want(t, "k", 3)
	ctx := patiently(t)
	for i := 0; away.asked.Load() < 4; i++ {
		if ctx.Err() != nil {
			t.Fatal("no snapshot is tried")
		}
		a.must(t, add(fmt.Sprint("c", i), "j", 1))
	}
	a.stop()
	// One that is in the list and gone when it is to be read.
	for _, id := range listed(t, s.Snapshots) {
		if err := s.Snapshots.Delete(patiently(t), id); err != nil {
			t.Fatal(err)
		}
	}
	b := wantFrom(t, s, 1)
	b.want(t, "k", 3)
}
