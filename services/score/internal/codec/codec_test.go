package codec

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/gift"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

var (
	t0     = time.UnixMilli(1_800_000_000_123).UTC()
	anna   = score.User{ID: "anna", Name: "Anna", AvatarURL: "https://example.org/a.png"}
	people = []score.Participant{{LiveID: "l1", Host: anna}, {LiveID: "l2", Host: score.User{ID: "ben"}}}
	rose   = score.Gift{
		EventID: "e1", Sender: anna, GiftID: "rose", Category: score.Basic, UnitValue: 10, Count: 3, SentAt: t0, Hash: 0xfeed_face_dead_beef,
	}
)

// golden has one event of each kind with its bytes, which must stay readable for ever.
var golden = []struct {
	event score.Event
	hex   string
}{
	{score.GiftDecided{LiveID: "l1", Gift: rose, Verdict: score.Counted, Points: 150, BattleID: "b1"}, "0a560a026c311202653119efbeaddecefaedfe20012896013202623142270a04616e6e611204416e6e611a1968747470733a2f2f6578616d706c652e6f72672f612e706e674a04726f73655001580a600370fba0f1c2b134"},
	{score.GiftDecided{LiveID: "l1", Gift: score.Gift{EventID: "e2", Category: score.Special, FixedScore: 999, Count: 1, SentAt: t0}, Verdict: score.Rejected, Reason: score.TooOld}, "0a230a026c311202653220053a07544f4f5f4f4c4442005004600168e70770fba0f1c2b134"},
	{score.BattleRead{Position: score.Position{Sequence: 7, Entries: 3}}, "120408071003"},
	{score.LiveOpened{BattleID: "b1", LiveID: "l1", StartsAt: t0, EndsAt: t0.Add(time.Minute), RuleSet: "default@1", Participants: people}, "1a5d0a02623112026c3118fba0f1c2b13420dbf5f4c2b1342a0964656661756c744031322d0a026c3112270a04616e6e611204416e6e611a1968747470733a2f2f6578616d706c652e6f72672f612e706e67320b0a026c3212050a0362656e"},
	{score.BattleStarted{BattleID: "b1", LiveID: "l1"}, "4a080a02623112026c31"},
	{score.LiveExtended{BattleID: "b1", LiveID: "l1", EndsAt: t0}, "5a0f0a02623112026c3118fba0f1c2b134"},
	{score.LiveReopened{BattleID: "b1", LiveID: "l1", EndsAt: t0, Rejoins: 2}, "62110a02623112026c3118fba0f1c2b1342002"},
	{score.CloseScheduled{BattleID: "b1", LiveID: "l1", At: t0}, "420f0a02623112026c3118fba0f1c2b134"},
	{score.LiveClosed{BattleID: "b1", LiveID: "l1", Total: 150, Gifts: 1, Top: []score.Gifter{{User: anna, Points: 150}}}, "223b0a02623112026c31189601222c0a270a04616e6e611204416e6e611a1968747470733a2f2f6578616d706c652e6f72672f612e706e671096012801"},
	{score.LiveTombstoned{BattleID: "b1", LiveID: "l1"}, "2a080a02623112026c31"},
	{score.LiveTombstoned{BattleID: "b1", LiveID: "l1", Plays: true}, "2a0a0a02623112026c311801"},
	{score.LiveVoided{BattleID: "b1", LiveID: "l1"}, "32080a02623112026c31"},
	{score.BattleSettled{BattleID: "b1", LiveID: "l1"}, "3a080a02623112026c31"},
	{score.LiveReported{BattleID: "b1", LiveID: "l1"}, "52080a02623112026c31"},
}

func TestEvents(t *testing.T) {
	t.Parallel()
	tested := map[reflect.Type]bool{}
	for _, g := range golden {
		tested[reflect.TypeOf(g.event)] = true
		b, err := Codec{}.EncodeEvent(g.event)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(b); got != g.hex {
			t.Errorf("%T has other bytes than before\n got %s\nwant %s", g.event, got, g.hex)
		}
		back, err := Codec{}.DecodeEvent(b)
		if diff := cmp.Diff(g.event, back); err != nil || diff != "" {
			t.Errorf("%T: %v (-want +got)\n%s", g.event, err, diff)
		}
	}
	for _, e := range score.Events {
		if !tested[reflect.TypeOf(e)] {
			t.Errorf("%T is not tested", e)
		}
	}
}

