package check

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

const scoreLog = "SCORE_00"

// scene writes a run for tests: history and logs side by side, at times in ms.
type scene struct {
	records []history.Record
	logs    map[string][][]byte
}

func (s *scene) at(ms int64, r history.Record) uint64 {
	r.T = ms * 1e6
	if r.I == 0 {
		r.I = uint64(len(s.records) + 1)
	}
	s.records = append(s.records, r)
	return r.I
}

func encode(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// call is one that begins at some moment and ends 2 ms later. The length of the logs is read 5 ms before and after.
func (s *scene) call(ms int64, f, id string, val any, how string, res any, err string) {
	s.heads(ms - 5)
	i := s.at(ms, history.Record{P: 1, F: f, Type: history.Invoke, ID: id, Val: encode(val)})
	s.at(ms+2, history.Record{I: i, P: 1, F: f, Type: how, ID: id, Res: encode(res), Err: err})
}

// heads reads the length of the logs.
func (s *scene) heads(ms int64) {
	lengths := map[string]uint64{}
	for log, groups := range s.logs {
		lengths[log] = uint64(len(groups))
	}
	i := s.at(ms, history.Record{P: 90, F: call.Heads, Type: history.Invoke})
	s.at(ms+1, history.Record{I: i, P: 90, F: call.Heads, Type: history.OK, Res: encode(lengths)})
}

func (s *scene) command(ms int64, kind check.Kind, key string, c call.Command, how string, done call.Done, err string) {
	c.By = "backend"
	s.call(ms, string(kind), key, c, how, done, err)
}

// ask is a question; the answer is a message, or a text that begins with the reason of a refusal.
func (s *scene) ask(ms int64, f, id, event string, rest bool, answer any) {
	q := call.Question{Event: event, Rest: rest}
	switch a := answer.(type) {
	case proto.Message:
		s.call(ms, f, id, q, history.OK, call.Message(a), "")
	case string:
		s.call(ms, f, id, q, history.Fail, nil, a)
	default:
		s.call(ms, f, id, q, history.OK, a, "")
	}
}

func (s *scene) write(log, id string, at int64, entries ...proto.Message) {
	d := &ledgerv1.Decision{CommandId: id, AtMs: at}
	for _, e := range entries {
		raw, err := proto.Marshal(e)
		if err != nil {
			panic(err)
		}
		d.Entries = append(d.Entries, raw)
	}
	g := &ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{d}}
	if n := len(s.logs[log]); n > 0 {
		sum := sha256.Sum256(s.logs[log][n-1])
		g.Previous = sum[:]
	}
	raw, err := proto.Marshal(g)
	if err != nil {
		panic(err)
	}
	s.logs[log] = append(s.logs[log], raw)
}

// refuse adds a refusal to the last group of a log.
func (s *scene) refuse(log, id string, at int64, reason string) {
	last := len(s.logs[log]) - 1
	g := new(ledgerv1.Group)
	if err := proto.Unmarshal(s.logs[log][last], g); err != nil {
		panic(err)
	}
	g.Decisions = append(g.Decisions, &ledgerv1.Decision{CommandId: id, AtMs: at, Refusal: &ledgerv1.Decision_Refusal{Reason: reason}})
	raw, err := proto.Marshal(g)
	if err != nil {
		panic(err)
	}
	s.logs[log][last] = raw
}

// judge saves the scene and judges it.
func (s *scene) judge(t *testing.T) Report {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, History))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.records {
		if _, err := file.Write(append(encode(r), '\n')); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for log, groups := range s.logs {
		if err := history.WriteGroups(filepath.Join(dir, log), groups); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func gift(id string) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: id, LiveId: "x", GiftId: "rose", Sender: &userv1.User{UserId: "fan"}, Category: scorev1.GiftEvent_BASIC, UnitValue: 1, Count: 1,
		SentAt: timestamppb.New(time.UnixMilli(1000)),
	}
}

func verdict(id string, v scorev1.GiftVerdict_Verdict, points int64) *scorev1.GiftVerdict {
	g := &scorev1.GiftVerdict{EventId: id, LiveId: "x", Verdict: v, Points: points}
	if v != scorev1.GiftVerdict_NO_BATTLE {
		g.BattleId = "b1"
	}
	return g
}

