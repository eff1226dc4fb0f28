package check

import (
	"crypto/sha256"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// book writes logs for tests: each decision is a group of its own.
type book struct{ Run }

func (b *book) write(log, id string, at int64, entries ...proto.Message) {
	b.group(log, &ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{decided(id, at, "", entries)}})
}

func decided(id string, at int64, reason string, entries []proto.Message) *ledgerv1.Decision {
	d := &ledgerv1.Decision{CommandId: id, AtMs: at}
	for _, e := range entries {
		raw, err := proto.Marshal(e)
		if err != nil {
			panic(err)
		}
		d.Entries = append(d.Entries, raw)
	}
	if reason != "" {
		d.Refusal = &ledgerv1.Decision_Refusal{Reason: reason}
	}
	return d
}

// also adds a decision to the last group of a log: without entries a refusal, or that there was nothing to do.
func (b *book) also(log, id string, at int64, reason string, entries ...proto.Message) {
	last := len(b.Logs[log]) - 1
	g := new(ledgerv1.Group)
	if err := proto.Unmarshal(b.Logs[log][last], g); err != nil {
		panic(err)
	}
	g.Decisions = append(g.Decisions, decided(id, at, reason, entries))
	b.Logs[log] = b.Logs[log][:last]
	b.group(log, g)
}

func (b *book) group(log string, g *ledgerv1.Group) {
	if n := len(b.Logs[log]); n > 0 && g.Previous == nil {
		sum := sha256.Sum256(b.Logs[log][n-1])
		g.Previous = sum[:]
	}
	raw, err := proto.Marshal(g)
	if err != nil {
		panic(err)
	}
	b.Logs[log] = append(b.Logs[log], raw)
}

const (
	c = "COHOST_00"
	b = "BATTLE_00"
	s = "SCORE_00"
)

func created(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{
		LiveId: live, Kind: cohostv1.Live_VIDEO, Host: hostOf(live),
	}}}
}

func hostOf(live string) *userv1.User { return &userv1.User{UserId: "host of " + live} }

const grid = "hostDynamicGrid"

func sent(id, from, to string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationSent_{InvitationSent: &cohostv1.Entry_InvitationSent{
		InvitationId: id, InviterLiveId: from, InviteeLiveId: to, ExpiresAtMs: 1000, LayoutTemplate: grid,
	}}}
}

func over(id, from, to string, how cohostv1.Entry_InvitationEnded_Ending) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationEnded_{InvitationEnded: &cohostv1.Entry_InvitationEnded{
		InvitationId: id, InviterLiveId: from, InviteeLiveId: to, Ending: how,
	}}}
}

func joined(connection, live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{
		ConnectionId: connection, LiveId: live, Host: hostOf(live),
	}}}
}

func founded(connection string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_ConnectionStarted_{ConnectionStarted: &cohostv1.Entry_ConnectionStarted{
		ConnectionId: connection, LayoutTemplate: grid,
	}}}
}

func dissolved(connection string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_ConnectionEnded_{ConnectionEnded: &cohostv1.Entry_ConnectionEnded{ConnectionId: connection}}}
}

func left(connection, live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{
		ConnectionId: connection, LiveId: live, Reason: cohostv1.Entry_MemberLeft_EXITED,
	}}}
}

func read(seq uint64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_CohostRead_{CohostRead: &battlev1.Entry_CohostRead{Sequence: seq}}}
}

func copied(connection, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ConnectionJoined_{ConnectionJoined: &battlev1.Entry_ConnectionJoined{ConnectionId: connection, LiveId: live}}}
}

func gone(connection, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ConnectionLeft_{ConnectionLeft: &battlev1.Entry_ConnectionLeft{ConnectionId: connection, LiveId: live}}}
}

func asked(id string, lives ...string) *battlev1.Entry {
	e := &battlev1.Entry_BattleRequested{BattleId: id, Inviter: &battlev1.Entry_Participant{LiveId: lives[0]}}
	for _, live := range lives[1:] {
		e.Invitees = append(e.Invitees, &battlev1.Entry_Participant{LiveId: live})
	}
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleRequested_{BattleRequested: e}}
}

func participant(live string) *battlev1.Entry_Participant {
	return &battlev1.Entry_Participant{LiveId: live, Host: hostOf(live)}
}

