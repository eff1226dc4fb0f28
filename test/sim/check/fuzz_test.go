package check

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

// FuzzReadLog: of a log in which nothing is found, every group is readable, holds the hash of the one before, and every
// entry of it is read.
func FuzzReadLog(f *testing.F) {
	entry, err := proto.Marshal(&cohostv1.Entry{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: "a"}}})
	if err != nil {
		f.Fatal(err)
	}
	group := func(previous []byte, decisions ...*ledgerv1.Decision) []byte {
		b, err := proto.Marshal(&ledgerv1.Group{Version: 1, Previous: previous, Decisions: decisions})
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	first := group(nil, &ledgerv1.Decision{CommandId: "c", AtMs: 5, Entries: [][]byte{entry}})
	sum := sha256.Sum256(first)
	f.Add(first, group(sum[:], &ledgerv1.Decision{CommandId: "d", AtMs: 6, Entries: [][]byte{entry, entry}}))
	f.Add(first, group(sum[:], &ledgerv1.Decision{CommandId: "c", AtMs: 4, Entries: [][]byte{{0xff}}}))
	f.Add(first, first)
	f.Add([]byte{0x0a}, []byte{})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var found Findings
		all := readLog(&found, "LOG", [][]byte{first, second}, func() *cohostv1.Entry { return new(cohostv1.Entry) })
		if len(found) > 0 {
			return
		}
		read, there := 0, 0
		for _, d := range all {
			read += len(d.entries)
		}
		var previous []byte
		for _, raw := range [][]byte{first, second} {
			g := new(ledgerv1.Group)
			if err := proto.Unmarshal(raw, g); err != nil || !bytes.Equal(g.GetPrevious(), previous) {
				t.Fatalf("nothing is found in % x: %v", raw, err)
			}
			sum := sha256.Sum256(raw)
			previous = sum[:]
			for _, d := range g.GetDecisions() {
				there += len(d.GetEntries())
				for _, b := range d.GetEntries() {
					if err := proto.Unmarshal(b, new(cohostv1.Entry)); err != nil {
						t.Fatalf("nothing is found in % x: %v", b, err)
					}
				}
			}
		}
		if read != there {
			t.Fatalf("%d entries are read of %d", read, there)
		}
	})
}
