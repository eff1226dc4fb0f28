package check

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// move is a decision of bout.
type move struct {
	log, id string
	at      int64
	refused string
	entries []proto.Message
}

// entry is the n-th entry of a step in BATTLE_00.
func (m *move) entry(n int) *battlev1.Entry { return m.entries[n].(*battlev1.Entry) }

// bout is a run without a fault with its steps by name: x asks y and z to a battle of teams, takes it back from z, and y accepts; they let
// it take longer, let a proposal lapse, and end it early. y asks for it again, and an admin ends that before it starts, and voids the next.
type bout struct {
	*book
	steps []*move
	ops   map[string]*Op
}

func (b *bout) step(id string) *move {
	for _, s := range b.steps {
		if s.id == id {
			return s
		}
	}
	panic(id)
}

func (b *bout) then(log, id string, at int64, entries ...proto.Message) *move {
	s := &move{log: log, id: id, at: at, entries: entries}
	b.steps = append(b.steps, s)
	return s
}

// does has somebody ask for a step.
func (b *bout) does(id string, at int64, o Op, entries ...proto.Message) {
	b.then("BATTLE_00", id, at, entries...)
	o.ID, o.Outcome, o.Own, o.Cohost, o.SinceCohost = id, OK, Window{0, 99}, Window{6, 6}, 6
	b.ops[id] = &o
}

// refuses has somebody ask for something in vain.
func (b *bout) refuses(id string, at int64, reason string, o Op) {
	b.does(id, at, o)
	b.step(id).refused = reason
	b.ops[id].Outcome, b.ops[id].Reason = Refused, reason
}

func config() *battlev1.BattleConfig {
	return &battlev1.BattleConfig{
		DurationSeconds: 3, NeedResponse: true, ExtensionInfo: "hello", Mode: battlev1.BattleConfig_TEAMS,
		Teams: []*battlev1.BattleConfig_Team{{TeamId: "a", LiveIds: []string{"x"}}, {TeamId: "b", LiveIds: []string{"y", "z"}}},
	}
}

func requests(id string, config *battlev1.BattleConfig, expires int64, lives ...string) *battlev1.Entry {
	e := asked(id, lives...)
	r := e.GetBattleRequested()
	r.ConnectionId, r.Config, r.ExpiresAtMs = "k1", config, expires
	return e
}

func startsAt(id string, at, until int64, lives ...string) *battlev1.Entry {
	e := starts(id, lives...)
	e.GetBattleStarting().StartsAtMs, e.GetBattleStarting().EndsAtMs = at, until
	return e
}

func answered(id, live string, how battlev1.Entry_InviteeAnswered_Answer) *battlev1.Entry {
	e := accepts(id, live)
	e.GetInviteeAnswered().Answer = how
	return e
}

func proposed(live string, s subject, until int64, reason string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ProposalMade_{ProposalMade: &battlev1.Entry_ProposalMade{
		BattleId: "b1", Kind: s.kind, ExtendMs: s.ms, LiveId: live, ExpiresAtMs: until, Reason: reason,
	}}}
}

func consents(live string, s subject) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ProposalConsented_{ProposalConsented: &battlev1.Entry_ProposalConsented{
		BattleId: "b1", Kind: s.kind, ExtendMs: s.ms, LiveId: live,
	}}}
}

func lapses(s subject) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ProposalLapsed_{ProposalLapsed: &battlev1.Entry_ProposalLapsed{BattleId: "b1", Kind: s.kind, ExtendMs: s.ms}}}
}

func extended(by, to int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{BattleId: "b1", ExtendMs: by, EndsAtMs: to}}}
}

func stops(id string, why battlev1.Battle_EndReason, detail string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{BattleId: id, Reason: why, Detail: detail}}}
}

var longer = subject{battlev1.Proposal_EXTEND, 2000}

