package codec_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
)

var _ ledger.Codec[battle.Command, battle.Event] = codec.Codec{}

var (
	at      = time.UnixMilli(1_700_000_000_123).UTC()
	ann     = battle.Participant{LiveID: "a", Host: battle.User{ID: "u1", Name: "Ann", Avatar: "https://a/1.png"}}
	ben     = battle.Participant{LiveID: "b", Host: battle.User{ID: "u2"}}
	terms   = battle.Terms{Duration: 5 * time.Minute, NeedResponse: true, ExtensionInfo: "x", Mode: battle.FreeForAll}
	fan     = battle.Gifter{User: battle.User{ID: "v1", Name: "Fan"}, Points: 40}
	inTeams = battle.Terms{
		Duration: time.Minute, Mode: battle.Teams, RuleSet: "default",
		Teams: []battle.Team{{ID: "red", LiveIDs: []string{"a"}}, {ID: "blue", LiveIDs: []string{"b", "c"}}},
	}
	longer = battle.Subject{Kind: battle.ProposalExtend, By: time.Minute}
	proof  = battle.Proof{Partition: 3, OpenedSequence: 7, OpenedIndex: 1, ClosedSequence: 9, ClosedIndex: 2, ChainHash: []byte{1, 2}, Gifts: 5}
)

