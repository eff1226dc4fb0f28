package check

import (
	"strings"
	"testing"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

func TestGoodRun(t *testing.T) {
	t.Parallel()
	r := good().judge(t)
	if !r.Green() || r.Inconclusive != "" {
		t.Errorf("%+v", r)
	}
	if r.Faults != 1 || r.Tried != 11 || r.Acked != 10 || r.Unknown != 0 || r.Calls != 21 || r.Unsure != 2 || r.Settled != 1 || r.Acks[check.CreateLive] != 2 || r.Acks[check.RequestBattle] != 1 {
		t.Errorf("counted %+v", r)
	}
}

// begin returns the record that began the n-th call of a command.
func (s *scene) begin(kind check.Kind, n int) *history.Record {
	for i, r := range s.records {
		if r.F != string(kind) || r.Type != history.Invoke {
			continue
		}
		if n--; n < 0 {
			return &s.records[i]
		}
	}
	panic("there is no such call")
}

// end returns the record that ended the n-th call of a kind; as sets what it says.
func (s *scene) end(f string, n int) *history.Record {
	for _, r := range s.records {
		if r.F != f || r.Type != history.Invoke {
			continue
		}
		if n--; n < 0 {
			for i := range s.records {
				if s.records[i].I == r.I && s.records[i].Type != history.Invoke {
					return &s.records[i]
				}
			}
		}
	}
	panic("there is no such call")
}

// without leaves out all records that are so.
func (s *scene) without(so func(history.Record) bool) {
	var rest []history.Record
	for _, r := range s.records {
		if !so(r) {
			rest = append(rest, r)
		}
	}
	s.records = rest
}

// cut takes the last groups off a log.
func (s *scene) cut(log string, n int) { s.logs[log] = s.logs[log][:len(s.logs[log])-n] }

// Each rule is broken once; the check must find it.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	type plant struct {
		plant func(*scene)
		says  string
	}
	verdicts := func(all ...*scorev1.GiftVerdict) []byte { return encode(call.Verdicts{Verdicts: call.Messages(all)}) }
	answers := map[string]plant{
		"lost gift":            {func(s *scene) { s.gifts(2950, history.OK, "", []*scorev1.GiftVerdict{verdict("g9", counts, 5)}, "g9") }, "lost: gift {x g9}: answered COUNTED, not in the log"},
		"points that are lost": {func(s *scene) { s.gifts(2950, history.OK, "", []*scorev1.GiftVerdict{verdict("g9", counts, 5)}, "g9") }, "lost: battle b1: live x settles with 10 points, its senders were told that 15 count"},
		"lost command": {func(s *scene) {
			s.command(2950, check.EndLive, "9", call.Command{Live: "x"}, history.OK, call.Done{}, "")
		}, "lost: EndLive backend/9 of x"},
		"log cut off":        {func(s *scene) { s.cut(scoreLog, 1) }, "lost: SCORE_00 has 4 groups, it had 5"},
		"gift counted twice": {func(s *scene) { s.write(scoreLog, "", 4000, decided("g1", late, 0)) }, "duplicated: SCORE_00/6: gift {x g1} was decided in group 2"},
		"never sent":         {func(s *scene) { s.write(scoreLog, "", 4000, decided("g9", late, 0)) }, "gift {x g9} is LATE, nobody has sent it"},
		"never sent, counted": {func(s *scene) {
			s.without(func(r history.Record) bool { return r.F == call.SendGifts && r.T/1e6 >= 1900 && r.T/1e6 < 1960 })
		}, "duplicated: battle b1: live x settles with 10 points, sent were gifts for 5"},
		"no answer at all": {func(s *scene) { s.gifts(2950, history.Unknown, "UNAVAILABLE: nobody", nil, "g9") }, "stuck: gift {x g9} gets no answer"},
		"command unanswered": {func(s *scene) {
			s.command(2950, check.EndLive, "9", call.Command{Live: "x"}, history.Unknown, call.Done{}, "")
		}, "stuck: EndLive backend/9 of x gets no answer"},
		"gift refused":       {func(s *scene) { s.gifts(2950, history.Fail, "LIVE_NOT_FOUND: x", nil, "g9") }, "are refused: LIVE_NOT_FOUND"},
		"verdict of another": {func(s *scene) { s.end(call.SendGifts, 1).Res = verdicts(verdict("g2", counts, 5)) }, "gift g1 of x gets the verdict of g2 of x"},
		"verdict left out":   {func(s *scene) { s.end(call.SendGifts, 1).Res = verdicts() }, "1 gifts at 1800 ms get 0 verdicts"},
		"told before stored": {func(s *scene) { s.end(call.SendGifts, 0).Res = verdicts(verdict("g0", counts, 5)) }, "{x g0}"},
		"internal error":     {func(s *scene) { r := s.end(string(check.CreateLive), 1); r.Err = "INTERNAL: internal error" }, "CreateLive 2 at 20 ms: answered INTERNAL"},
		"not authenticated":  {func(s *scene) { s.end(string(check.CreateLive), 1).Err = "UNAUTHENTICATED: no" }, "answered UNAUTHENTICATED"},
		"wrong reason":       {func(s *scene) { s.end(string(check.CreateLive), 3).Err = "LIVE_NOT_FOUND: no" }, "refused with LIVE_NOT_FOUND, which was not so"},
		"refusal not kept": {func(s *scene) {
			s.command(2950, check.CreateLive, "9", call.Command{Live: "x"}, history.Fail, call.Done{}, "LIVE_EXISTS: there")
		}, "lost: CreateLive backend/9 of x: refused with LIVE_EXISTS, not in the log"},
		"another battle": {func(s *scene) {
			s.begin(check.RequestBattle, 0).Val = encode(call.Command{By: "backend", Live: "x", Others: []string{"y"}, Request: call.Request(
				&battlev1.RequestBattleRequest{InviterLiveId: "x", TargetLiveIds: []string{"y"}, Config: &battlev1.BattleConfig{DurationSeconds: 1, BestOf: 3}},
			)})
		}, "RequestBattle backend/7 of x: answered ok, the decision in group 2 does something else"},
		"request of no type": {func(s *scene) {
			s.begin(check.RequestBattle, 0).Val = encode(call.Command{By: "backend", Live: "x", Others: []string{"y"}, Request: []byte(`{"@type":"none"}`)})
		}, "RequestBattle backend/7: "},
		"nobody has asked": {func(s *scene) {
			s.write(cohostLog, "backend/99", 4000, &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: "z"}}})
		}, "nobody has asked for command \"backend/99\""},
		"refused and done": {func(s *scene) {
			r := s.end(string(check.Accept), 0)
			r.Type, r.Err = history.Fail, "INVITATION_ENDED: no"
		}, "refused with INVITATION_ENDED"},
	}
	questions := map[string]plant{
		"stale": {func(s *scene) {
			s.ask(40_100, string(check.AskLive), "x", "", false, &cohostv1.GetLiveResponse{Live: active("")})
		}, "GetLive of x"},
		"stale at rest": {func(s *scene) {
			s.ask(50_110, string(check.AskCoHost), "x", "", true, &cohostv1.GetCoHostStateResponse{State: &cohostv1.CoHostState{LiveId: "x", Status: cohostv1.CoHostState_DISCONNECTED}})
		}, "GetCoHostState of x"},
		"no candidate": {func(s *scene) {
			s.ask(50_110, string(check.AskCandidates), "x", "", true, &cohostv1.ListCandidatesResponse{Candidates: []*cohostv1.Live{{LiveId: "y"}}})
		}, "ListCandidates of x"},
		"another state": {func(s *scene) {
			s.ask(50_110, call.GetLiveState, "x", "", true, &gatewayv1.GetLiveStateResponse{Cohost: &cohostv1.WatchLiveResponse_Snapshot{
				Live: active("k1"), State: &cohostv1.CoHostState{LiveId: "x", Status: cohostv1.CoHostState_DISCONNECTED},
			}})
		}, "GetCoHostState of x"},
		"state without a live": {func(s *scene) { s.ask(50_110, call.GetLiveState, "x", "", true, "LIVE_NOT_FOUND: no") }, "GetLive of x"},
		"refused a state":      {func(s *scene) { s.ask(2950, call.GetLiveState, "x", "", false, "RATE_LIMITED: no") }, "GetLiveState of x: answered RATE_LIMITED"},
		"battle in a state": {func(s *scene) {
			s.ask(50_110, call.GetLiveState, "x", "", true, &gatewayv1.GetLiveStateResponse{
				Cohost: &cohostv1.WatchLiveResponse_Snapshot{Live: active("k1"), State: connected()},
				Battle: &battlev1.WatchLiveResponse_Snapshot{Battle: &battlev1.Battle{BattleId: "b1", Status: battlev1.Battle_RUNNING}},
			})
		}, "GetBattle of b1"},
		"scores in a state": {func(s *scene) {
			s.ask(2100, call.GetLiveState, "x", "", false, &gatewayv1.GetLiveStateResponse{
				Cohost: &cohostv1.WatchLiveResponse_Snapshot{Live: active("k1"), State: connected()}, Scores: scores(11, scorev1.BattleScores_RUNNING, "00:3"),
			})
		}, "GetLiveState: battle b1: live x is told to have 11"},
		"not found":      {func(s *scene) { s.ask(50_210, string(check.AskBattle), "b1", "", true, "BATTLE_NOT_FOUND: no") }, "GetBattle of b1"},
		"refused a look": {func(s *scene) { s.ask(2950, string(check.AskBattle), "b1", "", false, "RATE_LIMITED: no") }, "GetBattle of b1: answered RATE_LIMITED"},
		"another result": {func(s *scene) {
			m := s.ended()
			m.Battle.Result.Lives[0].Score = 5
			s.ask(50_210, string(check.AskBattle), "b1", "", true, m)
		}, "GetBattle of b1"},
		"another receipt": {func(s *scene) {
			s.ask(50_710, string(check.AskGift), "x", "g2", true, &scorev1.GetGiftResponse{Verdict: verdict("g2", late, 0)})
		}, "GetGift of x g2"},
		"no receipt": {func(s *scene) { s.ask(50_710, string(check.AskGift), "x", "g2", true, "GIFT_NOT_FOUND: no") }, "GetGift of x g2"},
		"score never reached": {func(s *scene) {
			s.ask(2100, call.GetBattleScores, "b1", "", false, &scorev1.GetBattleScoresResponse{Scores: scores(11, scorev1.BattleScores_RUNNING, "00:3")})
		}, "GetBattleScores: battle b1: live x is told to have 11"},
		"score of before": {func(s *scene) {
			s.ask(2100, call.GetBattleScores, "b1", "", false, &scorev1.GetBattleScoresResponse{Scores: scores(5, scorev1.BattleScores_RUNNING, "00:3")})
		}, "GetBattleScores: battle b1: live x is told to have 5"},
		"score of nowhere": {func(s *scene) {
			s.ask(2100, call.GetBattleScores, "b1", "", false, &scorev1.GetBattleScoresResponse{Scores: scores(5, scorev1.BattleScores_RUNNING, "7")})
		}, "there is no such place"},
		"scores of another": {func(s *scene) {
			s.ask(2100, call.GetBattleScores, "b2", "", false, &scorev1.GetBattleScoresResponse{Scores: scores(5, scorev1.BattleScores_RUNNING, "00:3")})
		}, "scores of b2: answered"},
		"Redis is ahead": {func(s *scene) {
			s.ask(2150, call.Redis, "b1", "", false, map[string]string{"host-of-x": "10", "host-of-y": "0", "_seq:x": "2.0"})
		}, "Redis: battle b1: live x is told to have 10"},
		"Redis without number": {func(s *scene) {
			s.ask(2150, call.Redis, "b1", "", false, map[string]string{"host-of-x": "10", "_seq:x": "x"})
		}, "_seq:x is \"x\""},
		"Redis final too soon": {func(s *scene) {
			s.ask(2150, call.Redis, "b1", "", false, map[string]string{"host-of-x": "5", "host-of-y": "0", "_seq:x": "2.0", "_status": "CLOSED"})
		}, "in the end"},
		"Redis wrong at rest": {func(s *scene) {
			s.ask(50_510, call.Redis, "b1", "", true, map[string]string{"host-of-x": "5", "host-of-y": "0"})
		}, "Redis at rest: battle b1: live x is told to have 5"},
		"Redis empty at rest": {func(s *scene) { s.ask(50_510, call.Redis, "b1", "", true, map[string]string{}) }, "Redis at rest: battle b1: there is no score for live"},
		"gifters wrong":       {func(s *scene) { s.ask(50_560, call.Gifters, "b1", "x", true, map[string]int64{"fan": 9}) }, "the gifters of live x are told to be map[fan:9]"},
		"gifters not told":    {func(s *scene) { s.end(call.Gifters, 0).Type = history.Unknown }, "stuck: Gifters of b1 x gets no answer at rest"},
		"Redis gone at rest":  {func(s *scene) { s.without(func(r history.Record) bool { return r.F == call.Redis }) }, "Redis at rest: battle b1: there is no score for live"},
		"counted again": {func(s *scene) {
			s.ask(50_610, call.ReplayBattle, "b1", "", true, &scorev1.ReplayBattleResponse{Differences: []string{"a total"}})
		}, "battle b1 counted again:  [a total]"},
		"not booked":          {func(s *scene) { s.call(50_910, call.Book, "x z", nil, history.Unknown, nil, "no") }, "stuck: x z cannot be booked: no"},
		"battle open at rest": {func(s *scene) { s.cut(battleLog, 1) }, "stuck: battle b1 does not end"},
	}
	times := map[string]plant{
		"too early": {func(s *scene) { s.shift(500, 1150, -600) }, "invitation i1 times out: after 4"},
		"too late":  {func(s *scene) { s.shift(500, 1<<40, 6000) }, "invitation i1 times out: after 6"},
	}
	streams := map[string]plant{
		"a gap":          {func(s *scene) { s.told(2999, 62, call.Heard{Context: "battle", Number: 4, Hash: "d"}) }, "event 4 of battle comes, 3 is next"},
		"an event twice": {func(s *scene) { s.told(2999, 62, call.Heard{Context: "battle", Number: 2, Hash: "b"}) }, "event 2 of battle comes, 3 is next"},
		"another event": {func(s *scene) {
			s.told(2998, 61, call.Heard{Context: "battle", Number: 3, Hash: "c"})
			s.told(2999, 62, call.Heard{Context: "battle", Number: 3, Hash: "d"})
		}, "event 3 of battle is another"},
		"two snapshots": {func(s *scene) { s.told(2999, 62, call.Heard{Snapshot: map[string]int64{"cohost": 3}}) }, "a second snapshot"},
		"goes on twice": {func(s *scene) { s.told(2999, 62, call.Heard{Recovered: true}) }, "said to go on, from nothing"},
		"goes on from nothing": {func(s *scene) {
			s.at(2999, history.Record{P: 63, F: call.Watch, Type: history.Invoke, ID: "x", Val: encode(true)})
			s.told(2999, 63, call.Heard{Recovered: true})
		}, "said to go on, from nothing"},
		"before the snapshot": {func(s *scene) {
			s.at(2999, history.Record{P: 63, F: call.Watch, Type: history.Invoke, ID: "x", Val: encode(false)})
			s.told(2999, 63, call.Heard{Context: "battle", Number: 1, Hash: "a"})
		}, "comes before a snapshot"},
		"snapshot of nothing": {func(s *scene) {
			s.at(2999, history.Record{P: 63, F: call.Watch, Type: history.Invoke, ID: "x", Val: encode(false)})
			state := connected()
			state.Connected = append(state.Connected, &cohostv1.Member{LiveId: "z"})
			state.ConnectionId = "k2"
			s.told(2999, 63, call.Heard{Snapshot: map[string]int64{"cohost": 3}, CoHost: call.Message(state)})
		}, "GetCoHostState of x"},
		"scores streamed": {func(s *scene) {
			s.told(2999, 62, call.Heard{Scores: call.Message(scores(9, scorev1.BattleScores_CLOSED, "00:4"))})
		}, "stream of x: battle b1: live x is told to have 9"},
	}
	for _, group := range []map[string]plant{answers, questions, times, streams} {
		for name, x := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := good()
				x.plant(s)
				r := s.judge(t)
				if !strings.Contains(strings.Join(append(r.Details, r.Violations...), "\n"), x.says) {
					t.Errorf("not found; found %q %q", r.Details, r.Violations)
				}
			})
		}
	}
}

