package battle_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

func battleRefusal(t *testing.T, err error) *es.Refusal {
	t.Helper()
	r, ok := errors.AsType[*es.Refusal](err)
	if !ok {
		t.Fatalf("%v is no refusal", err)
	}
	return r
}

func bestOf(n int32, punishment time.Duration) battle.Terms {
	return battle.Terms{Duration: 10 * time.Second, Mode: battle.FreeForAll, BestOf: n, Punishment: punishment}
}

// pinned are terms of the rounds after the first, counted by its rules.
func pinned(t battle.Terms) battle.Terms {
	t.RuleSet = battle.RuleSet
	return t
}

// round1 is the id of a round of series s, from 0.
func round1(n int) string {
	if n == 0 {
		return "s"
	}
	return fmt.Sprint("s-", n+1)
}

// series is a saga with the series s of a and others.
func series(t *testing.T, terms battle.Terms, others ...string) *saga {
	t.Helper()
	s := newSaga(t, settings(), append([]string{"a"}, others...)...)
	s.request("s", terms, others...)
	s.events = nil
	return s
}

func TestSeriesTerms(t *testing.T) {
	t.Parallel()
	with := func(n int32) battle.Command {
		c := request("a", "b")
		c.Terms.BestOf = n
		return c
	}
	requested := func(n int32, s battle.Series) battle.Event {
		e := requestOf("b2", "a", "b").(battle.BattleRequested)
		e.Terms.BestOf, e.Series = n, s
		return e
	}
	ab := connect("x", "a", "b")
	estest.Run(t, newMachine, nil, []row{
		{Name: "even", Given: ab, When: with(2), Reason: es.ReasonInvalidArgument},
		{Name: "too many", Given: ab, When: with(11), Reason: es.ReasonInvalidArgument},
		{Name: "negative", Given: ab, When: with(-1), Reason: es.ReasonInvalidArgument},
		{Name: "one is a single battle", Given: ab, When: with(1), Then: history{requested(1, battle.Series{})}},
		{Name: "the most", Given: ab, When: with(9), Then: history{requested(9, battle.Series{ID: "b2", BestOf: 9, Round: 1})}},
	})
}

func TestSeriesByMajority(t *testing.T) {
	t.Parallel()
	s := series(t, bestOf(3, 0), "b")
	s.fight("s", "a2 b1")
	s.told("s ended, next for a b")
	b := s.battle("s")
	if want := (battle.Series{
		ID: "s", BestOf: 3, Round: 1, Wins: []battle.Wins{{Side: "a", Rounds: 1}}, NextAt: s.now.Add(5 * time.Second), Waiting: []string{"a", "b"},
	}); b.Phase != battle.PhaseEnded || !cmp.Equal(b.Series, want) {
		t.Errorf("%+v", b)
	}
	s.after(5*time.Second - time.Millisecond)
	s.do(battle.Advance{BattleID: "s"})
	s.told()
	s.after(time.Millisecond)
	s.told("s goes on as s-2", "s-2 requested: a b")
	if b := s.battle("s-2"); b.Phase != battle.PhaseStarting || !cmp.Equal(b.Terms, pinned(bestOf(3, 0))) || !b.StartsAt.Equal(s.now.Add(300*time.Millisecond)) {
		t.Errorf("%+v", b)
	}
	s.do(battle.Advance{BattleID: "s"}) // late, and again
	s.told()
	s.fight("s-2", "a1 b2")
	s.after(5 * time.Second)
	s.fight("s-3", "a1 b2")
	s.told("s-2 ended, next for a b", "s-2 goes on as s-3", "s-3 requested: a b", `s-3 ended, series end 1 winner "b"`)
	if got, want := s.battle("s-3").Series.Wins, []battle.Wins{{Side: "a", Rounds: 1}, {Side: "b", Rounds: 2}}; !cmp.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	s.still("a", "b")
}

// With its punishments, a round begins an interval after the one of the round before.
func TestSeriesWithPunishment(t *testing.T) {
	t.Parallel()
	s := series(t, bestOf(3, 30*time.Second), "b")
	s.fight("s", "a2 b1")
	s.after(30 * time.Second)
	s.told("s ended, next for a b, punishment", "s punishment end 1")
	s.after(5*time.Second - time.Millisecond)
	s.told()
	s.after(time.Millisecond)
	s.told("s goes on as s-2", "s-2 requested: a b")
	s.fight("s-2", "a2 b1")
	s.told(`s-2 ended, series end 1 winner "a", punishment`)
	s.after(time.Hour)
	s.told("s-2 punishment end 1")
	s.still("a", "b")

	// Both late: one decision brings both.
	s = series(t, bestOf(3, 30*time.Second), "b")
	s.fight("s", "a2 b1")
	s.after(time.Hour)
	s.told("s ended, next for a b, punishment", "s punishment end 1", "s goes on as s-2", "s-2 requested: a b")
}

