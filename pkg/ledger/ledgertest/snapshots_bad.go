package ledgertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// content is what a snapshot says, but for where it was made, in order.
func content(t *testing.T, s ledger.Snapshots, id ledger.SnapshotID) (all []string) {
	t.Helper()
	for _, record := range parts(t, rawSnapshot(t, s, id)) {
		if h := record.GetHeader(); h != nil {
			h.Seq, h.Chain = 0, nil
		}
		if record.GetEnd() == nil {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(raw))
		}
	}
	slices.Sort(all)
	return all
}

// parts of a snapshot.
func parts(t *testing.T, raw []byte) (records []*ledgerv1.SnapshotRecord) {
	t.Helper()
	for len(raw) > 0 {
		size, n := binary.Uvarint(raw)
		record := new(ledgerv1.SnapshotRecord)
		if err := proto.Unmarshal(raw[n:n+int(size)], record); err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
		raw = raw[n+int(size):]
	}
	return records
}

// joined is a snapshot of records, the last of which becomes right.
func joined(t *testing.T, records []*ledgerv1.SnapshotRecord) (raw []byte) {
	t.Helper()
	for i, record := range records {
		if i == len(records)-1 && record.GetEnd() != nil {
			sum := sha256.Sum256(raw)
			record.GetEnd().Records, record.GetEnd().Sum = uint64(i), sum[:]
		}
		body, err := proto.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(binary.AppendUvarint(raw, uint64(len(body))), body...)
	}
	return raw
}

func testBadSnapshot(t *testing.T, s ledger.Store) {
	id := filled(t, s, 20)
	good := rawSnapshot(t, s.Snapshots, id)
	if back := joined(t, parts(t, good)); !bytes.Equal(back, good) {
		t.Fatal("a snapshot taken apart and joined is another one")
	}
	header := func(change func(*ledgerv1.SnapshotHeader)) func() []byte {
		return func() []byte {
			records := parts(t, good)
			change(records[0].GetHeader())
			return joined(t, records)
		}
	}
	rows := map[string]func() []byte{
		"nothing":                      func() []byte { return nil },
		"half":                         func() []byte { return good[:len(good)/2] },
		"without its end":              func() []byte { return joined(t, parts(t, good)[:len(parts(t, good))-1]) },
		"more behind the end":          func() []byte { return append(slices.Clone(good), 0) },
		"another version":              header(func(h *ledgerv1.SnapshotHeader) { h.Version++ }),
		"another version of the state": header(func(h *ledgerv1.SnapshotHeader) { h.StateVersion++ }),
		"of another log":               header(func(h *ledgerv1.SnapshotHeader) { h.Log = "OTHER" }),
		"of another group":             header(func(h *ledgerv1.SnapshotHeader) { h.Chain[0] ^= 1 }),
		"named otherwise":              header(func(h *ledgerv1.SnapshotHeader) { h.Seq-- }),
		"half a hash":                  header(func(h *ledgerv1.SnapshotHeader) { h.Chain = h.Chain[:16] }),
		"without a header":             func() []byte { return joined(t, parts(t, good)[1:]) },
		"not what the machine reads": func() []byte {
			records := parts(t, good)
			at := slices.IndexFunc(records, func(r *ledgerv1.SnapshotRecord) bool { return r.GetState() != nil })
			records[at].Record = &ledgerv1.SnapshotRecord_State{State: []byte("no JSON")}
			return joined(t, records)
		},
		"an answer of no part": func() []byte {
			return joined(t, slices.DeleteFunc(parts(t, good), func(r *ledgerv1.SnapshotRecord) bool { return r.GetPart() != nil }))
		},
		"answers behind the state": func() []byte {
			records := parts(t, good)
			at := slices.IndexFunc(records, func(r *ledgerv1.SnapshotRecord) bool { return r.GetAnswer() != nil })
			moved := records[at]
			records = slices.Delete(records, at, at+1)
			return joined(t, slices.Insert(records, len(records)-1, moved))
		},
	}
	for i := 0; i < len(good); i += max(len(good)/24, 1) {
		rows[fmt.Sprintf("byte %d of %d", i, len(good))] = func() []byte {
			bad := slices.Clone(good)
			bad[i] ^= 0x10
			return bad
		}
	}
	for name, spoil := range rows {
		t.Run(name, func(t *testing.T) {
			kept := memory.NewSnapshots()
			saveSnapshot(t, kept, id.Seq, spoil())
			b := wantFrom(t, ledger.Store{Log: s.Log, Snapshots: kept}, 1)
			defer b.stop()
			b.want(t, "k", 20)
		})
	}
}

func testSnapshotBefore(t *testing.T, s ledger.Store) {
	first := filled(t, s, 5)
	raw := rawSnapshot(t, s.Snapshots, first)
	last := filled(t, s, 5)
	kept := memory.NewSnapshots()
	saveSnapshot(t, kept, first.Seq, raw)
	bad := rawSnapshot(t, s.Snapshots, last)
	saveSnapshot(t, kept, last.Seq, bad[:len(bad)-1])
	b := wantFrom(t, ledger.Store{Log: s.Log, Snapshots: kept}, first.Seq+1)
	b.want(t, "k", 10)
}

func testSnapshotOfOtherHistory(t *testing.T, s ledger.Store) {
	id := filled(t, s, 9)
	other := memory.NewLog()
	b := start(t, setup{log: other, lease: memory.NewLease("other")})
	for i := range 20 {
		b.must(t, add(fmt.Sprint("other", i), "k", 2))
	}
	b.stop()
	if head(t, other) < id.Seq {
		t.Fatalf("the other history ends at %d", head(t, other))
	}
	c := wantFrom(t, ledger.Store{Log: other, Snapshots: s.Snapshots}, 1)
	c.want(t, "k", 40)
}

func testSnapshotBeyondEnd(t *testing.T, s ledger.Store) {
	id := filled(t, s, 9)
	short := copied(t, s.Log, id.Seq-1, nil)
	wantStopped(t, launch(t, setup{log: short, snapshots: s.Snapshots}), "TEST", fmt.Sprint(id.Seq-1), fmt.Sprint(id.Seq))
	// One that is damaged is evidence of nothing.
	kept := memory.NewSnapshots()
	raw := rawSnapshot(t, s.Snapshots, id)
	raw[len(raw)/2] ^= 1
	saveSnapshot(t, kept, id.Seq, raw)
	wantFrom(t, ledger.Store{Log: short, Snapshots: kept}, 1)
}