// shift moves what happened from some moment on, until another, to earlier or later.
func (s *scene) shift(from, until, by int64) {
	for i := range s.records {
		if t := s.records[i].T / 1e6; t > from && t <= until {
			s.records[i].T += by * 1e6
		}
	}
}

// What is late or old because something was harmed is no finding, nor what a wrong clock explains.
func TestExcused(t *testing.T) {
	t.Parallel()
	for name, excuse := range map[string]func(*scene){
		"late in an outage": func(s *scene) {
			s.shift(500, 1<<40, 6000)
			s.records[indexOf(s, "began")].T = 900 * 1e6
		},
		"early by a wrong clock": func(s *scene) {
			s.shift(500, 1150, -600)
			s.clockFault()
		},
		"not authenticated by a wrong clock": func(s *scene) {
			s.end(string(check.CreateLive), 1).Err = "UNAUTHENTICATED: no"
			s.clockFault()
		},
		"old soon after a fault": func(s *scene) {
			s.ask(15_000, string(check.AskLive), "x", "", false, &cohostv1.GetLiveResponse{Live: active("")})
		},
		"Redis empty in the middle": func(s *scene) { s.ask(2150, call.Redis, "b1", "", false, map[string]string{}) },
		"a battle that is not known yet": func(s *scene) {
			s.ask(1380, string(check.AskBattle), "b1", "", false, "BATTLE_NOT_FOUND: no")
		},
		"a battle that runs": func(s *scene) {
			s.ask(2200, string(check.AskBattle), "b9", "", false, "BATTLE_NOT_FOUND: no")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			excuse(s)
			if r := s.judge(t); !r.Green() {
				t.Errorf("%q %q", r.Details, r.Violations)
			}
		})
	}
}

