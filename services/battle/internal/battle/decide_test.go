package battle_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	abc := connect("x", "a", "b", "c")
	with := func(change func(*battle.RequestBattle)) battle.Command {
		c := request("a", "b")
		change(&c)
		return c
	}
	requestedWith := func(change func(*battle.BattleRequested)) battle.Event {
		e := requestOf("b2", "a", "b").(battle.BattleRequested)
		change(&e)
		return e
	}
	refused := func(target, reason, detail string) battle.RefusedTarget {
		return battle.RefusedTarget{Target: target, Reason: reason, Detail: detail}
	}
	estest.Run(t, newMachine, nil, []row{
		{Name: "no target", Given: abc, When: request("a"), Reason: es.ReasonInvalidArgument},
		{Name: "both kinds of target", Given: abc, When: with(func(c *battle.RequestBattle) { c.TargetUsers = []string{"uc"} }), Reason: es.ReasonInvalidArgument},
		{Name: "too many lives", Given: abc, When: request("a", "1", "2", "3", "4", "5", "6", "7", "8", "9"), Reason: es.ReasonInvalidArgument},
		{Name: "too many users", Given: abc, Reason: es.ReasonInvalidArgument, When: with(func(c *battle.RequestBattle) {
			c.TargetLives, c.TargetUsers = nil, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
		})},
		{Name: "too short", Given: abc, When: with(func(c *battle.RequestBattle) { c.Terms.Duration = 9 * time.Second }), Reason: es.ReasonInvalidArgument},
		{Name: "too long", Given: abc, When: with(func(c *battle.RequestBattle) { c.Terms.Duration = 3601 * time.Second }), Reason: es.ReasonInvalidArgument},
		{Name: "unknown mode", Given: abc, When: with(func(c *battle.RequestBattle) { c.Terms.Mode = 7 }), Reason: es.ReasonInvalidArgument},
		{Name: "timeout too long", Given: abc, When: with(func(c *battle.RequestBattle) { c.Timeout = 301 * time.Second }), Reason: es.ReasonInvalidArgument},
		{
			Name: "defaults", Given: abc,
			When: with(func(c *battle.RequestBattle) { c.Terms = battle.Terms{NeedResponse: true} }),
			Then: history{requestOf("b2", "a", "b")},
		},
		{
			Name: "own timeout", Given: abc,
			When: with(func(c *battle.RequestBattle) { c.Timeout = time.Second }),
			Then: history{requestedWith(func(e *battle.BattleRequested) { e.ExpiresAt = t0.Add(time.Second) })},
		},
		{
			Name: "no response needed: it starts at once", Given: abc,
			When: battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b"}, Terms: terms(false)},
			Then: history{
				battle.BattleRequested{BattleID: "b1", ConnectionID: "x", Terms: terms(false), Inviter: live("a"), Invitees: lives("b")},
				startingOf("a", "b"),
			},
		},
		{
			Name: "by host", Given: abc,
			When: battle.RequestBattle{BattleID: "b2", Inviter: "a", TargetUsers: []string{"uc", "ub"}, Terms: terms(true)},
			Then: history{requestedWith(func(e *battle.BattleRequested) { e.Invitees, e.TargetsAreUsers = lives("c", "b"), true })},
		},
		{Name: "by an unknown host", Given: abc, Reason: battle.ReasonNoValidTarget, When: battle.RequestBattle{Inviter: "a", TargetUsers: []string{"uz"}}},
		{Name: "by the own host", Given: abc, Reason: battle.ReasonNoValidTarget, When: battle.RequestBattle{Inviter: "a", TargetUsers: []string{"ua"}}},
		{Name: "the inviter is in no connection", Given: abc, When: request("z", "a"), Reason: battle.ReasonConnectionNotFound},
		{Name: "the inviter has left its connection", Given: then(abc, left("x", "a")), When: request("a", "b"), Reason: battle.ReasonConnectionNotFound},
		{Name: "itself", Given: abc, When: request("a", "a"), Reason: es.ReasonInvalidArgument},
		{Name: "not connected", Given: abc, When: request("a", "z"), Reason: battle.ReasonNoValidTarget},
		{Name: "connected with others", Given: then(abc, connect("y", "z", "w")), When: request("a", "z"), Reason: battle.ReasonNoValidTarget},
		{Name: "the one target has a request pending", Given: then(requested("b", "c"), joined("x", "a")), When: request("a", "c"), Reason: battle.ReasonBattleRequestPending},
		{Name: "the one target is in a battle", Given: then(running("b", "c"), joined("x", "a")), When: request("a", "c"), Reason: battle.ReasonInOtherBattle},
		{Name: "none of two can", Given: then(running("b", "c"), joined("x", "a")), When: request("a", "b", "c"), Reason: battle.ReasonNoValidTarget},
		{
			Name: "who cannot is left out", Given: then(running("c", "d"), joined("x", "a"), joined("x", "b")),
			When: request("a", "z", "b", "c", "b"),
			Then: history{requestedWith(func(e *battle.BattleRequested) {
				e.Refused = []battle.RefusedTarget{
					refused("z", battle.ReasonNoValidTarget, "live z is not connected with live a"),
					refused("c", battle.ReasonInOtherBattle, "live c is in another battle"),
					refused("b", battle.ReasonNoValidTarget, "host ub is in the battle already"),
				}
			})},
		},
		{
			Name:  "a host cannot fight itself",
			Given: then(abc, battle.ConnectionJoined{ConnectionID: "x", Live: battle.Participant{LiveID: "a2", Host: battle.User{ID: "ua"}}}),
			When:  request("a", "a2"), Reason: battle.ReasonNoValidTarget,
		},
		{Name: "who said no is free", Given: then(requested("c", "a", "d"), rejected("a"), joined("x", "b")), When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
		{Name: "who exited is free", Given: then(running("c", "a", "d"), exited("a", battle.ExitByHost), joined("x", "b")), When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
		{Name: "after a battle", Given: ended("a", "b"), When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
		{Name: "after one that never started", Given: neverStarted("a", "b"), When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
	})
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	abc := requested("a", "b", "c")
	late := expiresAt
	estest.Run(t, newMachine, nil, []row{
		{Name: "the only yes starts it", Given: requested("a", "b"), When: accept("b"), Then: history{accepted("b"), startingOf("a", "b")}},
		{Name: "the last yes starts it", Given: then(abc, accepted("b")), When: accept("c"), Then: history{accepted("c"), startingOf("a", "b", "c")}},
		{Name: "the last no starts it with those who accepted", Given: then(abc, accepted("b")), When: reject("c"), Then: history{rejected("c"), startingOf("a", "b")}},
		{Name: "a yes after a no", Given: then(abc, rejected("b")), When: accept("c"), Then: history{accepted("c"), startingOf("a", "c")}},
		{Name: "the only no ends it", Given: requested("a", "b"), When: reject("b"), Then: history{rejected("b"), never(battle.NeverRejected)}},
		{Name: "the last no ends it", Given: then(abc, rejected("b")), When: reject("c"), Then: history{rejected("c"), never(battle.NeverRejected)}},
		{Name: "yes again", Given: then(abc, accepted("b")), When: accept("b")},
		{Name: "no again", Given: then(abc, rejected("b")), When: reject("b")},
		{Name: "no after yes", Given: then(abc, accepted("b")), When: reject("b"), Reason: battle.ReasonInvitationEnded},
		{Name: "yes after no", Given: then(abc, rejected("b")), When: accept("b"), Reason: battle.ReasonInvitationEnded},
		{Name: "yes after no, running without it", Given: then(abc, rejected("c"), accepted("b"), startingOf("a", "b")), When: accept("c"), Reason: battle.ReasonInvitationEnded},
		{Name: "yes after the timeout", Given: then(abc, timedOut("c"), accepted("b"), startingOf("a", "b")), When: accept("c"), Reason: battle.ReasonInvitationEnded},
		{Name: "no after the timeout", Given: then(abc, timedOut("c"), accepted("b"), startingOf("a", "b")), When: reject("c"), Reason: battle.ReasonInvitationEnded},
		{Name: "yes by one that exited", Given: then(running("a", "b", "c"), exited("b", battle.ExitByHost)), When: accept("b"), Reason: battle.ReasonInvitationEnded},
		{Name: "yes by the inviter", Given: abc, When: accept("a"), Reason: battle.ReasonInvitationEnded},
		{Name: "no by the inviter", Given: abc, When: reject("a"), Reason: battle.ReasonInvitationEnded},
		{Name: "a yes at the timeout is late", Given: requested("a", "b"), Now: late, When: accept("b"), Reason: battle.ReasonBattleEnded},
		{Name: "a yes just before the timeout", Given: requested("a", "b"), Now: before(late), When: accept("b"), Then: history{accepted("b"), startingAt(before(late), "a", "b")}},
	})
}

func TestCancelForSome(t *testing.T) {
	t.Parallel()
	cancelled := func(name string) battle.Event {
		return battle.InviteeAnswered{BattleID: "b1", LiveID: name, Answer: battle.AnswerCancelled}
	}
	byUser := func(users ...string) battle.Command {
		return battle.CancelBattleRequest{BattleID: "b1", LiveID: "a", TargetUsers: users}
	}
	both := byUser("host-b").(battle.CancelBattleRequest)
	both.TargetLives = []string{"b"}
	abc := requested("a", "b", "c")
	withoutB := then(abc, cancelled("b"))
	estest.Run(t, newMachine, nil, []row{
		{Name: "one of two", Given: abc, When: cancel("a", "b"), Then: history{cancelled("b")}},
		{Name: "by its host", Given: abc, When: byUser(live("b").Host.ID), Then: history{cancelled("b")}},
		{Name: "both: it never starts", Given: abc, When: cancel("a", "c", "b"), Then: history{cancelled("c"), cancelled("b"), never(battle.NeverCancelled)}},
		{Name: "the last that is asked: it starts with those who accepted", Given: then(abc, accepted("b")), When: cancel("a", "c"), Then: history{cancelled("c"), startingOf("a", "b")}},
		{Name: "the last that is asked after a no", Given: then(abc, rejected("b")), When: cancel("a", "c"), Then: history{cancelled("c"), never(battle.NeverCancelled)}},
		{Name: "again", Given: withoutB, When: cancel("a", "b")},
		{Name: "again, and one more", Given: withoutB, When: cancel("a", "b", "c"), Then: history{cancelled("c"), never(battle.NeverCancelled)}},
		{Name: "yes after it", Given: withoutB, When: accept("b"), Reason: battle.ReasonInvitationEnded},
		{Name: "no after it", Given: withoutB, When: reject("b"), Reason: battle.ReasonInvitationEnded},
		{Name: "the other goes on", Given: withoutB, When: accept("c"), Then: history{accepted("c"), startingOf("a", "c")}},
		{Name: "one that has accepted, and nothing for the other", Given: then(abc, accepted("b")), When: cancel("a", "c", "b"), Reason: battle.ReasonInvitationEnded},
		{Name: "one that has rejected", Given: then(abc, rejected("b")), When: cancel("a", "b"), Reason: battle.ReasonInvitationEnded},
		{Name: "one that was not asked", Given: abc, When: cancel("a", "c", "z"), Reason: battle.ReasonNotInBattle},
		{Name: "the inviter itself", Given: abc, When: cancel("a", "a"), Reason: battle.ReasonNotInBattle},
		{Name: "by lives and hosts", Given: abc, When: both, Reason: es.ReasonInvalidArgument},
		{Name: "by an invitee", Given: abc, When: cancel("b", "c"), Reason: battle.ReasonBattleNotStartedByLive},
		{Name: "after the start", Given: running("a", "b"), When: cancel("a", "b"), Reason: battle.ReasonBattleAlreadyRunning},
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	abc := requested("a", "b", "c")
	estest.Run(t, newMachine, nil, []row{
		{Name: "one accepted", Given: then(abc, accepted("b")), Now: expiresAt, When: advance, Then: history{timedOut("c"), startingAt(expiresAt, "a", "b")}},
		{Name: "one rejected, one silent", Given: then(abc, rejected("b")), Now: expiresAt, When: advance, Then: history{timedOut("c"), never(battle.NeverTimedOut)}},
		{Name: "not before its time", Given: then(abc, accepted("b")), Now: before(expiresAt), When: advance},
		{Name: "long after", Given: requested("a", "b"), Now: endsAt, When: advance, Then: history{timedOut("b"), never(battle.NeverTimedOut)}},
		{Name: "the timeout comes before a cancel", Given: requested("a", "b"), Now: expiresAt, When: cancel("a"), Reason: battle.ReasonBattleEnded},
	})
}

func TestStart(t *testing.T) {
	t.Parallel()
	ab := starting("a", "b")
	abc := starting("a", "b", "c")
	started := battle.BattleStarted{BattleID: "b1"}
	estest.Run(t, newMachine, nil, []row{
		{Name: "all open before the start", Given: then(ab, opened("a")), When: reportOpened("b"), Then: history{opened("b")}},
		{Name: "not before its time", Given: then(ab, opened("a"), opened("b")), Now: before(startsAt), When: advance},
		{Name: "at its time", Given: then(ab, opened("a"), opened("b")), Now: startsAt, When: advance, Then: history{started}},
		{Name: "not with one closed", Given: then(ab, opened("a")), Now: startsAt, When: advance},
		{Name: "when the last has opened, if later", Given: then(ab, opened("a")), Now: startsAt.Add(time.Second), When: reportOpened("b"), Then: history{opened("b"), started}},
		{Name: "opened again", Given: then(ab, opened("a")), When: reportOpened("a")},
		{Name: "opened by one that is no part of it", Given: then(requested("a", "b", "c"), rejected("c"), accepted("b"), startingOf("a", "b")), When: reportOpened("c")},
		{Name: "aborted if not open in time", Given: then(ab, opened("a")), Now: abortAt, When: advance, Then: history{never(battle.NeverAborted)}},
		{Name: "an opening at the last moment is late", Given: then(ab, opened("a")), Now: abortAt, When: reportOpened("b"), Then: history{never(battle.NeverAborted)}},
		{Name: "an opening just in time", Given: then(ab, opened("a")), Now: before(abortAt), When: reportOpened("b"), Then: history{opened("b"), started}},
		{Name: "after an outage: open in time, so it starts, and its time is over", Given: then(ab, opened("a"), opened("b")), Now: endsAt.Add(time.Hour), When: advance, Then: history{started, timeOver()}},
		{Name: "fewer than two left", Given: ab, When: exit("b"), Then: history{exited("b", battle.ExitByHost), never(battle.NeverAborted)}},
		{Name: "fewer than two left: the inviter goes", Given: ab, When: departs(battle.ExitLiveEnded, "a"), Then: then(departed("a"), exited("a", battle.ExitLiveEnded), never(battle.NeverAborted))},
		{Name: "two left and open", Given: then(abc, opened("a"), opened("c")), Now: startsAt, When: exit("b"), Then: history{exited("b", battle.ExitByHost), started}},
		{Name: "two left and open, before the start", Given: then(abc, opened("a"), opened("c")), When: exit("b"), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "opened after it has exited", Given: then(abc, exited("b", battle.ExitByHost)), When: reportOpened("b")},
	})
}

func TestExit(t *testing.T) {
	t.Parallel()
	ab := running("a", "b")
	abc := running("a", "b", "c")
	withoutB := then(abc, exited("b", battle.ExitByHost))
	withRejected := then(requested("a", "b", "c"), rejected("c"), accepted("b"), startingOf("a", "b"))
	estest.Run(t, newMachine, nil, []row{
		{Name: "one of two: forfeit", Given: ab, When: exit("a"), Then: history{exited("a", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "one of three", Given: abc, When: exit("a"), Then: history{exited("a", battle.ExitByHost)}},
		{Name: "the last but one", Given: withoutB, When: exit("a"), Then: history{exited("a", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "again", Given: withoutB, When: exit("b")},
		{Name: "by one that rejected", Given: withRejected, When: exit("c"), Reason: battle.ReasonNotInBattle},
		{Name: "by the inviter of a pending request", Given: requested("a", "b"), When: exit("a"), Reason: battle.ReasonBattleNotStarted},
		{Name: "at the end the time is over first", Given: ab, Now: endsAt, When: exit("a"), Then: history{timeOver()}},
		{Name: "just before the end", Given: ab, Now: before(endsAt), When: exit("a"), Then: history{exited("a", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "leaving without a battle", Given: connect("x", "a"), When: leave("a")},
		{Name: "leaving one of two", Given: ab, When: leave("a"), Then: history{exited("a", battle.ExitLeftConnection), ending(battle.EndForfeit)}},
		{Name: "leaving as the inviter of a pending request", Given: requested("a", "b", "c"), When: leave("a"), Then: history{never(battle.NeverCancelled)}},
		{Name: "leaving as the only invitee", Given: requested("a", "b"), When: leave("b"), Then: history{exited("b", battle.ExitLeftConnection), never(battle.NeverAborted)}},
		{
			Name: "leaving as the last who has not answered", Given: then(requested("a", "b", "c"), accepted("b")), When: leave("c"),
			Then: history{exited("c", battle.ExitLeftConnection), startingOf("a", "b")},
		},
		{Name: "leaving after having accepted", Given: then(requested("a", "b", "c"), accepted("b")), When: leave("b"), Then: history{exited("b", battle.ExitLeftConnection)}},
		{Name: "leaving after having rejected", Given: then(requested("a", "b", "c"), rejected("b")), When: leave("b")},
	})
}

func TestCohost(t *testing.T) {
	t.Parallel()
	ab := running("a", "b")
	read := battle.CohostRead{Sequence: 9}
	estest.Run(t, newMachine, nil, []row{
		{
			Name: "a connection of two dissolves: the one that stayed wins", Given: ab,
			When: departs(battle.ExitLeftConnection, "a", "b"),
			Then: history{read, left("x", "a"), exited("a", battle.ExitLeftConnection), ending(battle.EndForfeit), left("x", "b")},
		},
		{
			Name: "a live of two ends", Given: ab, When: departs(battle.ExitLiveEnded, "a"),
			Then: history{read, left("x", "a"), exited("a", battle.ExitLiveEnded), ending(battle.EndLiveEnded)},
		},
		{
			Name: "the last departure decides the reason", Given: then(running("a", "b", "c"), exited("a", battle.ExitLiveEnded)),
			When: departs(battle.ExitLost, "b"),
			Then: then(departed("b"), exited("b", battle.ExitLost), ending(battle.EndForfeit)),
		},
		{
			Name: "all of a nine leave at once", Given: running("a", "b", "c", "d", "e", "f", "g", "h", "i"),
			When: departs(battle.ExitLeftConnection, "a", "b", "c", "d", "e", "f", "g", "h", "i"),
			Then: history{
				read,
				left("x", "a"), exited("a", battle.ExitLeftConnection), left("x", "b"), exited("b", battle.ExitLeftConnection),
				left("x", "c"), exited("c", battle.ExitLeftConnection), left("x", "d"), exited("d", battle.ExitLeftConnection),
				left("x", "e"), exited("e", battle.ExitLeftConnection), left("x", "f"), exited("f", battle.ExitLeftConnection),
				left("x", "g"), exited("g", battle.ExitLeftConnection), left("x", "h"), exited("h", battle.ExitLeftConnection),
				ending(battle.EndForfeit), left("x", "i"),
			},
		},
		{
			Name: "it moves to another connection in one group", Given: ab,
			When: battle.ReadCohost{Sequence: 9, Facts: []battle.ConnectionFact{
				{ConnectionID: "x", Live: battle.Participant{LiveID: "b"}, Left: battle.ExitLeftConnection},
				{ConnectionID: "y", Live: live("b")},
			}},
			Then: history{read, left("x", "b"), exited("b", battle.ExitLeftConnection), ending(battle.EndForfeit), joined("y", "b")},
		},
		{
			Name: "the inviter of a pending request leaves", Given: requested("a", "b"), When: departs(battle.ExitLeftConnection, "a", "b"),
			Then: history{read, left("x", "a"), never(battle.NeverCancelled), left("x", "b")},
		},
		{
			Name: "the only invitee leaves", Given: requested("a", "b"), When: departs(battle.ExitLiveEnded, "b", "a"),
			Then: history{read, left("x", "b"), exited("b", battle.ExitLiveEnded), never(battle.NeverAborted), left("x", "a")},
		},
		{Name: "the time was over before", Given: ab, Now: endsAt, When: departs(battle.ExitLiveEnded, "a"), Then: history{read, left("x", "a"), timeOver()}},
		{
			Name: "the time was over before it was told to have started", Given: then(starting("a", "b"), opened("a"), opened("b")), Now: endsAt,
			When: departs(battle.ExitLiveEnded, "a", "b"),
			Then: history{read, left("x", "a"), battle.BattleStarted{BattleID: "b1"}, timeOver(), left("x", "b")},
		},
		{Name: "who rejected may leave", Given: then(requested("a", "b", "c"), rejected("c")), When: departs(battle.ExitLeftConnection, "c"), Then: departed("c")},
		{Name: "a group is read once", Given: then(ab, read), When: departs(battle.ExitLiveEnded, "a")},
		{Name: "an older group", Given: then(ab, battle.CohostRead{Sequence: 10}), When: departs(battle.ExitLiveEnded, "a")},
	})
}

func TestSettle(t *testing.T) {
	t.Parallel()
	gifters := []battle.Gifter{{User: battle.User{ID: "v1"}, Points: 40}, {User: battle.User{ID: "v2"}, Points: 2}}
	proof := battle.Proof{Partition: 3, OpenedSequence: 7, ClosedSequence: 9, ChainHash: []byte{1}, Gifts: 12}
	full := battle.Closing{Total: 42, TopGifters: gifters, Proof: proof}
	result := func(settledAt time.Time, draw bool, winners []string, lives ...battle.LiveResult) *battle.Result {
		return &battle.Result{Lives: lives, Draw: draw, Winners: winners, SettledAt: settledAt}
	}
	of := func(name string, score int64, rank int32, exited bool) battle.LiveResult {
		return battle.LiveResult{LiveID: name, UserID: "u" + name, Score: score, Rank: rank, Exited: exited}
	}
	endedWith := func(reason battle.EndReason, r *battle.Result) battle.Event {
		return battle.BattleEnded{BattleID: "b1", Reason: reason, Result: r}
	}
	late := endsAt.Add(time.Hour)
	abc := settling("a", "b", "c")
	estest.Run(t, newMachine, nil, []row{
		{
			Name: "with gifters, MVP and proof", Given: then(settling("a", "b"), closedWith("a", 50)), Now: late,
			When: battle.ReportClosed{BattleID: "b1", LiveID: "b", Closing: full},
			Then: history{
				battle.LiveClosed{BattleID: "b1", LiveID: "b", Closing: full},
				endedWith(battle.EndTimeOver, result(late, false, []string{"a"}, of("a", 50, 1, false), battle.LiveResult{
					LiveID: "b", UserID: "ub", Score: 42, Rank: 2, TopGifters: gifters, MVP: "v1", Proof: proof,
				})),
			},
		},
		{
			Name: "a draw of all", Given: then(settling("a", "b"), closedWith("b", 0)), Now: late, When: reportClosed("a", 0),
			Then: history{closedWith("a", 0), endedWith(battle.EndTimeOver, result(late, true, []string{"a", "b"}, of("a", 0, 1, false), of("b", 0, 1, false)))},
		},
		{
			Name: "a draw at the top", Given: then(abc, closedWith("b", 7), closedWith("a", 3)), Now: late, When: reportClosed("c", 7),
			Then: history{closedWith("c", 7), endedWith(battle.EndTimeOver,
				result(late, true, []string{"b", "c"}, of("b", 7, 1, false), of("c", 7, 1, false), of("a", 3, 3, false)))},
		},
		{
			Name: "a tie below the top is no draw", Given: then(abc, closedWith("b", 7), closedWith("a", 3)), Now: late, When: reportClosed("c", 3),
			Then: history{closedWith("c", 3), endedWith(battle.EndTimeOver,
				result(late, false, []string{"b"}, of("b", 7, 1, false), of("a", 3, 2, false), of("c", 3, 2, false)))},
		},
		{
			Name:  "who exited never wins, and its total stays",
			Given: then(running("a", "b", "c"), exited("a", battle.ExitByHost), closedWith("a", 100), timeOver(), closedWith("b", 1)),
			Now:   late, When: reportClosed("c", 2),
			Then: history{closedWith("c", 2), endedWith(battle.EndTimeOver,
				result(late, false, []string{"c"}, of("c", 2, 1, false), of("b", 1, 2, false), of("a", 100, 3, true)))},
		},
		{
			Name:  "it waits for those that exited as well",
			Given: then(running("a", "b"), exited("a", battle.ExitByHost), ending(battle.EndForfeit)),
			Now:   late, When: reportClosed("b", 2), Then: history{closedWith("b", 2)},
		},
		{
			Name:  "equal scores, one exited: no draw",
			Given: then(running("a", "b"), exited("a", battle.ExitByHost), ending(battle.EndForfeit), closedWith("b", 2)),
			Now:   late, When: reportClosed("a", 2),
			Then: history{closedWith("a", 2), endedWith(battle.EndForfeit, result(late, false, []string{"b"}, of("b", 2, 1, false), of("a", 2, 2, true)))},
		},
		{
			Name:  "who exited while starting has its gifts in the result as well",
			Given: then(starting("a", "b", "c"), exited("c", battle.ExitByHost), opened("a"), opened("b"), battle.BattleStarted{BattleID: "b1"}, timeOver(), closedWith("a", 1), closedWith("b", 2)),
			Now:   late, When: reportClosed("c", 3),
			Then: history{closedWith("c", 3), endedWith(battle.EndTimeOver,
				result(late, false, []string{"b"}, of("b", 2, 1, false), of("a", 1, 2, false), of("c", 3, 3, true)))},
		},
		{
			Name:  "who rejected is not in the result",
			Given: then(requested("a", "b", "c"), rejected("c"), accepted("b"), startingOf("a", "b"), opened("a"), opened("b"), battle.BattleStarted{BattleID: "b1"}, timeOver(), closedWith("a", 1)),
			Now:   late, When: reportClosed("b", 2),
			Then: history{closedWith("b", 2), endedWith(battle.EndTimeOver, result(late, false, []string{"b"}, of("b", 2, 1, false), of("a", 1, 2, false)))},
		},
		{Name: "exited while running: recorded, the battle goes on", Given: then(running("a", "b", "c"), exited("c", battle.ExitByHost)), When: reportClosed("c", 3), Then: history{closedWith("c", 3)}},
		{
			Name:  "closed after the end, before the timer: the end comes first",
			Given: then(running("a", "b", "c"), exited("c", battle.ExitByHost)), Now: endsAt, When: reportClosed("c", 3), Then: history{timeOver(), closedWith("c", 3)},
		},
		{Name: "by one that rejected", Given: then(requested("a", "b", "c"), rejected("c"), accepted("b"), startingOf("a", "b")), When: reportClosed("c", 2), Reason: battle.ReasonBattleNotStarted},
		{Name: "the same total again", Given: then(abc, closedWith("a", 3)), When: reportClosed("a", 3)},
		{Name: "another total", Given: then(abc, closedWith("a", 3)), When: reportClosed("a", 4), Reason: es.ReasonPayloadMismatch},
		{Name: "the same total again, after the end", Given: ended("a", "b"), When: reportClosed("a", 1)},
		{Name: "another total, after the end", Given: ended("a", "b"), When: reportClosed("a", 4), Reason: es.ReasonPayloadMismatch},
		{Name: "of a battle that never started", Given: then(starting("a", "b"), never(battle.NeverAborted)), When: reportClosed("a", 4)},
	})
}

// Every kind of event is produced by some decision of the life of one battle.
func TestEveryEventIsProduced(t *testing.T) {
	t.Parallel()
	estest.Run(t, newMachine, battle.Events(), []row{
		{Name: "read", When: newcomer, Then: newcomerRead},
		{Name: "request", Given: connect("x", "a", "b"), When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
		{
			Name: "sessions", Given: sessions("b", 1),
			When: battle.ReadCohost{Sequence: 9, Sessions: []battle.SessionFact{{LiveID: "a", Session: "s1", Fence: 1}, {LiveID: "b"}}},
			Then: then(battle.CohostRead{Sequence: 9}, sessions("a", 1), battle.LiveEnded{LiveID: "b"}),
		},
		{Name: "rejoin", Given: away(), When: rejoin("b"), Then: history{rejoined("b", 1)}},
		{Name: "accept", Given: requested("a", "b"), When: accept("b"), Then: history{accepted("b"), startingOf("a", "b")}},
		{
			Name: "open", Given: then(starting("a", "b"), opened("a")), Now: startsAt, When: reportOpened("b"),
			Then: history{opened("b"), battle.BattleStarted{BattleID: "b1"}},
		},
		{
			Name: "part", Given: running("a", "b"), When: departs(battle.ExitLost, "a"),
			Then: then(departed("a"), exited("a", battle.ExitLost), ending(battle.EndForfeit)),
		},
		{Name: "propose", Given: running("a", "b"), When: extend("a", time.Minute), Then: history{proposed("a", toExtend)}},
		{
			Name: "extend", Given: then(running("a", "b"), proposed("a", toExtend)), When: extend("b", time.Minute),
			Then: history{consented("b", toExtend), extended(time.Minute)},
		},
		{Name: "lapse", Given: then(running("a", "b"), proposed("a", toExtend)), Now: t0.Add(10 * time.Second), When: advance, Then: history{lapsed(toExtend)}},
		{
			Name: "close", Given: then(settling("a", "b"), closedWith("a", 0)), When: reportClosed("b", 1),
			Then: history{closedWith("b", 1), battle.BattleEnded{BattleID: "b1", Reason: battle.EndTimeOver, Result: &battle.Result{
				Lives: []battle.LiveResult{
					{LiveID: "b", UserID: "ub", Score: 1, Rank: 1}, {LiveID: "a", UserID: "ua", Rank: 2},
				},
				Winners: []string{"b"}, SettledAt: t0,
			}}},
		},
		{
			Name: "punishment over", Given: punishing(), Now: t0.Add(time.Second), When: advance,
			Then: history{battle.PunishmentEnded{BattleID: "b1", Reason: battle.PunishmentTimeOver}},
		},
		{
			Name: "part between rounds", Given: awaiting(), When: leave("b"),
			Then: history{
				battle.SeriesExited{BattleID: "b1", LiveID: "b", Reason: battle.ExitLeftConnection},
				battle.SeriesEnded{BattleID: "b1", End: battle.SeriesSidesLeft, Winner: "a"},
			},
		},
		{
			Name: "next round", Given: awaiting(), Now: t0.Add(time.Second), When: advance,
			Then: history{
				battle.SeriesContinued{BattleID: "b1", NextBattleID: "b1-2"},
				battle.BattleRequested{
					BattleID: "b1-2", ConnectionID: "x", Terms: pinned(terms(true)), Inviter: live("a"), Invitees: lives("b"),
					Series: battle.Series{ID: "b1", BestOf: 3, Round: 2},
				},
				battle.BattleStarting{
					BattleID: "b1-2", StartsAt: startsAt.Add(time.Second), EndsAt: endsAt.Add(time.Second), RuleSet: "default@1", Participants: lives("a", "b"),
				},
			},
		},
	})
}