func starts(id string, lives ...string) *battlev1.Entry {
	e := &battlev1.Entry_BattleStarting{BattleId: id, StartsAtMs: 40, EndsAtMs: 80}
	for _, live := range lives {
		e.Participants = append(e.Participants, participant(live))
	}
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: e}}
}

func opened(id, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_LiveOpened_{LiveOpened: &battlev1.Entry_LiveOpened{BattleId: id, LiveId: live}}}
}

func accepts(id, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_InviteeAnswered_{InviteeAnswered: &battlev1.Entry_InviteeAnswered{
		BattleId: id, LiveId: live, Answer: battlev1.Entry_InviteeAnswered_ACCEPTED,
	}}}
}

func runs(id string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarted_{BattleStarted: &battlev1.Entry_BattleStarted{BattleId: id}}}
}

func ending(id string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{BattleId: id, Reason: battlev1.Battle_TIME_OVER}}}
}

func exits(id, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_UserExited_{UserExited: &battlev1.Entry_UserExited{BattleId: id, LiveId: live, Reason: battlev1.Entry_UserExited_EXITED}}}
}

func closed(id, live string, total int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_LiveClosed_{LiveClosed: &battlev1.Entry_LiveClosed{BattleId: id, LiveId: live, Total: total}}}
}

func settles(id string, x, y int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{BattleId: id, Reason: battlev1.Battle_TIME_OVER, Result: &battlev1.BattleResult{
		Lives: []*battlev1.LiveResult{{LiveId: "x", Score: x, Rank: 1}, {LiveId: "y", Score: y, Rank: 2}}, WinnerLiveIds: []string{"x"},
	}}}}
}

// closedIn is the group in which the lives of a good run close.
const closedIn = 4

// settlesAll is settles with gifters and proofs.
func (k *book) settlesAll(id string, x, gifts int64) *battlev1.Entry {
	e := settles(id, x, 0)
	chain := sha256.Sum256(k.Logs[s][closedIn-2])
	for _, l := range e.GetBattleEnded().GetResult().GetLives() {
		l.Proof = &battlev1.ClosingProof{OpenedSequence: 1, ClosedSequence: closedIn, ChainHash: chain[:]}
	}
	first := e.GetBattleEnded().GetResult().GetLives()[0]
	first.Proof.Gifts, first.MvpUserId = gifts, "fan"
	first.TopGifters = []*battlev1.Gifter{{User: &userv1.User{UserId: "fan"}, Points: x}}
	return e
}

// settled changes the settlement.
func (k *book) settled(change func(*battlev1.BattleResult)) {
	e := k.settlesAll("b1", 10, 2)
	k.Logs[b] = k.Logs[b][:len(k.Logs[b])-1]
	change(e.GetBattleEnded().GetResult())
	k.write(b, "", 83, closed("b1", "x", 10), closed("b1", "y", 0), e)
}

func opens(id, live string) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveOpened_{LiveOpened: &scorev1.Entry_LiveOpened{
		BattleId: id, LiveId: live, StartsAtMs: 40, EndsAtMs: 80, Participants: []*battlev1.Entry_Participant{participant(live)},
	}}}
}

func followed(seq uint64) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_BattleRead_{BattleRead: &scorev1.Entry_BattleRead{Sequence: seq}}}
}

func gift(event string, v scorev1.GiftVerdict_Verdict, points int64) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_GiftDecided_{GiftDecided: &scorev1.Entry_GiftDecided{
		LiveId: "x", EventId: event, Verdict: v, Points: points, BattleId: "b1", Category: basic, UnitValue: 1, Count: 1,
		Sender: &userv1.User{UserId: "fan"},
	}}}
}

func closes(id, live string, total, gifts int64) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveClosed_{LiveClosed: &scorev1.Entry_LiveClosed{BattleId: id, LiveId: live, Total: total, Gifts: gifts}}}
}

func tombstone(id, live string) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveTombstoned_{LiveTombstoned: &scorev1.Entry_LiveTombstoned{BattleId: id, LiveId: live, Plays: true}}}
}

const (
	counts   = scorev1.GiftVerdict_COUNTED
	late     = scorev1.GiftVerdict_LATE
	rejected = scorev1.GiftVerdict_REJECTED
	basic    = scorev1.GiftEvent_BASIC
	noBattle = scorev1.GiftVerdict_NO_BATTLE
	accepted = cohostv1.Entry_InvitationEnded_ACCEPTED
)