func indexOf(s *scene, phase string) int {
	for i, r := range s.records {
		if r.P == history.Fault && strings.Contains(string(r.Val), phase) {
			return i
		}
	}
	return -1
}

func (s *scene) clockFault() {
	for i, r := range s.records {
		if r.P == history.Fault {
			s.records[i].Val = []byte(strings.ReplaceAll(string(r.Val), "kill", "clock"))
		}
	}
}

// A run that proves nothing is told apart from one in which nothing was found.
func TestInconclusive(t *testing.T) {
	t.Parallel()
	for why, take := range map[string]func(history.Record) bool{
		"no fault was done":                   func(r history.Record) bool { return r.P == history.Fault },
		"the length of the logs is not known": func(r history.Record) bool { return r.F == call.Heads },
		"it was not brought to rest":          func(r history.Record) bool { return r.F == call.Quiet },
		"no gift was counted":                 func(r history.Record) bool { return r.F == call.SendGifts },
	} {
		s := good()
		s.without(take)
		if r := s.judge(t); r.Inconclusive != why {
			t.Errorf("%q, want %q", r.Inconclusive, why)
		}
	}
	s := good()
	s.logs[battleLog] = s.logs[battleLog][:2]
	if r := s.judge(t); !strings.Contains(r.Inconclusive, "no battle was settled") {
		t.Errorf("%q", r.Inconclusive)
	}
}
