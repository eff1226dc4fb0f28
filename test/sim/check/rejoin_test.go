package check

import (
	"crypto/sha256"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

func exitsLost(id, live string) *battlev1.Entry {
	e := exits(id, live)
	e.GetUserExited().Reason = battlev1.Entry_UserExited_LOST
	return e
}

func comesBack(id, live string, endsAt int64, rejoins int32) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_UserRejoined_{UserRejoined: &battlev1.Entry_UserRejoined{
		BattleId: id, LiveId: live, EndsAtMs: endsAt, Rejoins: rejoins,
	}}}
}

func opensAgain(id, live string, endsAt int64, rejoins int32) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveReopened_{LiveReopened: &scorev1.Entry_LiveReopened{
		BattleId: id, LiveId: live, EndsAtMs: endsAt, Rejoins: rejoins,
	}}}
}

func session(live, id string, fence int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_SessionTaken_{SessionTaken: &battlev1.Entry_SessionTaken{LiveId: live, SessionId: id, Fence: fence}}}
}

// comeback is a run without a fault: x, y and z battle, x is lost and comes back with another session, and its score goes on.
type comeback struct {
	*book
	// what can be otherwise
	battle, score map[string][]proto.Message
	at            map[string]int64
	elsewhere     bool // x is in no connection when it comes back
	rival         bool // w is in their connection
	then          func(*Run)
	ops           []Op
}

func newComeback() *comeback {
	return &comeback{
		book: &book{Run{Logs: map[string][][]byte{}, Complete: true, Limits: Limits{Members: 3, Rejoin: 100}, Quiet: true}},
		battle: map[string][]proto.Message{
			"lost":    {exitsLost("b1", "x"), closed("b1", "x", 5)},
			"rejoins": {comesBack("b1", "x", 80, 1)},
		},
		score: map[string][]proto.Message{"closes": {closes("b1", "x", 5, 1)}, "opens": {opensAgain("b1", "x", 80, 1)}},
		at:    map[string]int64{"lost": 50, "rejoins": 60},
	}
}