// golden holds every kind of event with the bytes that version 1 gives it. Rows are added, never changed.
var golden = []struct {
	event battle.Event
	bytes string
}{
	{battle.CohostRead{Sequence: 300}, "0a0308ac02"},
	{battle.ConnectionJoined{ConnectionID: "c", Live: ann}, "12220a01631201611a1a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e67"},
	{battle.ConnectionLeft{ConnectionID: "c", LiveID: "a"}, "1a060a0163120161"},
	{battle.SessionTaken{LiveID: "a", Session: "s", Fence: 2}, "22080a01611201731802"},
	{battle.LiveEnded{LiveID: "a"}, "2a030a0161"},
	{battle.UserRejoined{BattleID: "b1", LiveID: "a", EndsAt: at, Rejoins: 2}, "c201100a02623112016118fbd095ffbc312002"},
	{battle.BattleRequested{
		BattleID: "b1", ConnectionID: "c", Terms: terms, Inviter: ann, Invitees: []battle.Participant{ben},
		Refused:   []battle.RefusedTarget{{Target: "z", Reason: "NO_VALID_TARGET", Detail: "no"}},
		ExpiresAt: at, TargetsAreUsers: true,
	}, "52620a0262311201631a0a08ac0210011a01782001221f0a0161121a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e672a090a016212040a02753232180a017a120f4e4f5f56414c49445f5441524745541a026e6f38fbd095ffbc314001"},
	{battle.InviteeAnswered{BattleID: "b1", LiveID: "b", Answer: battle.AnswerRejected, Reason: "later"}, "5a100a026231120162180222056c61746572"},
	{battle.BattleStarting{
		BattleID: "b1", StartsAt: at, EndsAt: at.Add(5 * time.Minute), RuleSet: "default@1", Participants: []battle.Participant{ann, ben},
	}, "62490a02623110fbd095ffbc3118dbf8a7ffbc31220964656661756c7440312a1f0a0161121a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e672a090a016212040a027532"},
	{battle.LiveOpened{BattleID: "b1", LiveID: "a", Partition: 3, Sequence: 7, Index: 1}, "6a0d0a026231120161180320072801"},
	{battle.BattleStarted{BattleID: "b1"}, "72040a026231"},
	{battle.UserExited{BattleID: "b1", LiveID: "a", Reason: battle.ExitLost}, "7a090a0262311201611804"},
	{battle.BattleEnding{BattleID: "b1", Reason: battle.EndForfeit, EndsAt: at}, "82010d0a026231100218fbd095ffbc31"},
	{battle.LiveClosed{BattleID: "b1", LiveID: "a", Closing: battle.Closing{Total: 42, TopGifters: []battle.Gifter{fan}, Proof: proof}}, "8a012a0a026231120161182a220d0a090a027631120346616e10282a1008031007180120092802320201023805"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndNeverStarted, Never: battle.NeverAborted}, "9201080a02623110031804"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndTimeOver, Result: &battle.Result{
		Lives: []battle.LiveResult{
			{LiveID: "a", UserID: "u1", Score: 42, Rank: 1, TopGifters: []battle.Gifter{fan}, MVP: "v1", Proof: proof},
			{LiveID: "b", UserID: "u2", Rank: 2, Exited: true},
		},
		Winners: []string{"a"}, SettledAt: at,
	}}, "9201590a026231100122510a300a016112027531182a20012a0d0a090a027631120346616e1028320276314210080310071801200928023202010238050a0d0a0162120275322002380142001a0161220b0880e2cfaa0610c0a9d33a"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndLiveEnded, Result: &battle.Result{Draw: true, SettledAt: at}}, "9201170a0262311004220f1001220b0880e2cfaa0610c0a9d33a"},
	{battle.BattleRequested{
		BattleID: "b1", ConnectionID: "c", Terms: inTeams, Inviter: ann, Invitees: []battle.Participant{ben},
	}, "525a0a0262311201631a25083c20022a080a037265641201612a0c0a04626c7565120162120163320764656661756c74221f0a0161121a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e672a090a016212040a027532"},
	{battle.BattleEnding{BattleID: "b1", Reason: battle.EndTerminated, EndsAt: at, Detail: "spam"}, "8201130a026231100618fbd095ffbc3122047370616d"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndVoided, Detail: "fraud"}, "92010d0a02623110072a056672617564"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndCutShort, Result: &battle.Result{
		Lives:   []battle.LiveResult{{LiveID: "a", UserID: "u1", Score: 42, Rank: 1}, {LiveID: "b", UserID: "u2", Rank: 2}},
		Winners: []string{"a"}, SettledAt: at, WinnerTeams: []string{"red"},
		Teams: []battle.TeamResult{{ID: "red", LiveIDs: []string{"a"}, Score: 42, Rank: 1}, {ID: "blue", LiveIDs: []string{"b"}, Rank: 2, Exited: true}},
	}}, "9201560a0262311005224e0a0d0a016112027531182a200142000a0b0a016212027532200242001a0161220b0880e2cfaa0610c0a9d33a2a0c0a03726564120161182a20012a0d0a04626c7565120162200228013203726564"},
	{battle.ProposalMade{BattleID: "b1", Subject: longer, LiveID: "a", Reason: "more", ExpiresAt: at}, "a2011a0a026231100218e0d4032201612a046d6f726530fbd095ffbc31"},
	{battle.ProposalConsented{BattleID: "b1", Subject: longer, LiveID: "b"}, "aa010d0a026231100218e0d403220162"},
	{battle.ProposalLapsed{BattleID: "b1", Subject: battle.Subject{Kind: battle.ProposalEnd}}, "b201060a0262311001"},
	{battle.BattleExtended{BattleID: "b1", EndsAt: at, By: time.Minute}, "ba010f0a02623110fbd095ffbc3118e0d403"},
	{battle.BattleRequested{
		BattleID: "b1-2", ConnectionID: "c", Terms: battle.Terms{Duration: time.Minute, Mode: battle.FreeForAll, Punishment: 30 * time.Second, BestOf: 3},
		Inviter: ann, RematchOf: "b0", Series: battle.Series{ID: "b1", BestOf: 3, Round: 2, Wins: []battle.Wins{{Side: "a", Rounds: 1}}},
	}, "52490a0462312d321201631a08083c2001381e4003221f0a0161121a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e67520262305a0f0a0262311003180222050a01611001"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndTimeOver, PunishmentEndsAt: at, Series: battle.Series{
		ID: "b1", BestOf: 3, Round: 1, Wins: []battle.Wins{{Side: "a", Rounds: 1}}, NextAt: at.Add(time.Second), Waiting: []string{"a", "b"},
	}}, "92012b0a026231100150fbd095ffbc315a1c0a0262311003180122050a0161100138e3d895ffbc31420161420162"},
	{battle.BattleEnded{BattleID: "b1", Reason: battle.EndTimeOver, Series: battle.Series{ID: "b1", BestOf: 3, Round: 3, End: battle.SeriesMajority, Winner: "a"}}, "9201150a02623110015a0d0a026231100318032801320161"},
	{battle.PunishmentEnded{BattleID: "b1", Reason: battle.PunishmentNewBattle}, "f201060a0262311002"},
	{battle.SeriesExited{BattleID: "b1", LiveID: "a", Reason: battle.ExitLost}, "fa01090a0262311201611804"},
	{battle.SeriesEnded{BattleID: "b1", End: battle.SeriesSidesLeft, Winner: "b"}, "8202090a02623110031a0162"},
	{battle.SeriesEnded{BattleID: "b1", End: battle.SeriesStopped, Detail: "spam"}, "82020c0a026231100422047370616d"},
	{battle.SeriesContinued{BattleID: "b1", NextBattleID: "b1-2"}, "8a020a0a026231120462312d32"},
}