func decided(id string, v scorev1.GiftVerdict_Verdict, points int64) *scorev1.Entry {
	g := gift(id)
	return &scorev1.Entry{Entry: &scorev1.Entry_GiftDecided_{GiftDecided: &scorev1.Entry_GiftDecided{
		LiveId: "x", EventId: id, Verdict: v, Points: points, BattleId: "b1", Sender: g.GetSender(), GiftId: g.GetGiftId(),
		Category: g.GetCategory(), UnitValue: 1, Count: 1, SentAtMs: 1000,
	}}}
}

func (s *scene) gifts(ms int64, how, err string, verdicts []*scorev1.GiftVerdict, ids ...string) {
	var events []*scorev1.GiftEvent
	for _, id := range ids {
		events = append(events, gift(id))
	}
	var res any
	if verdicts != nil {
		res = call.Verdicts{Verdicts: call.Messages(verdicts)}
	}
	s.call(ms, call.SendGifts, "", call.Gifts{Door: "gRPC", Gifts: call.Messages(events)}, how, res, err)
}

func (s *scene) fault(ms int64, kind, phase string) {
	s.at(ms, history.Record{P: history.Fault, F: "fault", Type: history.Info, Val: encode(mark{kind, 0, phase})})
}

// told is a message of a stream of live x to a process.
func (s *scene) told(ms int64, p int, h call.Heard) {
	s.at(ms, history.Record{P: p, F: call.Told, Type: history.Info, ID: "x", Val: encode(h)})
}

const (
	counts   = scorev1.GiftVerdict_COUNTED
	late     = scorev1.GiftVerdict_LATE
	noBattle = scorev1.GiftVerdict_NO_BATTLE
)

func user(live string) *userv1.User { return &userv1.User{UserId: "host-of-" + live} }

// result is the settlement of the battle in a scene.
func (s *scene) result() *battlev1.BattleResult {
	chain := sha256.Sum256(s.logs[scoreLog][2])
	proof := func(gifts int64) *battlev1.ClosingProof {
		return &battlev1.ClosingProof{OpenedSequence: 1, ClosedSequence: 4, ChainHash: chain[:], Gifts: gifts}
	}
	return &battlev1.BattleResult{Lives: []*battlev1.LiveResult{
		{LiveId: "x", UserId: "host-of-x", Score: 10, Rank: 1, MvpUserId: "fan", TopGifters: []*battlev1.Gifter{{User: &userv1.User{UserId: "fan"}, Points: 10}}, Proof: proof(2)},
		{LiveId: "y", UserId: "host-of-y", Rank: 2, Proof: proof(0)},
	}, WinnerLiveIds: []string{"x"}}
}

func (s *scene) ended() *battlev1.GetBattleResponse {
	return &battlev1.GetBattleResponse{Battle: &battlev1.Battle{BattleId: "b1", Status: battlev1.Battle_ENDED, Result: s.result()}}
}

func scores(x int64, status scorev1.BattleScores_Status, seq string) *scorev1.BattleScores {
	return &scorev1.BattleScores{BattleId: "b1", Scores: map[string]int64{"host-of-x": x, "host-of-y": 0}, Seq: seq, Status: status}
}

