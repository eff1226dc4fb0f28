package codec_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
)

// FuzzEvent: an entry that is read is written as the same event, in bytes that stay the same.
func FuzzEvent(f *testing.F) {
	for _, row := range golden {
		b, err := hex.DecodeString(row.bytes)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x7a, 0x02, 0x18, 0x63}) // somebody left for reason 99
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip(t, b, codec.Codec{}.DecodeEvent, codec.Codec{}.EncodeEvent) })
}

// FuzzCommand: as FuzzEvent, for what replicas send each other; and who left has not joined.
func FuzzCommand(f *testing.F) {
	for _, m := range []*battlev1.Command{
		{NewBattleId: "b1", Command: &battlev1.Command_RequestBattle{RequestBattle: &battlev1.RequestBattleRequest{
			InviterLiveId: "a", TargetUserIds: []string{"u"}, TimeoutSeconds: -1, Config: &battlev1.BattleConfig{DurationSeconds: -1 << 31, Mode: 99},
		}}},
		{NewBattleId: "b2", Command: &battlev1.Command_Rematch{Rematch: &battlev1.RematchRequest{
			BattleId: "b1", LiveId: "a", TimeoutSeconds: 1 << 30, Config: &battlev1.BattleConfig{PunishmentSeconds: -1 << 31, BestOf: -1},
		}}},
		{Command: &battlev1.Command_RejectBattle{RejectBattle: &battlev1.RejectBattleRequest{BattleId: "b1", LiveId: "b", Reason: "later"}}},
		{Command: &battlev1.Command_ReportOpened{ReportOpened: &battlev1.ReportOpenedRequest{BattleId: "b1", Partition: -1, Sequence: 1 << 63}}},
		{Command: &battlev1.Command_ReportClosed{ReportClosed: &battlev1.ReportClosedRequest{
			Total: -1, TopGifters: []*battlev1.Gifter{{Points: 1}}, Proof: &battlev1.ClosingProof{ChainHash: []byte{1}},
		}}},
		{Command: &battlev1.Command_ReadCohost_{ReadCohost: &battlev1.Command_ReadCohost{Sequence: 9, Facts: []*battlev1.Command_Fact{
			{Fact: &battlev1.Command_Fact_Joined{Joined: &battlev1.Entry_ConnectionJoined{ConnectionId: "c", LiveId: "a"}}},
			{Fact: &battlev1.Command_Fact_Left{Left: &battlev1.Entry_ConnectionLeft{ConnectionId: "c", LiveId: "a"}}, Reason: battlev1.Entry_UserExited_LOST},
		}}}},
		{Command: &battlev1.Command_ReadCohost_{ReadCohost: &battlev1.Command_ReadCohost{Facts: []*battlev1.Command_Fact{
			{Fact: &battlev1.Command_Fact_Left{Left: &battlev1.Entry_ConnectionLeft{ConnectionId: "c"}}},
		}}}},
		{Command: &battlev1.Command_ReadCohost_{ReadCohost: &battlev1.Command_ReadCohost{Facts: []*battlev1.Command_Fact{{Reason: 99}}}}},
		{Command: &battlev1.Command_EndBattle{EndBattle: &battlev1.EndBattleRequest{BattleId: "b1", LiveId: "a", Reason: "tired"}}},
		{Command: &battlev1.Command_ExtendBattle{ExtendBattle: &battlev1.ExtendBattleRequest{BattleId: "b1", ExtendSeconds: -1}}},
		{Command: &battlev1.Command_VoidBattle{VoidBattle: &battlev1.VoidBattleRequest{BattleId: "b1"}}},
		{Command: &battlev1.Command_Advance_{Advance: &battlev1.Command_Advance{BattleId: "b1"}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, codec.Codec{}.DecodeCommand, codec.Codec{}.EncodeCommand)
		c, err := codec.Codec{}.DecodeCommand(b)
		if read, ok := c.(battle.ReadCohost); ok && err == nil {
			m := new(battlev1.Command)
			if err := proto.Unmarshal(b, m); err != nil {
				t.Fatal(err)
			}
			for i, fact := range m.GetReadCohost().GetFacts() {
				if (fact.GetLeft() != nil) != (read.Facts[i].Left != 0) || fact.GetFact() == nil {
					t.Fatalf("%v is %+v", fact, read.Facts[i])
				}
			}
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