func TestUnknownEntries(t *testing.T) {
	t.Parallel()
	unknown := []byte{0xba, 0x06, 0x00} // field 103
	if _, err := (Codec{}).DecodeEvent(unknown); err == nil {
		t.Error("an unknown event was read")
	}
	if _, err := (Codec{}).DecodeCommand(unknown); err == nil {
		t.Error("an unknown command was read")
	}
	if _, err := DecodeBattle(unknown); err == nil {
		t.Error("an unknown entry of the battle service was read")
	}
	for _, b := range [][]byte{{0x0a}, {0xff}} {
		if _, err := (Codec{}).DecodeEvent(b); err == nil {
			t.Errorf("% x was read", b)
		}
	}
}

// FuzzGift compares the encoding by hand with the generated one.
func FuzzGift(f *testing.F) {
	f.Add("l1", "e1", "u", "name", "", "rose", uint64(7), uint8(1), uint8(1), int64(50), "b1", int64(10), int64(1), int64(0), int64(1_800_000_000_000))
	f.Add("", "", "", "", "", "", uint64(0), uint8(5), uint8(0), int64(-1), "", int64(0), int64(0), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, live, id, user, name, url, giftID string, hash uint64, verdict, reason uint8, points int64, battle string, value, count, fixed, sent int64) {
		e := score.GiftDecided{
			LiveID: live, Verdict: score.Verdict(verdict % 6), Points: points, BattleID: battle, Reason: score.Reason(reason % 4),
			Gift: score.Gift{
				EventID: id, Sender: score.User{ID: user, Name: name, AvatarURL: url}, GiftID: giftID, Category: score.Category(verdict % 5),
				UnitValue: value, Count: count, FixedScore: fixed, SentAt: time.UnixMilli(sent % 1e14).UTC(), Hash: hash,
			},
		}
		entry, err := toEntry(e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(entry)
		if err != nil {
			return // not UTF-8: no such gift passes the parser
		}
		got, err := Codec{}.EncodeEvent(e)
		if err != nil || string(got) != string(want) {
			t.Fatalf("got % x, %v\nwant % x", got, err, want)
		}
	})
}

func TestCommands(t *testing.T) {
	t.Parallel()
	event := &scorev1.GiftEvent{}
	if err := proto.Unmarshal(mustMarshal(t, toGiftEvent("l1", rose)), event); err != nil {
		t.Fatal(err)
	}
	parsed, err := gift.Parse(event)
	if err != nil {
		t.Fatal(err)
	}
	commands := []score.Command{
		score.CountGifts{LiveID: "l1", Gifts: []score.Gift{parsed.Gift}, Fresh: true},
		score.ReadBattle{Position: score.Position{Sequence: 9, Entries: 4}, Facts: []score.Fact{
			score.BattleStarting{BattleID: "b1", StartsAt: t0, EndsAt: t0.Add(time.Minute), RuleSet: "default@1", Participants: people},
			score.BattleRuns{BattleID: "b1"},
			score.UserExited{BattleID: "b1", LiveID: "l1"},
			score.UserRejoined{BattleID: "b1", LiveID: "l1", EndsAt: t0, Rejoins: 2},
			score.TotalRecorded{BattleID: "b1", LiveID: "l1"},
			score.BattleEnding{BattleID: "b1", TimeOver: true, EndsAt: t0},
			score.BattleEnding{BattleID: "b1"},
			score.BattleEnded{BattleID: "b1", Settled: true},
			score.BattleEnded{BattleID: "b1"},
		}},
		score.Advance{LiveID: "l1"},
	}
	if len(commands) != len(score.Commands) {
		t.Errorf("%d of %d commands are tested", len(commands), len(score.Commands))
	}
	for _, c := range commands {
		b, err := Codec{}.EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Codec{}.DecodeCommand(b)
		if diff := cmp.Diff(c, back); err != nil || diff != "" {
			t.Errorf("%T: %v (-want +got)\n%s", c, err, diff)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	for _, entry := range []*battlev1.Entry{
		{Entry: &battlev1.Entry_CohostRead_{CohostRead: &battlev1.Entry_CohostRead{}}},
		{Entry: &battlev1.Entry_BattleRequested_{BattleRequested: &battlev1.Entry_BattleRequested{}}},
		{Entry: &battlev1.Entry_LiveOpened_{LiveOpened: &battlev1.Entry_LiveOpened{}}},
	} {
		if fact, err := ToFact(entry); fact != nil || err != nil {
			t.Errorf("%v tells score nothing; got %v, %v", entry, fact, err)
		}
	}
	if _, err := ToFact(&battlev1.Entry{}); err == nil {
		t.Error("an unknown entry was taken for one that tells nothing")
	}
}

func mustMarshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