// good is a run in which nothing is wrong: two lives connect, battle with gifts and part; an invitation times out; there is
// a fault; all is read at rest.
func good() *scene {
	s := &scene{logs: map[string][][]byte{cohostLog: nil, battleLog: nil, scoreLog: nil}}
	const c, b, sc = cohostLog, battleLog, scoreLog
	s.write(c, "backend/1", 1010, &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: "x"}}})
	s.command(10, check.CreateLive, "1", call.Command{Live: "x"}, history.OK, call.Done{}, "")
	s.write(c, "backend/2", 1020, &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: "y"}}})
	s.command(20, check.CreateLive, "2", call.Command{Live: "y"}, history.Unknown, call.Done{}, "UNAVAILABLE: nobody")
	s.command(30, check.CreateLive, "2", call.Command{Live: "y"}, history.OK, call.Done{}, "")
	s.refuse(c, "backend/3", 1040, "LIVE_EXISTS")
	s.command(40, check.CreateLive, "3", call.Command{Live: "y"}, history.Fail, call.Done{}, "LIVE_EXISTS: there")

	// An invitation that times out, then one that is accepted.
	s.write(c, "backend/4", 1050, invited("i1", 2050))
	s.command(50, check.Invite, "4", call.Command{Live: "x", Others: []string{"y"}}, history.OK, call.Done{Accepted: []string{"y"}}, "")
	s.heads(100)
	s.heads(1000)
	s.write(c, "", 2060, answered("i1", cohostv1.Entry_InvitationEnded_TIMED_OUT))
	s.heads(1100)
	s.write(c, "backend/5", 2200, invited("i2", 9000))
	s.command(1200, check.Invite, "5", call.Command{Live: "x", Others: []string{"y"}}, history.OK, call.Done{Accepted: []string{"y"}}, "")
	s.write(c, "backend/6", 2300, answered("i2", cohostv1.Entry_InvitationEnded_ACCEPTED), founded(), joins("x"), joins("y"))
	s.command(1300, check.Accept, "6", call.Command{Live: "y", Others: []string{"x"}}, history.OK, call.Done{}, "")
	s.fault(1310, "kill", "began")
	s.fault(1320, "kill", "done")
	s.fault(1330, "kill", "ended")

	// A battle with gifts.
	participants := []*battlev1.Entry_Participant{{LiveId: "x", Host: user("x")}, {LiveId: "y", Host: user("y")}}
	s.write(b, "", 2310, &battlev1.Entry{Entry: &battlev1.Entry_CohostRead_{CohostRead: &battlev1.Entry_CohostRead{Sequence: 6}}}, copied("x"), copied("y"))
	s.write(
		b, "backend/7", 2400,
		&battlev1.Entry{Entry: &battlev1.Entry_BattleRequested_{BattleRequested: &battlev1.Entry_BattleRequested{BattleId: "b1", Inviter: participants[0], Invitees: participants[1:]}}},
		&battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{BattleId: "b1", StartsAtMs: 2700, EndsAtMs: 3700, Participants: participants}}},
	)
	s.command(1400, check.RequestBattle, "7", call.Command{Live: "x", Others: []string{"y"}}, history.OK, call.Done{Battle: "b1"}, "")
	s.write(sc, "", 2410, &scorev1.Entry{Entry: &scorev1.Entry_BattleRead_{BattleRead: &scorev1.Entry_BattleRead{Sequence: 2}}}, opened("x", participants), opened("y", participants))
	s.write(b, "", 2700, isOpen("x"), isOpen("y"), &battlev1.Entry{Entry: &battlev1.Entry_BattleStarted_{BattleStarted: &battlev1.Entry_BattleStarted{BattleId: "b1"}}})
	s.gifts(1450, history.OK, "", []*scorev1.GiftVerdict{verdict("g0", noBattle, 0)}, "g0")
	s.write(sc, "", 2800, decided("g1", counts, 5))
	s.gifts(1800, history.OK, "", []*scorev1.GiftVerdict{verdict("g1", counts, 5)}, "g1")
	s.write(sc, "", 2900, decided("g2", counts, 5))
	s.gifts(1900, history.Unknown, "DEADLINE_EXCEEDED: no answer", nil, "g2")
	s.gifts(1950, history.OK, "", []*scorev1.GiftVerdict{verdict("g2", counts, 5), verdict("g1", counts, 5)}, "g2", "g1")
	s.ask(2000, call.GetBattleScores, "b1", "", false, &scorev1.GetBattleScoresResponse{Scores: scores(10, scorev1.BattleScores_RUNNING, "00:3")})
	s.ask(2100, call.Redis, "b1", "", false, map[string]string{"host-of-x": "5", "host-of-y": "0", "_seq:x": "2.0", "_seq:y": "3.0", "_status": "RUNNING"})
	s.heads(2600)
	s.write(b, "", 3700, &battlev1.Entry{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{BattleId: "b1", Reason: battlev1.Battle_TIME_OVER}}})
	s.write(sc, "", 3710, closed("x", 10, 2), closed("y", 0, 0))
	s.write(b, "", 3720, reported("x", 10), reported("y", 0), &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{BattleId: "b1", Reason: battlev1.Battle_TIME_OVER, Result: s.result()}}})
	s.write(sc, "", 3900, decided("g3", late, 0))
	s.gifts(2900, history.OK, "", []*scorev1.GiftVerdict{verdict("g3", late, 0)}, "g3")

	// Somebody watches x, twice.
	for i, p := range []int{61, 62} {
		at := int64(2910 + 10*i)
		s.at(at, history.Record{P: p, F: call.Watch, Type: history.Invoke, ID: "x", Val: encode(false)})
		s.told(at+1, p, call.Heard{Snapshot: map[string]int64{"cohost": 3, "battle": 0}, CoHost: call.Message(connected())})
		s.told(at+2, p, call.Heard{Context: "battle", Number: 1, Hash: "a"})
		s.at(at+3, history.Record{P: p, F: call.Watch, Type: history.Invoke, ID: "x", Val: encode(true)})
		s.told(at+4, p, call.Heard{Recovered: true})
		s.told(at+5, p, call.Heard{Context: "battle", Number: 2, Hash: "b"})
		s.told(at+6, p, call.Heard{Scores: call.Message(scores(10, scorev1.BattleScores_CLOSED, "00:4"))})
	}

	// Long after the fault, and at rest.
	s.heads(20_000)
	s.heads(30_000)
	s.ask(40_000, string(check.AskLive), "x", "", false, &cohostv1.GetLiveResponse{Live: active("k1")})
	s.at(50_000, history.Record{F: call.Rest, Type: history.Info})
	s.heads(50_001)
	s.at(50_010, history.Record{F: call.Quiet, Type: history.Info})
	s.ask(50_100, string(check.AskCoHost), "x", "", true, &cohostv1.GetCoHostStateResponse{State: connected()})
	s.ask(50_200, string(check.AskBattle), "b1", "", true, s.ended())
	s.ask(50_300, call.GetBattleScores, "b1", "", true, &scorev1.GetBattleScoresResponse{Scores: scores(10, scorev1.BattleScores_CLOSED, "00:5")})
	s.ask(50_400, call.Redis, "b1", "", true, map[string]string{"_gen": "0"})
	s.ask(50_500, call.Redis, "b1", "", true, map[string]string{"host-of-x": "10", "host-of-y": "0", "_seq:x": "4.1", "_seq:y": "5.0", "_status": "CLOSED"})
	s.ask(50_550, call.Gifters, "b1", "x", true, map[string]int64{"fan": 10})
	s.ask(50_600, call.ReplayBattle, "b1", "", true, &scorev1.ReplayBattleResponse{BattleId: "b1", Equal: true})
	s.ask(50_700, string(check.AskGift), "x", "g2", true, &scorev1.GetGiftResponse{Verdict: verdict("g2", counts, 5)})
	s.ask(50_800, string(check.AskGift), "x", "g0", true, "GIFT_NOT_FOUND: no receipt")
	s.call(50_900, call.Book, "x y", nil, history.OK, nil, "")
	s.heads(51_000)
	s.heads(51_100)
	return s
}

