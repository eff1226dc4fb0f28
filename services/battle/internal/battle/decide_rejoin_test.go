package battle_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// lost is a battle of a, b and c that runs on without b, whose host was lost; away is that b is in connection x again.
func lost() history {
	return then(running("a", "b", "c"), exited("b", battle.ExitLost), left("x", "b"))
}

func away() history { return then(lost(), joined("x", "b")) }

func TestRejoin(t *testing.T) {
	t.Parallel()
	other := battle.BattleRequested{BattleID: "b2", ConnectionID: "x", Terms: terms(true), Inviter: live("z"), Invitees: lives("b"), ExpiresAt: expiresAt}
	stranger := live("b")
	stranger.Host.ID = "somebody"
	longer := rejoined("b", 1).(battle.UserRejoined)
	longer.EndsAt = endsAt.Add(time.Minute)
	total := func(rejoins int32, points int64) battle.Command {
		return battle.ReportClosed{BattleID: "b1", LiveID: "b", Closing: battle.Closing{Total: points}, Rejoins: rejoins}
	}
	again := then(away(), rejoined("b", 1))
	estest.Run(t, newMachine, nil, []row{
		{Name: "back", Given: away(), When: rejoin("b"), Then: history{rejoined("b", 1)}},
		{Name: "back, its total being known", Given: then(away(), closedWith("b", 5)), When: rejoin("b"), Then: history{rejoined("b", 1)}},
		{Name: "back in a battle that was extended meanwhile", Given: then(away(), extended(time.Minute)), When: rejoin("b"), Then: history{longer}},
		{Name: "in the last moment", Given: away(), Now: before(endsAt), When: rejoin("b"), Then: history{rejoined("b", 1)}},
		{Name: "at the end", Given: away(), Now: endsAt, When: rejoin("b"), Reason: battle.ReasonBattleEnded},
		{Name: "after the end", Given: then(away(), timeOver()), When: rejoin("b"), Reason: battle.ReasonBattleEnded},
		{Name: "repeated", Given: again, When: rejoin("b")},
		{Name: "a second time", Given: then(again, exited("b", battle.ExitLost), left("x", "b"), joined("x", "b")), When: rejoin("b"), Then: history{rejoined("b", 2)}},
		{Name: "in no connection", Given: lost(), When: rejoin("b"), Reason: battle.ReasonConnectionNotFound},
		{Name: "in another connection", Given: then(lost(), joined("y", "b")), When: rejoin("b"), Reason: battle.ReasonConnectionNotFound},
		{
			Name: "a live of that id with another host", Given: then(lost(), battle.ConnectionJoined{ConnectionID: "x", Live: stranger}),
			When: rejoin("b"), Reason: battle.ReasonConnectionNotFound,
		},
		{Name: "asked to another battle", Given: then(away(), joined("x", "z"), other), When: rejoin("b"), Reason: battle.ReasonInOtherBattle},
		{Name: "left by its own call", Given: then(running("a", "b", "c"), exited("b", battle.ExitByHost)), When: rejoin("b"), Reason: battle.ReasonNotInBattle},
		{
			Name: "left with its connection", Given: then(running("a", "b", "c"), exited("b", battle.ExitLeftConnection), left("x", "b"), joined("x", "b")),
			When: rejoin("b"), Reason: battle.ReasonNotInBattle,
		},
		{
			Name: "lost after it rejoined and left", Given: then(again, exited("b", battle.ExitByHost)),
			When: rejoin("b"), Reason: battle.ReasonNotInBattle,
		},
		{
			Name: "lost before it had opened", Given: then(starting("a", "b", "c"), exited("b", battle.ExitLost), left("x", "b"), opened("a"), opened("c"),
				battle.BattleStarted{BattleID: "b1"}, joined("x", "b")),
			When: rejoin("b"), Reason: battle.ReasonNotInBattle,
		},
		{
			Name: "lost before it had answered", Given: then(requested("a", "b", "c"), exited("b", battle.ExitLost), accepted("c"), startingOf("a", "c"),
				opened("a"), opened("c"), battle.BattleStarted{BattleID: "b1"}, left("x", "b"), joined("x", "b")),
			When: rejoin("b"), Reason: battle.ReasonNotInBattle,
		},
		{Name: "while it starts", Given: then(starting("a", "b", "c"), exited("b", battle.ExitLost)), When: rejoin("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "the battle has ended with it", Given: then(running("a", "b"), exited("b", battle.ExitLost), ending(battle.EndForfeit)), When: rejoin("b"), Reason: battle.ReasonBattleEnded},

		{Name: "its consent is needed again", Given: then(again, proposed("a", toEnd)), When: endNow("c"), Then: history{consented("c", toEnd)}},
		{Name: "it can exit", Given: again, When: exit("b"), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "a total from before, while it runs", Given: again, When: total(0, 5)},
		{Name: "a total from before, once it settles", Given: then(again, timeOver()), When: total(0, 5)},
		{Name: "the total", Given: then(again, timeOver()), When: total(1, 9), Then: history{closedWith("b", 9)}},
		{Name: "another total", Given: then(again, timeOver(), closedWith("b", 9)), When: total(1, 8), Reason: "PAYLOAD_MISMATCH"},
	})
}

// TestRejoinedPlaysOn: in the result it is as one that never left, with the total that was reported last.
func TestRejoinedPlaysOn(t *testing.T) {
	t.Parallel()
	m := battle.New(settings())
	estest.Fold(m, t0, then(away(), closedWith("b", 5), rejoined("b", 1), timeOver(), closedWith("a", 1), closedWith("c", 7))...)
	events, err := m.Decide(endsAt, battle.ReportClosed{BattleID: "b1", LiveID: "b", Closing: battle.Closing{Total: 9}, Rejoins: 1})
	if err != nil || len(events) != 2 {
		t.Fatalf("%v, %v", events, err)
	}
	r := events[1].(battle.BattleEnded).Result
	if first := r.Lives[0]; first.LiveID != "b" || first.Score != 9 || first.Exited || r.Winners[0] != "b" {
		t.Errorf("%+v", r)
	}
}

// TestSessions: what COHOST_00 tells of sessions, and what a host's command is decided on.
func TestSessions(t *testing.T) {
	t.Parallel()
	told := func(facts ...battle.SessionFact) battle.Command {
		return battle.ReadCohost{Sequence: 9, Sessions: facts}
	}
	took := func(session string, fence int64) battle.SessionFact {
		return battle.SessionFact{LiveID: "b", Session: session, Fence: fence}
	}
	over := battle.SessionFact{LiveID: "b"}
	read := battle.CohostRead{Sequence: 9}
	gone := battle.LiveEnded{LiveID: "b"}
	two := then(running("a", "b", "c"), sessions("b", 2))
	estest.Run(t, newMachine, nil, []row{
		{Name: "taken", When: told(took("s1", 1)), Then: then(read, sessions("b", 1))},
		{Name: "the end of a live without any", When: told(over)},
		{Name: "the end of a live", Given: sessions("b", 2), When: told(over), Then: history{read, gone}},
		{Name: "both in one group", When: told(took("s1", 1), over), Then: then(read, sessions("b", 1), gone)},
		{
			Name: "with who is connected", When: battle.ReadCohost{
				Sequence: 9, Facts: []battle.ConnectionFact{{ConnectionID: "x", Live: live("b")}}, Sessions: []battle.SessionFact{over},
			},
			Then: history{read, joined("x", "b")},
		},
		{Name: "read before", Given: history{read}, When: told(took("s1", 1))},
		{Name: "the current session", Given: two, When: inSession("b", "s2", exit("b")), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "one that cohost may know", Given: two, When: inSession("b", "s3", exit("b")), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "an older one", Given: two, When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
		{Name: "an older one of another live", Given: two, When: inSession("c", "s1", exit("c")), Then: history{exited("c", battle.ExitByHost)}},
		{Name: "an older one of a live that has ended since", Given: then(two, gone), When: inSession("b", "s1", exit("b")), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "an older one rejoins", Given: then(away(), sessions("b", 2)), When: inSession("b", "s1", rejoin("b")), Reason: battle.ReasonSuperseded},
		{Name: "an older one requests", Given: then(connect("x", "a", "b"), sessions("a", 2)), When: inSession("a", "s1", request("a", "b")), Reason: battle.ReasonSuperseded},
	})
}