func verdict(id string, v scorev1.GiftVerdict_Verdict, points int64) Gift {
	return Gift{
		GiftID: GiftID{"x", id}, Points: 5, Log: s, Window: Window{0, 9},
		Verdict: &scorev1.GiftVerdict{Verdict: v, Points: points, BattleId: "b1"}, Sent: event(id),
	}
}

// event is a gift worth 5 points.
func event(id string) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{LiveId: "x", EventId: id, Category: basic, UnitValue: 1, Sender: &userv1.User{UserId: "fan"}, SentAt: timestamppb.New(time.UnixMilli(0))}
}

// good is a run without a fault: two lives connect, battle and part.
func good() *book {
	k := &book{Run{Logs: map[string][][]byte{}, Complete: true, Limits: Limits{Members: 2, Pending: 3, LiveRate: 3, UserRate: 3}, Quiet: true}}
	k.write(c, "1", 1, created("x"))
	k.write(c, "2", 2, created("y"))
	k.also(c, "1b", 2, "LIVE_EXISTS")
	k.write(c, "3", 3, sent("i1", "x", "y"))
	k.write(c, "4", 4, over("i1", "x", "y", accepted), founded("k1"), joined("k1", "x"), joined("k1", "y"))
	k.write(b, "", 5, read(4), copied("k1", "x"), copied("k1", "y"))
	k.write(b, "5", 6, asked("b1", "x", "y"), starts("b1", "x", "y"))
	k.write(s, "", 7, followed(2), opens("b1", "x"), opens("b1", "y"))
	k.write(b, "", 8, opened("b1", "x"))
	k.write(b, "", 8, opened("b1", "y"))
	k.write(b, "", 40, runs("b1"))
	k.write(s, "", 50, gift("g1", counts, 5))
	k.write(s, "", 79, gift("g2", counts, 5))
	k.write(b, "5a", 80, ending("b1"))
	k.write(s, "", 81, closes("b1", "x", 10, 2), closes("b1", "y", 0, 0))
	k.write(s, "", 82, gift("g3", late, 0))
	k.write(b, "", 83, closed("b1", "x", 10), closed("b1", "y", 0), k.settlesAll("b1", 10, 2))
	k.write(c, "6", 90, left("k1", "x"), left("k1", "y"), dissolved("k1"))
	k.also(c, "6a", 90, "")
	k.also(c, "6b", 90, "", created("v"))
	k.Ops = []Op{
		{Kind: CreateLive, Live: "x", ID: "1", Own: Window{0, 1}, Outcome: OK},
		{Kind: CreateLive, Live: "y", ID: "2", Own: Window{1, 2}, Outcome: OK},
		{Kind: CreateLive, Live: "x", ID: "1b", Own: Window{1, 2}, Outcome: Refused, Reason: "LIVE_EXISTS"},
		{Kind: Invite, Live: "x", Others: []string{"y"}, Accepted: []string{"y"}, ID: "3", Own: Window{2, 3}, Outcome: OK},
		{Kind: Accept, Live: "y", Others: []string{"x"}, ID: "4", Own: Window{3, 4}, Outcome: OK},
		{Kind: RequestBattle, Live: "x", Others: []string{"y"}, Battle: "b1", ID: "5", Own: Window{1, 2}, Outcome: OK},
		{Kind: Exit, Live: "x", ID: "6", Own: Window{4, 5}, Outcome: OK},
		{Kind: ExitBattle, Live: "y", Battle: "b1", ID: "5a", Own: Window{5, 6}, Outcome: OK}, // when its time was over
		{Kind: EndLive, Live: "v", ID: "6a", Own: Window{4, 5}, Outcome: OK},                  // when it had ended, and before it began again
		{Kind: CreateLive, Live: "v", ID: "6b", Own: Window{4, 5}, Outcome: OK},
	}
	for i := range k.Ops {
		k.Ops[i].Since = k.Ops[i].Own.Before
	}
	k.Gifts = []Gift{verdict("g1", counts, 5), verdict("g3", late, 0)}
	k.Sent = []Sent{{event("g1"), true}, {event("g2"), false}, {event("g3"), false}, {event("g3"), true}}
	k.ask()
	return k
}
