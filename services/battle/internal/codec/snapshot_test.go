package codec_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
)

// TestSnapshotRecords: every field of every piece is in its record.
func TestSnapshotRecords(t *testing.T) {
	t.Parallel()
	for _, kind := range battle.Pieces {
		t.Run(fmt.Sprintf("%T", kind), func(t *testing.T) {
			t.Parallel()
			filled := reflect.New(reflect.TypeOf(kind))
			estest.Fill(filled.Interface(), nil)
			piece := filled.Elem().Interface().(battle.Piece)
			made, err := codec.Record(piece)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := proto.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			record := new(battlev1.Snapshot)
			if err := proto.Unmarshal(raw, record); err != nil {
				t.Fatal(err)
			}
			back, err := codec.Piece(record)
			if diff := cmp.Diff(piece, back); diff != "" || err != nil {
				t.Errorf("%v (-before +after):\n%s", err, diff)
			}
		})
	}
	if _, err := codec.Piece(new(battlev1.Snapshot)); err == nil {
		t.Error("an unknown record is a piece")
	}
}