func newBout() *bout {
	k := &bout{book: &book{Run{Logs: map[string][][]byte{}, Complete: true, Quiet: true, Limits: Limits{
		Members: 3, Pending: 3, LiveRate: 9, UserRate: 9, BattleLiveRate: 3, BattleUserRate: 9, LongestBattle: 6000, Proposal: 1000,
	}}}, ops: map[string]*Op{}}
	for i, live := range []string{"x", "y", "z"} {
		k.write(c, "c"+live, int64(i+1), created(live))
		k.Ops = append(k.Ops, Op{Kind: CreateLive, Live: live, ID: "c" + live, Outcome: OK, Own: Window{0, 9}})
	}
	k.write(c, "cy1", 4, sent("i1", "x", "y"))
	k.also(c, "cz1", 4, "", sent("i2", "x", "z"))
	k.write(c, "cy2", 5, over("i1", "x", "y", accepted), founded("k1"), joined("k1", "x"), joined("k1", "y"))
	k.write(c, "cz2", 6, over("i2", "x", "z", accepted), joined("k1", "z"))
	for _, o := range []Op{
		{Kind: Invite, Live: "x", Others: []string{"y"}, Accepted: []string{"y"}, ID: "cy1"},
		{Kind: Invite, Live: "x", Others: []string{"z"}, Accepted: []string{"z"}, ID: "cz1"},
		{Kind: Accept, Live: "y", Others: []string{"x"}, ID: "cy2"},
		{Kind: Accept, Live: "z", Others: []string{"x"}, ID: "cz2"},
	} {
		o.Outcome, o.Own = OK, Window{0, 9}
		k.Ops = append(k.Ops, o)
	}
	k.then(b, "copy", 7, read(6), copied("k1", "x"), copied("k1", "y"), copied("k1", "z"))
	of := func(kind Kind, live string, r proto.Message, others ...string) Op {
		return Op{Kind: kind, Live: live, Battle: "b1", Request: r, Others: others}
	}
	extend := &battlev1.ExtendBattleRequest{BattleId: "b1", ExtendSeconds: 2}
	k.does("asks", 100, Op{
		Kind: RequestBattle, Live: "x", Others: []string{"y", "z"}, Made: "b1", Accepted: []string{"y", "z"},
		Request: &battlev1.RequestBattleRequest{InviterLiveId: "x", TargetLiveIds: []string{"y", "z"}, TimeoutSeconds: 2, Config: config()},
	}, requests("b1", config(), 2100, "x", "y", "z"))
	k.refuses("early", 105, "BATTLE_NOT_STARTED", of(ExtendBattle, "x", extend))
	k.does("accepts", 110, of(AcceptBattle, "y", nil), accepts("b1", "y"))
	k.refuses("not asked", 115, "NOT_IN_BATTLE", of(CancelBattle, "x", nil, "z", "v"))
	k.does("takes back", 120, of(CancelBattle, "x", nil, "z"), answered("b1", "z", battlev1.Entry_InviteeAnswered_CANCELLED), startsAt("b1", 420, 3420, "x", "y"))
	k.then(b, "opened", 130, opened("b1", "x"), opened("b1", "y"))
	k.then(b, "runs", 420, runs("b1"))
	k.does("proposes", 500, of(ExtendBattle, "x", extend), proposed("x", longer, 1500, ""))
	k.refuses("proposes more", 510, "BATTLE_REQUEST_PENDING", of(ExtendBattle, "x", &battlev1.ExtendBattleRequest{BattleId: "b1", ExtendSeconds: 1}))
	k.refuses("is not in", 520, "NOT_IN_BATTLE", of(EndBattle, "z", &battlev1.EndBattleRequest{BattleId: "b1"}))
	k.does("consents", 600, of(ExtendBattle, "y", extend), consents("y", longer), extended(2000, 5420))
	k.refuses("again too soon", 650, "BATTLE_ALREADY_RUNNING", of(Rematch, "y", &battlev1.RematchRequest{BattleId: "b1", LiveId: "y"}))
	k.does("would end", 700, of(EndBattle, "x", &battlev1.EndBattleRequest{BattleId: "b1", Reason: "enough"}), proposed("x", toEnd, 1700, "enough"))
	k.then(b, "lapses", 1700, lapses(toEnd))
	k.does("wants the end", 1800, of(EndBattle, "y", &battlev1.EndBattleRequest{BattleId: "b1", Reason: "please"}), proposed("y", toEnd, 2800, "please"))
	end := ending("b1")
	end.GetBattleEnding().Reason, end.GetBattleEnding().Detail, end.GetBattleEnding().EndsAtMs = battlev1.Battle_CUT_SHORT, "please", 5420
	k.does("agrees", 1900, of(EndBattle, "x", &battlev1.EndBattleRequest{BattleId: "b1"}), consents("x", toEnd), end)
	k.refuses("too late", 1950, "BATTLE_ENDED", of(ExtendBattle, "x", extend))
	settles := settles("b1", 5, 0)
	settles.GetBattleEnded().Reason = battlev1.Battle_CUT_SHORT
	k.then(b, "settled", 2000, closed("b1", "x", 5), closed("b1", "y", 0), settles)
	again := config()
	again.Teams[1].LiveIds = []string{"y"}
	k.does("again", 2100, Op{
		Kind: Rematch, Live: "y", Battle: "b1", Made: "b2", Accepted: []string{"x"}, Request: &battlev1.RematchRequest{BattleId: "b1", LiveId: "y", TimeoutSeconds: 1},
	}, requests("b2", again, 3100, "y", "x"))
	k.step("again").entry(0).GetBattleRequested().RematchOf = "b1"
	k.refuses("is taken", 2110, "BATTLE_REQUEST_PENDING", Op{
		Kind: RequestBattle, Live: "z", Others: []string{"x"}, Request: &battlev1.RequestBattleRequest{InviterLiveId: "z", TargetLiveIds: []string{"x"}},
	})
	k.does("admin ends", 2200, Op{Kind: EndBattle, Battle: "b2", Request: &battlev1.EndBattleRequest{BattleId: "b2", Reason: "no"}}, stops("b2", battlev1.Battle_TERMINATED, "no"))
	k.does("asks one", 2300, Op{
		Kind: RequestBattle, Live: "x", Others: []string{"z"}, Made: "b3", Accepted: []string{"z"},
		Request: &battlev1.RequestBattleRequest{InviterLiveId: "x", TargetLiveIds: []string{"z"}, Config: &battlev1.BattleConfig{DurationSeconds: 3}},
	}, requests("b3", &battlev1.BattleConfig{DurationSeconds: 3, Mode: battlev1.BattleConfig_FREE_FOR_ALL}, 0, "x", "z"), startsAt("b3", 2600, 5600, "x", "z"))
	k.does("admin voids", 2400, Op{Kind: VoidBattle, Battle: "b3", Request: &battlev1.VoidBattleRequest{BattleId: "b3", Reason: "rules"}}, stops("b3", battlev1.Battle_VOIDED, "rules"))
	open := func(id, live string, from, until int64) *scorev1.Entry {
		e := opens(id, live)
		e.GetLiveOpened().StartsAtMs, e.GetLiveOpened().EndsAtMs = from, until
		return e
	}
	longer := func(live string) *scorev1.Entry {
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveExtended_{LiveExtended: &scorev1.Entry_LiveExtended{BattleId: "b1", LiveId: live, EndsAtMs: 5420}}}
	}
	void := func(live string) *scorev1.Entry {
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveVoided_{LiveVoided: &scorev1.Entry_LiveVoided{BattleId: "b3", LiveId: live}}}
	}
	k.then(s, "opens", 125, followed(k.place("takes back")), open("b1", "x", 420, 3420), open("b1", "y", 420, 3420))
	k.then(s, "longer", 605, followed(k.place("consents")), longer("x"), longer("y"))
	k.then(s, "gift", 1000, gift("g1", counts, 5))
	k.then(s, "closes", 1905, followed(k.place("agrees")), closes("b1", "x", 5, 1), closes("b1", "y", 0, 0))
	k.then(s, "opens more", 2310, followed(k.place("asks one")), open("b3", "x", 2600, 5600), open("b3", "z", 2600, 5600))
	k.then(s, "voids", 2410, followed(k.place("admin voids")+1), void("x"), void("z"))
	return k
}