// Nobody is asked again, though the first round needed an answer.
func TestSeriesIsAskedOnce(t *testing.T) {
	t.Parallel()
	terms := bestOf(3, 0)
	terms.NeedResponse = true
	s := series(t, terms, "b", "c", "d")
	s.do(battle.AcceptBattle{BattleID: "s", LiveID: "c"})
	s.do(battle.AcceptBattle{BattleID: "s", LiveID: "b"})
	s.do(battle.RejectBattle{BattleID: "s", LiveID: "d"})
	s.run("s")
	s.after(10 * time.Second)
	s.settle("s", "a1 b2 c1")
	s.after(5 * time.Second)
	s.told("s ended, next for a b c", "s goes on as s-2", "s-2 requested: a b c")
	if b := s.battle("s-2"); b.Phase != battle.PhaseStarting || !b.ExpiresAt.IsZero() || !b.Terms.NeedResponse {
		t.Errorf("%+v", b)
	}
}

func TestDrawnRounds(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		rounds []string
		last   string
	}{
		{[]string{"a1 b1", "a1 b1", "a1 b1"}, `s-3 ended, series end 2 winner ""`},
		{[]string{"a1 b1", "a2 b1", "a1 b1"}, `s-3 ended, series end 2 winner "a"`},
		{[]string{"a1 b1", "a2 b1", "a1 b2"}, `s-3 ended, series end 2 winner ""`},
		{[]string{"a1 b2", "a1 b1", "a1 b2"}, `s-3 ended, series end 1 winner "b"`},
	} {
		s := series(t, bestOf(3, 0), "b")
		for i, totals := range x.rounds {
			s.fight(round1(i), totals)
			s.after(5 * time.Second)
		}
		s.events = s.events[len(s.events)-1:]
		s.told(x.last)
		s.still("a", "b")
	}
	s := series(t, bestOf(3, 0), "b", "c")
	for i, totals := range []string{"a2 b1 c1", "a1 b2 c1", "a1 b1 c2"} {
		s.fight(round1(i), totals)
		s.after(5 * time.Second)
	}
	s.events = s.events[len(s.events)-1:]
	s.told(`s-3 ended, series end 2 winner ""`)
	s.still("a", "b", "c")
}

// Between rounds a live is taken: it can neither request another battle, nor a rematch, nor be asked.
func TestWaitingForTheNextRound(t *testing.T) {
	t.Parallel()
	s := series(t, bestOf(3, 30*time.Second), "b")
	s.join("x", "c")
	s.fight("s", "a2 b1")
	for range 2 { // in the punishment, and after it
		s.refused(battle.RequestBattle{Inviter: "a", TargetLives: []string{"c"}}, battle.ReasonInOtherBattle)
		s.refused(battle.RequestBattle{Inviter: "c", TargetLives: []string{"b"}}, battle.ReasonInOtherBattle)
		s.refused(battle.Rematch{Of: "s", LiveID: "a"}, battle.ReasonBattleAlreadyRunning)
		s.refused(battle.ExitBattle{BattleID: "s", LiveID: "c"}, battle.ReasonBattleEnded)
		s.after(30 * time.Second)
	}
}

func TestLeavingBetweenRounds(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		leave  func(*saga)
		reason battle.ExitReason
	}{
		"exit":       {func(s *saga) { s.do(battle.ExitBattle{BattleID: "s", LiveID: "a"}) }, battle.ExitByHost},
		"leave":      {func(s *saga) { s.do(battle.LeaveBattle{LiveID: "a"}) }, battle.ExitLeftConnection},
		"lost":       {func(s *saga) { s.do(battle.LeaveBattle{LiveID: "a", Lost: true}) }, battle.ExitLost},
		"live ended": {func(s *saga) { s.part(battle.ExitLiveEnded, "a") }, battle.ExitLiveEnded},
		"dissolved":  {func(s *saga) { s.part(battle.ExitLost, "a", "b") }, battle.ExitLost},
	} {
		s := series(t, bestOf(5, 0), "b")
		s.fight("s", "a2 b1")
		s.told("s ended, next for a b")
		x.leave(s)
		s.told(fmt.Sprintf("s left by a: %d", x.reason), `s series end 3 winner "b"`)
		if b := s.battle("s"); b.Result.Lives[0].Exited || b.Members[0].State != battle.Joined {
			t.Errorf("%s: the round has changed: %+v", name, b)
		}
		s.refused(battle.ExitBattle{BattleID: "s", LiveID: "a"}, battle.ReasonBattleEnded)
		s.after(time.Hour)
		s.told()
		s.still()
	}
	// Two sides are left of three; who left is free, and does not win with what it has won.
	s := series(t, bestOf(3, 0), "b", "c")
	s.fight("s", "a2 b1 c1")
	s.do(battle.ExitBattle{BattleID: "s", LiveID: "a"})
	s.join("x", "d")
	s.do(battle.RequestBattle{BattleID: "other", Inviter: "a", TargetLives: []string{"d"}, Terms: terms(true)})
	s.after(5 * time.Second)
	s.told("s ended, next for a b c", "s left by a: 1", "other requested: a d", "s goes on as s-2", "s-2 requested: b c")
	s.fight("s-2", "b1 c1")
	s.after(5 * time.Second)
	s.fight("s-3", "b1 c1")
	s.told("s-2 ended, next for b c", "s-2 goes on as s-3", "s-3 requested: b c", "other ended", `s-3 ended, series end 2 winner ""`)
}

