package battle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

func TestRematch(t *testing.T) {
	t.Parallel()
	with := func(change func(*battle.Rematch)) battle.Command {
		c := rematch("b").(battle.Rematch)
		change(&c)
		return c
	}
	changed := func(change func(*battle.BattleRequested), names ...string) battle.Event {
		e := rematchOf(names...).(battle.BattleRequested)
		change(&e)
		return e
	}
	short := battle.Terms{Duration: 10 * time.Second, Mode: battle.FreeForAll}
	abc := ended("a", "b", "c")
	withRejected := then(
		requested("a", "b", "c"), rejected("c"), accepted("b"), startingOf("a", "b"), opened("a"), opened("b"), battle.BattleStarted{BattleID: "b1"},
		timeOver(), closedWith("a", 1), closedWith("b", 2), battle.BattleEnded{BattleID: "b1", Reason: battle.EndTimeOver, Result: &battle.Result{}},
	)
	aborted := then(starting("a", "b"), never(battle.NeverAborted))
	estest.Run(t, newMachine, nil, []row{
		{Name: "by the inviter", Given: abc, When: rematch("a"), Then: history{rematchOf("a", "b", "c")}},
		{Name: "by an invitee", Given: abc, When: rematch("b"), Then: history{rematchOf("b", "a", "c")}},
		{Name: "by one that exited", Given: then(connect("x", "a", "b", "c"), abc[3:len(abc)-1], exited("b", battle.ExitByHost), abc[len(abc)-1]), When: rematch("b"), Then: history{rematchOf("b", "a", "c")}},
		{
			Name: "with its own terms", Given: abc,
			When: with(func(c *battle.Rematch) { c.Terms = &short }),
			Then: history{
				changed(func(e *battle.BattleRequested) { e.Terms, e.ExpiresAt = short, time.Time{} }, "b", "a", "c"),
				battle.BattleStarting{
					BattleID: "b2", StartsAt: startsAt, EndsAt: startsAt.Add(10 * time.Second), RuleSet: "default@1", Participants: lives("b", "a", "c"),
				},
			},
		},
		{
			Name: "with its own timeout", Given: abc,
			When: with(func(c *battle.Rematch) { c.Timeout = time.Second }),
			Then: history{changed(func(e *battle.BattleRequested) { e.ExpiresAt = t0.Add(time.Second) }, "b", "a", "c")},
		},
		{
			Name: "of those still connected", Given: then(abc, left("x", "c"), joined("y", "c")), When: rematch("b"),
			Then: history{changed(func(e *battle.BattleRequested) {
				e.Refused = []battle.RefusedTarget{{Target: "c", Reason: battle.ReasonNoValidTarget, Detail: "live c is not connected with live b"}}
			}, "b", "a")},
		},
		{
			Name: "of those who are free", Given: then(abc, connect("x", "d"), requestOf("b3", "d", "c")), When: rematch("b"),
			Then: history{changed(func(e *battle.BattleRequested) {
				e.Refused = []battle.RefusedTarget{{
					Target: "c", Reason: battle.ReasonBattleRequestPending, Detail: "live c takes part in the pending request of another battle",
				}}
			}, "b", "a")},
		},
		{Name: "with nobody left", Given: then(abc, left("x", "a"), left("x", "c")), When: rematch("b"), Reason: battle.ReasonNoValidTarget},
		{Name: "by one that has left", Given: then(abc, left("x", "b")), When: rematch("b"), Reason: battle.ReasonConnectionNotFound},
		{Name: "by one that is in another battle", Given: then(abc, requestOf("b3", "b", "c")), When: rematch("b"), Reason: battle.ReasonBattleRequestPending},
		{Name: "without those who rejected", Given: withRejected, When: rematch("b"), Then: history{rematchOf("b", "a")}},
		{Name: "by one that rejected", Given: withRejected, When: rematch("c"), Reason: battle.ReasonNotInBattle},
		{Name: "by a stranger", Given: abc, When: rematch("z"), Reason: battle.ReasonNotInBattle},
		{Name: "of a request that nobody accepted", Given: neverStarted("a", "b"), When: rematch("a"), Reason: battle.ReasonNotInBattle},
		{Name: "of a battle that was given up", Given: aborted, When: rematch("a"), Then: history{rematchOf("a", "b")}},
		{
			Name: "of one that is given up now", Given: starting("a", "b"), Now: abortAt, When: rematch("a"),
			Then: history{never(battle.NeverAborted), changed(func(e *battle.BattleRequested) { e.ExpiresAt = abortAt.Add(30 * time.Second) }, "a", "b")},
		},
		{Name: "of a request that times out now", Given: requested("a", "b"), Now: expiresAt, When: rematch("a"), Reason: battle.ReasonNotInBattle},
		{Name: "of a request", Given: requested("a", "b"), When: rematch("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "of a battle that settles", Given: settling("a", "b"), When: rematch("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "of one that runs", Given: running("a", "b"), When: rematch("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "of one whose time is over", Given: running("a", "b"), Now: endsAt, When: rematch("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "of none", Given: connect("x", "a", "b"), When: rematch("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "with bad terms", Given: abc, When: with(func(c *battle.Rematch) { c.Terms = &battle.Terms{Mode: 99} }), Reason: es.ReasonInvalidArgument},
		{Name: "with a bad timeout", Given: abc, When: with(func(c *battle.Rematch) { c.Timeout = time.Hour }), Reason: es.ReasonInvalidArgument},
	})
}

// A rematch may be requested while the loser is punished, and ends the punishment when it starts.
func TestRematchInPunishment(t *testing.T) {
	t.Parallel()
	s := inPunishment(t, "a", "b")
	s.do(battle.Rematch{BattleID: "b2", Of: "b1", LiveID: "b"})
	s.told("b2 requested: b a", "b1 punishment end 2")
	if b := s.battle("b2"); b.RematchOf != "b1" || !cmp.Equal(b.Terms, punished) {
		t.Errorf("%+v", b)
	}
	s.fight("b2", "a1 b2")
	s.told("b2 ended, punishment")
}