// place of a step in BATTLE_00.
func (b *bout) place(id string) (n uint64) {
	for _, s := range b.steps {
		if s.log == "BATTLE_00" {
			if n++; s.id == id {
				return n
			}
		}
	}
	panic(id)
}

// run writes the logs.
func (b *bout) run() Run {
	slices.SortStableFunc(b.steps, func(x, y *move) int { return int(x.at - y.at) })
	for _, x := range b.steps {
		id := x.id
		if b.ops[id] == nil {
			id = ""
		}
		if x.id == "settled" {
			b.prove(x.entry(2).GetBattleEnded().GetResult())
		}
		if x.refused != "" {
			b.write(x.log, "", x.at)
			b.also(x.log, id, x.at, x.refused)
			continue
		}
		b.write(x.log, id, x.at, x.entries...)
	}
	for _, x := range b.steps {
		if o := b.ops[x.id]; o != nil {
			b.Ops = append(b.Ops, *o)
		}
	}
	return b.Run
}

// prove adds what a result says of teams, gifters and proofs, where it says nothing.
func (b *bout) prove(r *battlev1.BattleResult) {
	if r == nil {
		return
	}
	chain := sha256.Sum256(b.Logs[s][2])
	for _, l := range r.GetLives() {
		l.Proof = &battlev1.ClosingProof{OpenedSequence: 1, ClosedSequence: 4, ChainHash: chain[:]}
	}
	first := r.GetLives()[0]
	first.Proof.Gifts, first.MvpUserId, first.TopGifters = 1, "fan", []*battlev1.Gifter{{User: event("g1").GetSender(), Points: 5}}
	if r.Teams == nil {
		r.Teams = []*battlev1.TeamResult{{TeamId: "a", Score: 5, Rank: 1}, {TeamId: "b", Rank: 2}}
		r.WinnerTeamIds = []string{"a"}
	}
}

func TestGoodBout(t *testing.T) {
	t.Parallel()
	if f := Check(newBout().run()).Findings; len(f) > 0 {
		t.Error(f)
	}
}

// harm is a fault in bout, and what must be found of it.
type harm struct {
	plant func(*bout)
	class Class
	says  string
}

func findInBout(t *testing.T, harms map[string]harm) {
	t.Helper()
	for name, x := range harms {
		k := newBout()
		x.plant(k)
		findings := Check(k.run()).Findings
		if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Class == x.class && strings.Contains(f.Text, x.says) }) {
			t.Errorf("%s: not found; found %v", name, findings)
		}
	}
}