func TestEvents(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for i, row := range golden {
		name := fmt.Sprintf("%T", row.event)
		covered[name] = true
		t.Run(fmt.Sprint(i, name), func(t *testing.T) {
			t.Parallel()
			b, err := codec.Codec{}.EncodeEvent(row.event)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(b); got != row.bytes {
				t.Errorf("bytes\n got %s\nwant %s", got, row.bytes)
			}
			kept, err := hex.DecodeString(row.bytes)
			if err != nil {
				t.Fatal(err)
			}
			back, err := codec.Codec{}.DecodeEvent(kept)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.event, back); diff != "" {
				t.Errorf("there and back (-want +got):\n%s", diff)
			}
		})
	}
	for _, e := range battle.Events() {
		if name := fmt.Sprintf("%T", e); !covered[name] {
			t.Errorf("%s has no row", name)
		}
	}
	if kinds := new(battlev1.Entry).ProtoReflect().Descriptor().Oneofs().ByName("entry").Fields().Len(); len(covered) != kinds {
		t.Errorf("%d kinds of entries are covered, there are %d", len(covered), kinds)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	commands := []battle.Command{
		battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b", "c"}, Terms: terms, Timeout: 30 * time.Second},
		battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetUsers: []string{"u2"}, Terms: battle.Terms{}},
		battle.Rematch{BattleID: "b2", Of: "b1", LiveID: "a", Timeout: 30 * time.Second},
		battle.Rematch{BattleID: "b2", Of: "b1", LiveID: "a", Terms: &terms},
		battle.Rematch{BattleID: "b2", Of: "b1", LiveID: "a", Terms: &battle.Terms{}},
		battle.AcceptBattle{BattleID: "b1", LiveID: "b"},
		battle.RejectBattle{BattleID: "b1", LiveID: "b", Reason: "later"},
		battle.CancelBattleRequest{BattleID: "b1", LiveID: "a"},
		battle.CancelBattleRequest{BattleID: "b1", LiveID: "a", TargetLives: []string{"b"}},
		battle.CancelBattleRequest{BattleID: "b1", LiveID: "a", TargetUsers: []string{"u2"}},
		battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b", "c"}, Terms: inTeams},
		battle.ExitBattle{BattleID: "b1", LiveID: "a"},
		battle.RejoinBattle{BattleID: "b1", LiveID: "a"},
		battle.EndBattle{BattleID: "b1", LiveID: "a", Reason: "tired"},
		battle.ExtendBattle{BattleID: "b1", LiveID: "a", By: time.Minute},
		battle.VoidBattle{BattleID: "b1", Reason: "fraud"},
		battle.LeaveBattle{LiveID: "a", Lost: true},
		battle.ReportOpened{BattleID: "b1", LiveID: "a", Partition: 3, Sequence: 7, Index: 1},
		battle.ReportClosed{BattleID: "b1", LiveID: "a", Closing: battle.Closing{Total: 42, TopGifters: []battle.Gifter{fan}, Proof: proof}, Rejoins: 2},
		battle.ReadCohost{Sequence: 9, Sessions: []battle.SessionFact{{LiveID: "a", Session: "s", Fence: 2}, {LiveID: "b"}}},
		battle.ReadCohost{Sequence: 9, Facts: []battle.ConnectionFact{
			{ConnectionID: "c", Live: ann},
			{ConnectionID: "c", Live: battle.Participant{LiveID: "b"}, Left: battle.ExitLiveEnded},
		}},
		battle.Advance{BattleID: "b1"},
	}
	for _, c := range commands[:len(commands):len(commands)] {
		commands = append(commands, battle.AsHost{LiveID: "a", Session: "s", Command: c})
	}
	covered := map[string]bool{}
	for _, c := range commands {
		covered[fmt.Sprintf("%T", c)] = true
		b, err := codec.Codec{}.EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := codec.Codec{}.DecodeCommand(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Errorf("%T there and back (-want +got):\n%s", c, diff)
		}
	}
	if kinds := new(battlev1.Command).ProtoReflect().Descriptor().Oneofs().ByName("command").Fields().Len(); len(covered) != kinds+1 {
		t.Errorf("%d kinds of commands are covered, there are %d, and AsHost", len(covered), kinds)
	}
}

// What a version does not know stops it; it never guesses.
func TestUnknown(t *testing.T) {
	t.Parallel()
	marshal := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	exited := &battlev1.Entry_UserExited{BattleId: "b1", LiveId: "a", Reason: 99}
	requested := &battlev1.Entry_BattleRequested{Config: &battlev1.BattleConfig{Mode: 99}}
	for name, b := range map[string][]byte{
		"empty":              nil,
		"entry":              {0xfa, 0x3f, 0x00}, // field 1023, no bytes
		"not a message":      {0xff},
		"enum":               marshal(&battlev1.Entry{Entry: &battlev1.Entry_UserExited_{UserExited: exited}}),
		"enum further below": marshal(&battlev1.Entry{Entry: &battlev1.Entry_BattleRequested_{BattleRequested: requested}}),
	} {
		if e, err := (codec.Codec{}).DecodeEvent(b); err == nil {
			t.Errorf("%s: read as %v", name, e)
		}
	}
	for _, b := range [][]byte{nil, {0xff}} {
		if c, err := (codec.Codec{}).DecodeCommand(b); err == nil {
			t.Errorf("command read as %v", c)
		}
	}
	if _, err := (codec.Codec{}).EncodeEvent(nil); err == nil {
		t.Error("no event was encoded")
	}
	if _, err := (codec.Codec{}).EncodeCommand(nil); err == nil {
		t.Error("no command was encoded")
	}
}