// In the very moment in which the next round is due, it has begun: who leaves then leaves it.
func TestLeavingAtTheNextRound(t *testing.T) {
	t.Parallel()
	due := func() *saga {
		s := series(t, bestOf(3, 0), "b")
		s.fight("s", "a2 b1")
		s.now = s.now.Add(5 * time.Second)
		s.events = nil
		return s
	}
	s := due()
	s.part(battle.ExitLeftConnection, "b", "a")
	s.told("s goes on as s-2", "s-2 requested: a b", `s-2 ended, series end 3 winner "a"`)
	s.still()
	s = due()
	s.do(battle.LeaveBattle{LiveID: "b"})
	s.told("s goes on as s-2", "s-2 requested: a b", `s-2 ended, series end 3 winner "a"`)
	s.still("a", "b")
	s = due()
	s.refused(battle.ExitBattle{BattleID: "s", LiveID: "b"}, battle.ReasonBattleEnded)
	s.after(0)
	s.told("s goes on as s-2", "s-2 requested: a b")
}

func TestSeriesEndsWithARound(t *testing.T) {
	t.Parallel()
	leave := func(s *saga, names ...string) {
		for _, n := range names {
			s.do(battle.ExitBattle{BattleID: "s", LiveID: n})
		}
	}
	for name, x := range map[string]struct {
		play func(*saga)
		last string
	}{
		"the first round is never started": {func(s *saga) { s.after(10 * time.Second) }, `s ended, series end 4 winner ""`},
		"the first round is left before":   {func(s *saga) { leave(s, "b", "c") }, `s ended, series end 4 winner ""`},
		"a forfeit":                        {func(s *saga) { s.run("s"); leave(s, "b", "c"); s.settle("s", "a1 b2 c3") }, `s ended, series end 3 winner "a"`},
		"one has exited":                   {func(s *saga) { s.run("s"); leave(s, "b"); s.after(10 * time.Second); s.settle("s", "a1 b2 c3") }, "s ended, next for a c"},
		"gone while it settled": {func(s *saga) {
			s.run("s")
			s.after(10 * time.Second)
			s.part(battle.ExitLeftConnection, "a")
			s.settle("s", "a3 b2 c1")
		}, "s ended, next for b c"},
		"all gone while it settled": {func(s *saga) {
			s.run("s")
			s.after(10 * time.Second)
			s.part(battle.ExitLeftConnection, "a", "b", "c")
			s.settle("s", "a3 b2 c1")
		}, `s ended, series end 3 winner ""`},
		"a later round is never started": {func(s *saga) { s.fight("s", "a3 b2 c1"); s.after(5 * time.Second); s.after(time.Minute) }, `s-2 ended, series end 4 winner ""`},
		"a majority that has left": {func(s *saga) {
			s.fight("s", "a3 b2 c1")
			s.after(5 * time.Second)
			s.run("s-2")
			s.after(10 * time.Second)
			s.part(battle.ExitLiveEnded, "a")
			s.settle("s-2", "a3 b2 c1")
		}, `s-2 ended, series end 1 winner "a"`},
	} {
		s := series(t, bestOf(3, 0), "b", "c")
		x.play(s)
		s.events = s.events[len(s.events)-1:]
		s.told(x.last)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// The rounds have the ids that a reader of the log would give them, and a refold of it gives the same.
func TestRoundIDs(t *testing.T) {
	t.Parallel()
	s := newSaga(t, settings(), "a", "b")
	const id = "abcdefghijklmnopqrstuvwxyz" // as long as those made at a door
	s.request(id, bestOf(9, 0), "b")
	for round := 1; round <= 9; round++ {
		name := id
		if round > 1 {
			name = fmt.Sprint(id, "-", round)
		}
		if b := s.battle(name); b.Series.ID != id || b.Series.Round != int32(round) || len(name) > 48 {
			t.Fatalf("%s: %+v", name, b.Series)
		}
		s.fight(name, "a1 b1")
		s.after(5 * time.Second)
	}
	s.still("a", "b")
}

// A rematch of a round is a new series.
func TestRematchOfASeries(t *testing.T) {
	t.Parallel()
	s := series(t, bestOf(3, 0), "b")
	s.fight("s", "a1 b2")
	s.after(5 * time.Second)
	s.refused(battle.Rematch{BattleID: "r", Of: "s", LiveID: "a"}, battle.ReasonInOtherBattle) // round 2 has begun
	s.fight("s-2", "a1 b2")
	s.do(battle.Rematch{BattleID: "r", Of: "s-2", LiveID: "a"})
	if b := s.battle("r"); b.RematchOf != "s-2" || !cmp.Equal(b.Series, battle.Series{ID: "r", BestOf: 3, Round: 1}) {
		t.Errorf("%+v", b)
	}
}
