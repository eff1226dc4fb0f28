package presence

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/test/chaos/fault"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// scene is a run that was never run, of the times of production. Moments are in ms from its start.
type scene struct {
	t *testing.T
	input
	signs map[clientID]int
}

// start is when every scene starts, in ms since 1970.
const start = int64(1_800_000_000_000)

func newScene(t *testing.T) *scene {
	s := &scene{t: t, input: input{clients: make(map[clientID][]host.Line), logs: make(map[string][][]byte)}, signs: make(map[clientID]int)}
	s.record(0, Load, "", Scene{Began: start * ms, Hosts: 4, Times: Times{Renew: 3000, Unreachable: 8000, Grace: 15000, End: 60000, Rejoin: 60000}})
	s.writing = []writing{{(start - 5000) * ms, "cohost-1"}}
	return s
}

func (s *scene) record(at int64, f, id string, val any) {
	raw, err := json.Marshal(val)
	if err != nil {
		s.t.Fatal(err)
	}
	s.records = append(s.records, history.Record{T: at * ms, F: f, ID: id, Val: raw})
}

// client records something about a client.
func (s *scene) client(at int64, f, live, session string) { s.record(at, f, live, Client{session}) }

func (s *scene) line(at int64, live, session string, l host.Line) {
	id := clientID{live, session}
	l.At = (start + at) * ms
	s.clients[id] = append(s.clients[id], l)
}

// sign is a sign of life with its answer 10 ms later.
func (s *scene) sign(at int64, live, session, reason string, fence int64) {
	id := clientID{live, session}
	s.signs[id]++
	s.line(at, live, session, host.Line{Kind: host.Sign, N: s.signs[id]})
	answer := host.Line{Kind: host.Answer, N: s.signs[id], Reason: reason}
	if reason == "" {
		answer.Now, answer.State, answer.Fence = start+at+5, 1, fence
	}
	s.line(at+10, live, session, answer)
}

// signing is a sign of life every 3 s, from one moment to before another.
func (s *scene) signing(from, to int64, live, session string, fence int64) {
	for ; from < to; from += 3000 {
		s.sign(from, live, session, "", fence)
	}
}

func (s *scene) told(at int64, live, session string, m *gatewayv1.WatchLiveResponse) {
	raw, err := proto.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	s.line(at, live, session, host.Line{Kind: host.Told, Message: raw})
}

func (s *scene) write(log string, at int64, entries ...proto.Message) {
	d := &ledgerv1.Decision{AtMs: start + at}
	for _, e := range entries {
		raw, err := proto.Marshal(e)
		if err != nil {
			s.t.Fatal(err)
		}
		d.Entries = append(d.Entries, raw)
	}
	raw, err := proto.Marshal(&ledgerv1.Group{Decisions: []*ledgerv1.Decision{d}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.logs[log] = append(s.logs[log], raw)
}

func (s *scene) fault(from, to int64, kind, replica string) {
	f := fault.Fault{Kind: kind, Targets: []string{replica}}
	s.record(from, fault.F, "", fault.Mark{Fault: f, Phase: fault.Began})
	s.record(to, fault.F, "", fault.Mark{Fault: f, Phase: fault.Ended})
}

// judge judges the scene, with what was written in the order of its time.
func (s *scene) judge() *Report {
	at := func(raw []byte) int64 {
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			s.t.Fatal(err)
		}
		return g.GetDecisions()[0].GetAtMs()
	}
	for _, groups := range s.logs {
		slices.SortStableFunc(groups, func(a, b []byte) int { return cmp.Compare(at(a), at(b)) })
	}
	r, err := judge(s.input)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// good is a run in which nothing is wrong. Three hosts and a live that a backend drives are connected and battle. The process of ann is killed at 20 s, and she
// is back at 60 s, lost meanwhile; ben, who stood still for some seconds, has another device from 70 s on; cat is killed at 100 s and never comes back.
// edit may change each thing that is about to be put into it; nil leaves it out.
func good(t *testing.T, edit func(at int64, log string, e proto.Message) proto.Message) *scene {
	s := newScene(t)
	write := func(log string, at int64, entries ...proto.Message) {
		for _, e := range entries {
			if edit != nil {
				e = edit(at, log, e)
			}
			if e != nil {
				s.write(log, at, e)
			}
		}
	}
	lives := []string{"ann", "ben", "cat", "dog"}
	for i, live := range lives {
		s.record(100, Created, live, Live{Host: i, Backend: live == "dog"})
		if live != "dog" {
			s.client(200, Started, live, "s1")
			s.told(300, live, "s1", snapshot())
			write(cohostLog, 1000, &cohostv1.Entry{Entry: &cohostv1.Entry_PresenceBegan_{PresenceBegan: &cohostv1.Entry_PresenceBegan{LiveId: live}}})
		}
	}
	for _, live := range lives {
		write(cohostLog, 2000, joins(live))
	}
	write(battleLog, 3000, starts(lives...))

	// Ann.
	s.signing(1000, 20_000, "ann", "s1", 1) // the last at 19 s
	s.client(20_000, Killed, "ann", "s1")
	write(cohostLog, 27_200, silent("ann"))
	write(cohostLog, 42_400, loses("ann"))
	write(battleLog, 42_450, exits("ann"))
	write(cohostLog, 42_500, leaves("ann"))
	for _, other := range []string{"ben", "cat"} {
		for _, m := range tells("ann", 42_400) {
			s.told(42_600, other, "s1", m)
		}
	}
	s.client(60_000, Started, "ann", "s2")
	s.told(60_010, "ann", "s2", snapshot())
	write(cohostLog, 60_100, back("ann", 120_100))
	s.signing(60_103, 300_000, "ann", "s2", 2) // by the client's clock, which is a little ahead
	s.line(60_200, "ann", "s2", host.Line{Kind: host.Rejoin})
	write(cohostLog, 60_150, joins("ann"))
	write(battleLog, 60_300, rejoins("ann"))

	// Ben.
	s.signing(1000, 30_000, "ben", "s1", 1)
	s.client(30_000, Frozen, "ben", "s1")
	s.client(33_000, Thawed, "ben", "s1")
	s.signing(33_100, 70_000, "ben", "s1", 1)
	s.client(69_500, Started, "ben", "s2")
	s.told(69_600, "ben", "s2", snapshot())
	s.signing(70_000, 300_000, "ben", "s2", 2)
	s.sign(72_100, "ben", "s1", "SUPERSEDED", 0)
	s.line(72_110, "ben", "s1", host.Line{Kind: host.Gone, Reason: "SUPERSEDED"})
	s.client(72_200, Exited, "ben", "s1")

	// Cat.
	s.signing(1000, 100_000, "cat", "s1", 1) // the last at 97 s
	s.client(100_000, Killed, "cat", "s1")
	write(cohostLog, 106_000, silent("cat"))
	write(cohostLog, 121_100, loses("cat"))
	write(battleLog, 121_150, exits("cat"))
	write(cohostLog, 121_200, leaves("cat"))
	for live, session := range map[string]string{"ann": "s2", "ben": "s2"} {
		for _, m := range tells("cat", 121_100) {
			s.told(121_300, live, session, m)
		}
	}
	write(cohostLog, 181_200, ends("cat"))

	s.record(200_000, Calm, "", nil)
	for _, live := range lives {
		last := Last{Active: live != "cat"}
		switch live {
		case "ann", "ben":
			last.Connection, last.State = "k", 1
		case "dog":
			last.Connection = "k"
		}
		s.record(290_000, Final, live, last)
	}
	s.record(295_000, Booked, "ann ben", nil)
	s.record(300_000, Over, "", nil)
	return s
}

// drop leaves out lines of a client that are so.
func (s *scene) drop(live, session string, so func(host.Line) bool) {
	id := clientID{live, session}
	var rest []host.Line
	for _, l := range s.clients[id] {
		if !so(l) {
			rest = append(rest, l)
		}
	}
	s.clients[id] = rest
}

// without leaves out records that are so.
func (s *scene) without(so func(history.Record) bool) {
	var rest []history.Record
	for _, r := range s.records {
		if !so(r) {
			rest = append(rest, r)
		}
	}
	s.records = rest
}

func snapshot() *gatewayv1.WatchLiveResponse {
	return &gatewayv1.WatchLiveResponse{Payload: &gatewayv1.WatchLiveResponse_Connected_{Connected: &gatewayv1.WatchLiveResponse_Connected{}}}
}

func joins(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{ConnectionId: "k", LiveId: live}}}
}