// The domain's enums are cast to those of the messages and back.
func TestEnumsHaveTheSameNumbers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		enum   protoreflect.Enum
		values []int32 // the domain's, in the order of the enum's from 1 on
	}{
		{battlev1.BattleConfig_Mode(0), numbers(battle.FreeForAll, battle.Teams, battle.OneVsMany)},
		{battlev1.Battle_Status(0), numbers(battle.PhaseRequested, battle.PhaseStarting, battle.PhaseRunning, battle.PhaseSettling, battle.PhaseEnded)},
		{battlev1.BattleUser_State(0), numbers(battle.Invited, battle.Joined, battle.Rejected, battle.TimedOut, battle.Exited, battle.Cancelled)},
		{battlev1.Entry_InviteeAnswered_Answer(0), numbers(battle.AnswerAccepted, battle.AnswerRejected, battle.AnswerTimedOut, battle.AnswerCancelled)},
		{battlev1.Entry_UserExited_Reason(0), numbers(battle.ExitByHost, battle.ExitLeftConnection, battle.ExitLiveEnded, battle.ExitLost)},
		{battlev1.UserExitBattle_Reason(0), numbers(battle.ExitByHost, battle.ExitLeftConnection, battle.ExitLiveEnded, battle.ExitLost)},
		{battlev1.Battle_EndReason(0), numbers(
			battle.EndTimeOver, battle.EndForfeit, battle.EndNeverStarted, battle.EndLiveEnded, battle.EndCutShort, battle.EndTerminated, battle.EndVoided,
		)},
		{battlev1.Proposal_Kind(0), numbers(battle.ProposalEnd, battle.ProposalExtend)},
		{battlev1.Entry_BattleEnded_Never(0), numbers(battle.NeverRejected, battle.NeverTimedOut, battle.NeverCancelled, battle.NeverAborted)},
		{battlev1.PunishmentEnded_Reason(0), numbers(battle.PunishmentTimeOver, battle.PunishmentNewBattle, battle.PunishmentMembersLeft)},
		{battlev1.Series_EndReason(0), numbers(battle.SeriesMajority, battle.SeriesAllPlayed, battle.SeriesSidesLeft, battle.SeriesStopped)},
	} {
		values := row.enum.Descriptor().Values()
		if values.Len() != len(row.values)+1 {
			t.Errorf("%s has %d values, the domain %d", row.enum.Descriptor().FullName(), values.Len()-1, len(row.values))
			continue
		}
		for i, v := range row.values {
			if want := values.Get(i + 1).Number(); int32(want) != v {
				t.Errorf("%s is %d, the domain's %d", values.Get(i+1).FullName(), want, v)
			}
		}
	}
}

func numbers[E ~int32](values ...E) []int32 {
	var out []int32
	for _, v := range values {
		out = append(out, int32(v))
	}
	return out
}

func TestBattle(t *testing.T) {
	t.Parallel()
	b := battle.Battle{}.
		After(at, battle.BattleRequested{BattleID: "b1", ConnectionID: "c", Terms: terms, Inviter: ann, Invitees: []battle.Participant{ben}, ExpiresAt: at.Add(time.Second)}).
		After(at, battle.InviteeAnswered{BattleID: "b1", LiveID: "b", Answer: battle.AnswerAccepted}).
		After(at, battle.BattleStarting{BattleID: "b1", StartsAt: at, EndsAt: at.Add(time.Minute), RuleSet: "default@1", Participants: []battle.Participant{ann, ben}}).
		After(at, battle.LiveClosed{BattleID: "b1", LiveID: "b", Closing: battle.Closing{Total: 7}})
	m := codec.Battle(b, at)
	if m.GetEndedAt() != nil || m.GetResult() != nil || m.GetEndsAt().AsTime() != at.Add(time.Minute) || m.GetServerNow().AsTime() != at {
		t.Errorf("times of %v", m)
	}
	users := m.GetUsers()
	if len(users) != 2 || users[0].GetUserId() != "u1" || users[0].GetState() != battlev1.BattleUser_JOINED || users[1].GetScore() != 7 {
		t.Errorf("users %v", users)
	}
	if m.GetStatus() != battlev1.Battle_STARTING || m.GetInviterLiveId() != "a" || m.GetConfig().GetDurationSeconds() != 300 {
		t.Errorf("battle %v", m)
	}
}
