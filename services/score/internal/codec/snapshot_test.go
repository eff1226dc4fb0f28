package codec_test

import (
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// TestSnapshotRecords: every field of every piece is in its record.
func TestSnapshotRecords(t *testing.T) {
	t.Parallel()
	book, _ := rules.Book(rules.Default)
	for _, kind := range score.Pieces {
		t.Run(fmt.Sprintf("%T", kind), func(t *testing.T) {
			t.Parallel()
			filled := reflect.New(reflect.TypeOf(kind))
			estest.Fill(filled.Interface(), func(v reflect.Value) bool {
				if v.Type() == reflect.TypeFor[score.Rules]() {
					v.Set(reflect.ValueOf(book))
					return true
				}
				return false
			})
			if gifts, ok := filled.Interface().(*score.KeptGifts); ok {
				for i := range gifts.Gifts {
					gifts.Gifts[i].Receipt.Opening = nil // as its docstring says
				}
			}
			piece := filled.Elem().Interface().(score.Piece)
			made, err := codec.Record(piece)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := proto.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			record := new(scorev1.Snapshot)
			if err := proto.Unmarshal(raw, record); err != nil {
				t.Fatal(err)
			}
			if back, err := codec.Piece(record, rules.Book); !reflect.DeepEqual(piece, back) {
				t.Errorf("%v:\n got %+v\nwant %+v", err, back, piece)
			}
		})
	}
	if _, err := codec.Piece(new(scorev1.Snapshot), rules.Book); err == nil {
		t.Error("an unknown record is a piece")
	}
}

// TestSnapshotGiftColumns: columns that do not fit each other are no gifts.
func TestSnapshotGiftColumns(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*scorev1.Snapshot_Gifts){
		"a column too short":         func(g *scorev1.Snapshot_Gifts) { g.Points = nil },
		"a live that is not named":   func(g *scorev1.Snapshot_Gifts) { g.Room[0] = 1 },
		"an id without the others":   func(g *scorev1.Snapshot_Gifts) { g.EventId = append(g.EventId, "e2") },
		"a verdict without a gift":   func(g *scorev1.Snapshot_Gifts) { g.Verdict = append(g.Verdict, 1) },
		"no hash, which is 0 in all": func(g *scorev1.Snapshot_Gifts) { g.PayloadHash = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record, err := codec.Record(score.KeptGifts{Gifts: []score.KeptGift{{LiveID: "l", EventID: "e"}}})
			if err != nil {
				t.Fatal(err)
			}
			spoil(record.GetGifts())
			if _, err := codec.Piece(record, rules.Book); err == nil {
				t.Error("is read")
			}
		})
	}
}