// written is the run with its logs.
func (k *comeback) written() Run {
	k.write(c, "1", 1, created("x"))
	k.write(c, "2", 2, created("y"))
	k.write(c, "3", 3, created("z"), takes("x", "s1", 1), began("x"))
	k.write(c, "4", 4, sent("i1", "x", "y"))
	k.write(c, "5", 5, over("i1", "x", "y", accepted), founded("k1"), joined("k1", "x"), joined("k1", "y"))
	k.write(c, "6", 6, sent("i2", "x", "z"))
	k.write(c, "7", 7, over("i2", "x", "z", accepted), joined("k1", "z"))
	others := []proto.Message{copied("k1", "z")}
	if k.rival {
		k.also(c, "2w", 7, "", created("w"))
		k.also(c, "6w", 7, "", sent("i3", "x", "w"))
		k.also(c, "7w", 7, "", over("i3", "x", "w", accepted), joined("k1", "w"))
		others = append(others, copied("k1", "w"))
	}
	k.write(c, "", 48, silent("x"))
	k.write(c, "", 49, loses("x"))
	k.write(c, "", 51, leaves("k1", "x"))
	k.write(c, "", 55, takes("x", "s2", 2), recovers("x", 155))
	k.write(c, "8", 56, joined("k1", "x"))

	copies := []proto.Message{read(7), session("x", "s1", 1), copied("k1", "x"), copied("k1", "y")}
	k.write(b, "", 8, append(copies, others...)...)
	k.write(b, "9", 9, asked("b1", "x", "y", "z"), starts("b1", "x", "y", "z"))
	k.write(s, "", 10, followed(2), opens("b1", "x"), opens("b1", "y"), opens("b1", "z"))
	k.write(b, "", 11, opened("b1", "x"), opened("b1", "y"), opened("b1", "z"))
	k.write(b, "", 40, runs("b1"))
	k.write(s, "", 45, gift("g1", counts, 5))
	k.write(b, "10", k.at["lost"], k.battle["lost"][0])
	if back := k.battle["back at once"]; len(back) > 0 {
		k.also(b, "13", k.at["lost"], "", back...)
	}
	k.write(s, "", 51, append([]proto.Message{followed(5)}, k.score["closes"]...)...)
	k.write(b, "", 52, append([]proto.Message{read(10), gone("k1", "x")}, k.battle["lost"][1:]...)...)
	k.write(s, "", 53, append(k.score["closes once more"], gift("g2", late, 0))...)
	if k.elsewhere {
		k.write(b, "", 57, read(11), session("x", "s2", 2))
	} else {
		k.write(b, "", 57, read(12), session("x", "s2", 2), copied("k1", "x"))
	}
	if entries := k.battle["before it rejoins"]; len(entries) > 0 {
		k.also(b, "", 58, "", entries...)
	}
	if ask := k.battle["elsewhere"]; len(ask) > 0 {
		k.also(b, "13", 58, "", ask...)
		k.also(b, "14", 59, "", k.battle["leaves that"]...)
	}
	k.write(b, "11", k.at["rejoins"], k.battle["rejoins"]...)
	k.write(s, "", 61, append([]proto.Message{followed(8)}, k.score["opens"]...)...)
	k.write(s, "", 70, gift("g3", counts, 5))
	k.write(b, "", 80, ending("b1"))
	chain := sha256.Sum256(k.Logs[s][len(k.Logs[s])-1])
	k.write(s, "", 81, append([]proto.Message{closes("b1", "x", 10, 2), closes("b1", "y", 0, 0), closes("b1", "z", 0, 0)}, k.score["then"]...)...)
	result := &battlev1.BattleResult{WinnerLiveIds: []string{"x"}}
	for i, live := range []string{"x", "y", "z"} {
		r := &battlev1.LiveResult{
			LiveId: live, Rank: int32(min(i+1, 2)),
			Proof: &battlev1.ClosingProof{OpenedSequence: 1, ClosedSequence: uint64(len(k.Logs[s])), ChainHash: chain[:]},
		}
		if i == 0 {
			r.Score, r.Proof.Gifts, r.MvpUserId = 10, 2, "fan"
			r.TopGifters = []*battlev1.Gifter{{User: &userv1.User{UserId: "fan"}, Points: 10}}
		}
		result.Lives = append(result.Lives, r)
	}
	k.write(b, "", 82, closed("b1", "x", 10), closed("b1", "y", 0), closed("b1", "z", 0), &battlev1.Entry{
		Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{BattleId: "b1", Reason: battlev1.Battle_TIME_OVER, Result: result}},
	})
	k.write(c, "12", 90, left("k1", "x"))
	k.write(c, "", 95, takes("x", "s3", 3))
	k.Ops = append(append(k.Ops,
		Op{Kind: RejoinBattle, Live: "x", Battle: "b1", ID: "11", Session: "s2", Tried: true, SinceCohost: 12, Own: Window{7, 8}, Outcome: OK},
		Op{Kind: Rejoin, Live: "x", ID: "8", Own: Window{11, 12}, Outcome: OK},
		Op{Kind: RequestBattle, Live: "x", Others: []string{"y", "z"}, Battle: "b1", ID: "9", Own: Window{1, 2}, Outcome: OK},
		Op{Kind: Exit, Live: "x", ID: "12", Own: Window{12, 13}, Outcome: OK},
	), k.ops...)
	away := verdict("g2", late, 0)
	away.Window, away.Battle = Window{3, 4}, 6
	k.Gifts = append(k.Gifts, away)
	for i, kind := range []Kind{CreateLive, CreateLive, CreateLive, Invite, Accept, Invite, Accept} {
		o := Op{Kind: kind, Live: []string{"x", "y", "z", "x", "y", "x", "z"}[i], ID: string(rune('1' + i)), Own: Window{0, 12}, Outcome: OK}
		o.Others = [][]string{nil, nil, nil, {"y"}, {"x"}, {"z"}, {"x"}}[i]
		if kind == Invite {
			o.Accepted = o.Others
		}
		k.Ops = append(k.Ops, o)
	}
	return k.Run
}

