package codec

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// FuzzEvent: an entry that is read is written as the same event, in bytes that stay the same, and a gift has the verdict
// that stands there.
func FuzzEvent(f *testing.F) {
	for _, row := range golden {
		b, err := hex.DecodeString(row.hex)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, g := range []*scorev1.Entry_GiftDecided{{Verdict: 257}, {Verdict: -1}, {Category: 256 + 4}, {Reason: "NEVER_HEARD_OF"}} {
		b, err := proto.Marshal(&scorev1.Entry{Entry: &scorev1.Entry_GiftDecided_{GiftDecided: g}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, Codec{}.DecodeEvent, Codec{}.EncodeEvent)
		e, err := Codec{}.DecodeEvent(b)
		if g, ok := e.(score.GiftDecided); ok && err == nil {
			m := new(scorev1.Entry)
			if err := proto.Unmarshal(b, m); err != nil {
				t.Fatal(err)
			}
			d := m.GetGiftDecided()
			if int(g.Verdict) != int(d.GetVerdict()) || int(g.Gift.Category) != int(d.GetCategory()) || g.Reason.String() != d.GetReason() {
				t.Fatalf("%v is %+v", d, g)
			}
		}
	})
}

// FuzzCommand: as FuzzEvent, for what replicas send each other; gifts are those of the live.
func FuzzCommand(f *testing.F) {
	for _, c := range []score.Command{
		score.CountGifts{LiveID: "l1", Gifts: []score.Gift{rose}, Fresh: true},
		score.ReadBattle{Position: score.Position{Sequence: 9, Entries: 4}, Facts: []score.Fact{
			score.BattleStarting{BattleID: "b1", StartsAt: t0, EndsAt: t0, RuleSet: "default@1", Participants: people},
			score.BattleEnding{BattleID: "b1", TimeOver: true, EndsAt: t0},
			score.BattleEnded{BattleID: "b1", Settled: true},
		}},
		score.Advance{LiveID: "l1"},
	} {
		b, err := Codec{}.EncodeCommand(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	other, err := proto.Marshal(&scorev1.Command{Command: &scorev1.Command_CountGifts_{CountGifts: &scorev1.Command_CountGifts{
		LiveId: "l2", Gifts: []*scorev1.GiftEvent{toGiftEvent("l1", rose)},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(other)
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip(t, b, Codec{}.DecodeCommand, Codec{}.EncodeCommand) })
}

// FuzzBattleEntry: what an entry of the battle service tells score is the same after it was forwarded.
func FuzzBattleEntry(f *testing.F) {
	for _, m := range []*battlev1.Entry{
		{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{BattleId: "b1", StartsAtMs: 1, EndsAtMs: -1 << 63}}},
		{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{Reason: 99, EndsAtMs: 1}}},
		{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{Result: &battlev1.BattleResult{}}}},
		{Entry: &battlev1.Entry_UserExited_{UserExited: &battlev1.Entry_UserExited{LiveId: "a", Reason: 99}}},
		{Entry: &battlev1.Entry_CohostRead_{}},
		{},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		entry, err := DecodeBattle(b)
		if err != nil {
			return
		}
		fact, err := ToFact(entry)
		if err != nil {
			t.Fatalf("%v was read: %v", entry, err)
		}
		if fact == nil {
			return
		}
		there, err := fromFact(fact)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ToFact(there)
		if diff := cmp.Diff(fact, back); err != nil || diff != "" {
			t.Fatalf("there and back: %v (-want +got):\n%s", err, diff)
		}
	})
}

func roundTrip[T any](t *testing.T, b []byte, decode func([]byte) (T, error), encode func(T) ([]byte, error)) {
	t.Helper()
	got, err := decode(b)
	if err != nil {
		return
	}
	written, err := encode(got)
	if err != nil {
		t.Fatalf("read %+v, which cannot be written: %v", got, err)
	}
	back, err := decode(written)
	if diff := cmp.Diff(got, back); err != nil || diff != "" {
		t.Fatalf("there and back: %v (-want +got):\n%s", err, diff)
	}
	if again, err := encode(back); err != nil || !bytes.Equal(again, written) {
		t.Fatalf("written % x and then % x, %v", written, again, err)
	}
}