func silent(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostUnreachable_{HostUnreachable: &cohostv1.Entry_HostUnreachable{LiveId: live}}}
}

func loses(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostLost_{HostLost: &cohostv1.Entry_HostLost{LiveId: live}}}
}

func leaves(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{
		MemberLeft: &cohostv1.Entry_MemberLeft{ConnectionId: "k", LiveId: live, Reason: cohostv1.Entry_MemberLeft_LOST},
	}}
}

func back(live string, until int64) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostRecovered_{HostRecovered: &cohostv1.Entry_HostRecovered{LiveId: live, RejoinUntilMs: start + until}}}
}

func ends(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: live, Lost: true}}}
}

func starts(lives ...string) *battlev1.Entry {
	b := &battlev1.Entry_BattleStarting{BattleId: "b"}
	for _, live := range lives {
		b.Participants = append(b.Participants, &battlev1.Entry_Participant{LiveId: live})
	}
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: b}}
}

func exits(live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_UserExited_{
		UserExited: &battlev1.Entry_UserExited{BattleId: "b", LiveId: live, Reason: battlev1.Entry_UserExited_LOST},
	}}
}

func rejoins(live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_UserRejoined_{UserRejoined: &battlev1.Entry_UserRejoined{BattleId: "b", LiveId: live}}}
}

// tells is what the others are told of a loss.
func tells(live string, at int64) []*gatewayv1.WatchLiveResponse {
	when := timestamppb.New(time.UnixMilli(start + at))
	cohost := func(e *cohostv1.Event) *gatewayv1.WatchLiveResponse {
		e.At = when
		return &gatewayv1.WatchLiveResponse{Payload: &gatewayv1.WatchLiveResponse_Cohost{Cohost: e}}
	}
	return []*gatewayv1.WatchLiveResponse{
		cohost(&cohostv1.Event{Event: &cohostv1.Event_HostLost{HostLost: &cohostv1.HostLost{LiveId: live}}}),
		{Payload: &gatewayv1.WatchLiveResponse_Battle{Battle: &battlev1.Event{At: when, Event: &battlev1.Event_UserExitBattle{UserExitBattle: &battlev1.UserExitBattle{
			BattleId: "b", User: &battlev1.BattleUser{LiveId: live}, Reason: battlev1.UserExitBattle_LOST,
		}}}}},
		cohost(&cohostv1.Event{Event: &cohostv1.Event_CoHostUserLeft{CoHostUserLeft: &cohostv1.CoHostUserLeft{
			ConnectionId: "k", Member: &cohostv1.Member{LiveId: live}, Reason: cohostv1.CoHostUserLeft_LOST,
		}}}),
	}
}
