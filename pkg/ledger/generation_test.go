package ledger_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

func TestLast(t *testing.T) {
	t.Parallel()
	g := &ledgerv1.Group{Version: 2, Previous: make([]byte, 32), Writer: "w", Decisions: []*ledgerv1.Decision{
		{CommandId: "c", PayloadHash: 7, AtMs: 9, Entries: [][]byte{{5 << 3, 1}}}, // what looks like the field, inside an entry
	}}
	for _, last := range []bool{false, true} {
		g.Last = last
		raw, err := proto.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		if ledger.Last(raw) != last {
			t.Errorf("last: %v is read as %v", last, !last)
		}
		if ledger.Last(raw[:len(raw)-1]) {
			t.Error("a torn group is read as the last")
		}
	}
	for _, raw := range [][]byte{nil, []byte("nonsense"), {0xff, 0xff}} {
		if ledger.Last(raw) {
			t.Errorf("%q is read as the last", raw)
		}
	}
}
