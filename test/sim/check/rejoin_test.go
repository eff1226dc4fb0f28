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
	then          func(*Run)
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
	k.write(c, "", 48, silent("x"))
	k.write(c, "", 49, loses("x"))
	k.write(c, "", 51, leaves("k1", "x"))
	k.write(c, "", 55, takes("x", "s2", 2), recovers("x", 155))
	k.write(c, "8", 56, joined("k1", "x"))

	copies := []proto.Message{read(7), session("x", "s1", 1), copied("k1", "x"), copied("k1", "y"), copied("k1", "z")}
	k.write(b, "", 8, copies...)
	k.write(b, "9", 9, asked("b1", "x", "y", "z"), starts("b1", "x", "y", "z"))
	k.write(s, "", 10, followed(2), opens("b1", "x"), opens("b1", "y"), opens("b1", "z"))
	k.write(b, "", 11, opened("b1", "x"), opened("b1", "y"), opened("b1", "z"))
	k.write(b, "", 40, runs("b1"))
	k.write(s, "", 45, gift("g1", counts, 5))
	k.write(b, "10", k.at["lost"], k.battle["lost"][0])
	k.write(s, "", 51, append([]proto.Message{followed(5)}, k.score["closes"]...)...)
	k.write(b, "", 52, append([]proto.Message{read(10), gone("k1", "x")}, k.battle["lost"][1:]...)...)
	k.write(s, "", 53, gift("g2", late, 0))
	if k.elsewhere {
		k.write(b, "", 57, read(11), session("x", "s2", 2))
	} else {
		k.write(b, "", 57, read(12), session("x", "s2", 2), copied("k1", "x"))
	}
	k.write(b, "11", k.at["rejoins"], k.battle["rejoins"]...)
	k.write(s, "", 61, append([]proto.Message{followed(8)}, k.score["opens"]...)...)
	k.write(s, "", 70, gift("g3", counts, 5))
	k.write(b, "", 80, ending("b1"))
	chain := sha256.Sum256(k.Logs[s][len(k.Logs[s])-1])
	k.write(s, "", 81, closes("b1", "x", 10, 2), closes("b1", "y", 0, 0), closes("b1", "z", 0, 0))
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
	k.Ops = append(k.Ops,
		Op{Kind: RejoinBattle, Live: "x", Battle: "b1", ID: "11", Session: "s2", Tried: true, SinceCohost: 12, Own: Window{7, 8}, Outcome: OK},
		Op{Kind: Rejoin, Live: "x", ID: "8", Own: Window{11, 12}, Outcome: OK},
		Op{Kind: RequestBattle, Live: "x", Others: []string{"y", "z"}, Battle: "b1", ID: "9", Own: Window{1, 2}, Outcome: OK},
		Op{Kind: Exit, Live: "x", ID: "12", Own: Window{12, 13}, Outcome: OK},
	)
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

func TestGoodComeback(t *testing.T) {
	t.Parallel()
	r := Check(newComeback().written())
	if len(r.Findings) > 0 || r.Settled != 1 || r.Became["rejoined"] != 1 {
		t.Errorf("%+v", r)
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
		"the first total is final": {battle("rejoins", comesBack("b1", "x", 80, 1), closed("b1", "x", 5)), Duplicated, "live x of battle b1 is closed twice"},
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