// backAtOnce is a comeback of a live that was lost, came back, all in one group, and was lost once more.
func backAtOnce() *comeback {
	k := newComeback()
	k.battle["lost"] = []proto.Message{exitsLost("b1", "x"), exitsLost("b1", "x")}
	k.battle["back at once"] = []proto.Message{comesBack("b1", "x", 80, 1)}
	k.battle["before it rejoins"] = []proto.Message{closed("b1", "x", 5)}
	k.battle["rejoins"] = []proto.Message{comesBack("b1", "x", 80, 2)}
	k.score["closes"] = append(k.score["closes"], opensAgain("b1", "x", 80, 1))
	k.score["closes once more"] = []proto.Message{followed(6), closes("b1", "x", 5, 1)}
	k.score["opens"] = []proto.Message{opensAgain("b1", "x", 80, 2)}
	k.ops = []Op{{Kind: RejoinBattle, Live: "x", Battle: "b1", ID: "13", Session: "s1", Tried: true, SinceCohost: 3, Own: Window{4, 5}, Outcome: OK}}
	return k
}

// foughtElsewhere is a comeback of a live that was in another battle between.
func foughtElsewhere() *comeback {
	k := newComeback()
	never := neverBegins("b2", battlev1.Entry_BattleEnded_ABORTED)
	void := &scorev1.Entry{Entry: &scorev1.Entry_LiveVoided_{LiveVoided: &scorev1.Entry_LiveVoided{BattleId: "b2", LiveId: "x"}}}
	k.rival, k.Limits.Members = true, 4
	request, start, begins := asked("b2", "x", "w"), starts("b2", "x", "w"), opens("b2", "x")
	start.GetBattleStarting().StartsAtMs, start.GetBattleStarting().EndsAtMs = 59, 99
	begins.GetLiveOpened().StartsAtMs, begins.GetLiveOpened().EndsAtMs = 59, 99
	k.battle["elsewhere"] = []proto.Message{request, start}
	k.battle["leaves that"] = []proto.Message{exits("b2", "x"), never}
	k.score["opens"] = append([]proto.Message{begins, void}, k.score["opens"]...)
	k.score["then"] = []proto.Message{gift("g4", late, 0)}
	k.ops = []Op{
		{Kind: CreateLive, Live: "w", ID: "2w", Own: Window{6, 7}, Outcome: OK},
		{Kind: Invite, Live: "x", Others: []string{"w"}, Accepted: []string{"w"}, ID: "6w", Own: Window{6, 7}, Outcome: OK},
		{Kind: Accept, Live: "w", Others: []string{"x"}, ID: "7w", Own: Window{6, 7}, Outcome: OK},
		{Kind: RequestBattle, Live: "x", Others: []string{"w"}, Battle: "b2", ID: "13", Own: Window{6, 7}, Outcome: OK},
		{Kind: ExitBattle, Live: "x", Battle: "b2", ID: "14", Own: Window{6, 7}, Outcome: OK},
	}
	return k
}

func TestGoodComeback(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		*comeback
		rejoined int
	}{
		"once": {newComeback(), 1}, "twice": {backAtOnce(), 2}, "after another battle": {foughtElsewhere(), 1},
	} {
		r := Check(x.written())
		if len(r.Findings) > 0 || r.Settled != 1 || r.Became["rejoined"] != x.rejoined {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestComebackFaults(t *testing.T) {
	t.Parallel()
	battle := func(step string, entries ...proto.Message) func(*comeback) {
		return func(k *comeback) { k.battle[step] = entries }
	}
	score := func(step string, entries ...proto.Message) func(*comeback) {
		return func(k *comeback) { k.score[step] = entries }
	}
	then := func(change func(r *Run)) func(*comeback) { return func(k *comeback) { k.then = change } }
	answered := func(v scorev1.GiftVerdict_Verdict) func(*Run) {
		return func(r *Run) { r.Gifts[0].Verdict.Verdict, r.Gifts[0].Battle = v, 8 }
	}
	rejoin := func(change func(*Op)) func(*comeback) { return then(func(r *Run) { change(&r.Ops[0]) }) }
	for name, x := range map[string]struct {
		plant func(*comeback)
		class Class
		says  string
	}{
		"after it exited":        {battle("lost", exits("b1", "x"), closed("b1", "x", 5)), Violation, "which it was not lost from"},
		"while it is there":      {battle("rejoins", comesBack("b1", "y", 80, 1)), Violation, "which it was not lost from"},
		"twice":                  {battle("rejoins", comesBack("b1", "x", 80, 1), comesBack("b1", "x", 80, 2)), Violation, "which it was not lost from"},
		"more often than it has": {battle("rejoins", comesBack("b1", "x", 80, 2)), Violation, "and has not so often"},
		"to another end":         {battle("rejoins", comesBack("b1", "x", 81, 1)), Violation, "which does not end then"},
		"when it is over":        {func(k *comeback) { k.at["rejoins"] = 80 }, Violation, "which does not run"},
		"from elsewhere":         {func(k *comeback) { k.elsewhere = true }, Violation, "and is not in its connection"},
		"unasked":                {rejoin(func(o *Op) { o.ID = "13" }), Violation, "nobody has asked for command"},
		"by the old session":     {rejoin(func(o *Op) { o.Session = "s1" }), Violation, "session s2 has taken over"},
		"by one that is not known": {rejoin(func(o *Op) {
			o.SinceCohost = 14
		}), Violation, "it has not been read that session s3 had taken over before"},
		"refused for nothing": {rejoin(func(o *Op) { o.Outcome, o.Reason = Refused, "NOT_IN_BATTLE" }), Violation, "refused with NOT_IN_BATTLE at"},
		"a session not copied": {then(func(r *Run) {
			k := &book{*r}
			k.write(b, "", 99, read(14))
			*r = k.Run
		}), Violation, "the sessions copied from COHOST_00/14 are not those"},
		"the same fence": {then(func(r *Run) {
			k := &book{*r}
			k.write(b, "", 99, read(14), session("x", "s3", 2))
			*r = k.Run
		}), Duplicated, "session s3 of live x has fence 2, after 2"},

		"not opened again":         {score("opens"), Violation, "gift {x g3} is counted in battle b1, which is not open"},
		"opened again unasked":     {battle("rejoins"), Violation, "BATTLE_00 was read to 8 and does not say so"},
		"opened again twice":       {score("opens", opensAgain("b1", "x", 80, 1), opensAgain("b1", "x", 80, 1)), Violation, "live x of battle b1 opens again"},
		"opened again too often":   {score("opens", opensAgain("b1", "x", 80, 2)), Violation, "does not say so"},
		"opened to another end":    {score("opens", opensAgain("b1", "x", 90, 1)), Violation, "does not say so"},
		"opened without a close":   {score("closes"), Violation, "live x of battle b1 opens again"},
		"closed with something":    {score("closes", closes("b1", "x", 4, 1)), Violation, "closes with 4 points of 1 gifts, counted are 5 of 1"},
		"counts while it is away":  {score("closes", closes("b1", "x", 5, 1), gift("g9", counts, 5)), Violation, "which is not open"},
		"late while it is there":   {score("opens", opensAgain("b1", "x", 80, 1), gift("g9", late, 0)), Violation, "is LATE while its live is open"},
		"closed without a reason":  {score("opens", opensAgain("b1", "x", 80, 1), closes("b1", "x", 5, 1)), Violation, "live x of battle b1 closes at 61, its time is over at 80"},
		"late, and it is back":     {then(answered(late)), Violation, "answered LATE in group 4, BATTLE_00/8, read before the call, has its live in battle b1"},
		"none, and it is back":     {then(answered(noBattle)), Violation, "answered NO_BATTLE at group 4, BATTLE_00/8, read before the call, has its live in battle b1"},
		"the first total is final": {battle("rejoins", comesBack("b1", "x", 80, 1), closed("b1", "x", 5)), Duplicated, "live x of battle b1 is closed twice"},
		"closed as if it left again": {func(k *comeback) {
			*k = *backAtOnce()
			k.score["opens"] = append(k.score["opens"], closes("b1", "x", 5, 1))
		}, Violation, "live x of battle b1 closes at 61, its time is over at 80"},
	} {
		k := newComeback()
		x.plant(k)
		run := k.written()
		if k.then != nil {
			k.then(&run)
		}
		found := false
		findings := Check(run).Findings
		for _, f := range findings {
			found = found || f.Class == x.class && strings.Contains(f.Text, x.says)
		}
		if !found {
			t.Errorf("%s: not found; found %v", name, findings)
		}
	}
}