func invited(id string, until int64) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationSent_{InvitationSent: &cohostv1.Entry_InvitationSent{
		InvitationId: id, InviterLiveId: "x", InviteeLiveId: "y", ExpiresAtMs: until,
	}}}
}

func answered(id string, how cohostv1.Entry_InvitationEnded_Ending) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationEnded_{InvitationEnded: &cohostv1.Entry_InvitationEnded{
		InvitationId: id, InviterLiveId: "x", InviteeLiveId: "y", Ending: how,
	}}}
}

func founded() *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_ConnectionStarted_{ConnectionStarted: &cohostv1.Entry_ConnectionStarted{ConnectionId: "k1"}}}
}

func joins(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{ConnectionId: "k1", LiveId: live}}}
}

func copied(live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ConnectionJoined_{ConnectionJoined: &battlev1.Entry_ConnectionJoined{ConnectionId: "k1", LiveId: live}}}
}

func opened(live string, all []*battlev1.Entry_Participant) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveOpened_{LiveOpened: &scorev1.Entry_LiveOpened{
		BattleId: "b1", LiveId: live, StartsAtMs: 2700, EndsAtMs: 3700, Participants: all,
	}}}
}

func closed(live string, total, gifts int64) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveClosed_{LiveClosed: &scorev1.Entry_LiveClosed{BattleId: "b1", LiveId: live, Total: total, Gifts: gifts}}}
}

func isOpen(live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_LiveOpened_{LiveOpened: &battlev1.Entry_LiveOpened{BattleId: "b1", LiveId: live}}}
}

func reported(live string, total int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_LiveClosed_{LiveClosed: &battlev1.Entry_LiveClosed{BattleId: "b1", LiveId: live, Total: total}}}
}

func connected() *cohostv1.CoHostState {
	return &cohostv1.CoHostState{
		LiveId: "x", Status: cohostv1.CoHostState_CONNECTED, ConnectionId: "k1",
		Connected: []*cohostv1.Member{{LiveId: "x", JoinedAt: moment(2300)}, {LiveId: "y", JoinedAt: moment(2300)}},
	}
}

func active(connection string) *cohostv1.Live {
	return &cohostv1.Live{LiveId: "x", Status: cohostv1.Live_ACTIVE, CreatedAt: moment(1010), ConnectionId: connection}
}

func moment(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }
