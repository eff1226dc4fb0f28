package battle_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

var punished = battle.Terms{Duration: 10 * time.Second, Mode: battle.FreeForAll, Punishment: 30 * time.Second}

// inPunishment is after b1, which a has won.
func inPunishment(t *testing.T, names ...string) *saga {
	t.Helper()
	s := newSaga(t, settings(), names...)
	s.request("b1", punished, names[1:]...)
	s.fight("b1", "a9 b1 c2 d3"[:3*len(names)-1])
	s.told("b1 requested: "+spaced(names), "b1 ended, punishment")
	return s
}

func spaced(names []string) string {
	all := names[0]
	for _, n := range names[1:] {
		all += " " + n
	}
	return all
}

func TestPunishmentTerms(t *testing.T) {
	t.Parallel()
	with := func(d time.Duration) battle.Command {
		c := request("a", "b")
		c.Terms.Punishment = d
		return c
	}
	requested := requestOf("b2", "a", "b").(battle.BattleRequested)
	requested.Terms.Punishment = 10 * time.Minute
	estest.Run(t, newMachine, nil, []row{
		{Name: "too long", Given: connect("x", "a", "b"), When: with(601 * time.Second), Reason: es.ReasonInvalidArgument},
		{Name: "negative", Given: connect("x", "a", "b"), When: with(-time.Second), Reason: es.ReasonInvalidArgument},
		{Name: "the longest", Given: connect("x", "a", "b"), When: with(10 * time.Minute), Then: history{requested}},
	})
}

func TestPunishmentTakesItsTime(t *testing.T) {
	t.Parallel()
	s := inPunishment(t, "a", "b")
	b := s.battle("b1")
	if b.Phase != battle.PhaseEnded || !b.Punishing() || !b.PunishmentEndsAt.Equal(s.now.Add(30*time.Second)) {
		t.Errorf("%+v", b)
	}
	s.after(30*time.Second - time.Millisecond)
	s.do(battle.Advance{BattleID: "b1"})
	s.told()
	s.after(time.Millisecond)
	s.told("b1 punishment end 1")
	s.do(battle.Advance{BattleID: "b1"}) // late, and again
	s.told()
	if after := s.battle("b1"); after.Punishing() || !after.PunishmentEndsAt.Equal(b.PunishmentEndsAt) {
		t.Errorf("%+v", after)
	}
	s.still("a", "b")
}

// Who was punished is free for other battles; one that starts ends the punishment, one that is only requested does not.
func TestPunishmentEndsWithANewBattle(t *testing.T) {
	t.Parallel()
	s := inPunishment(t, "a", "b", "c")
	asked := punished
	asked.NeedResponse = true
	s.do(battle.RequestBattle{BattleID: "b2", Inviter: "b", TargetLives: []string{"c"}, Terms: asked})
	s.told("b2 requested: b c")
	s.after(time.Second)
	s.do(battle.AcceptBattle{BattleID: "b2", LiveID: "c"})
	s.told("b1 punishment end 2")
	if b := s.battle("b1"); !b.PunishmentEndsAt.Equal(s.now) {
		t.Errorf("it has ended at %s", b.PunishmentEndsAt)
	}
	s.fight("b2", "b1 c2")
	s.after(time.Hour)
	s.told("b2 ended, punishment", "b2 punishment end 1")
	s.still("a", "b", "c")
}

// At its end the time is over first, whatever else would end it.
func TestPunishmentIsOverFirst(t *testing.T) {
	t.Parallel()
	s := inPunishment(t, "a", "b")
	s.now = s.now.Add(30 * time.Second)
	s.request("b2", battle.Terms{}, "b")
	s.told("b2 requested: a b", "b1 punishment end 1")

	s = inPunishment(t, "a", "b")
	s.now = s.now.Add(30 * time.Second)
	s.part(battle.ExitLeftConnection, "a", "b")
	s.told("b1 punishment end 1")
}

func TestPunishmentEndsWithoutWinnersOrLosers(t *testing.T) {
	t.Parallel()
	s := inPunishment(t, "a", "b", "c")
	s.part(battle.ExitLost, "b")
	s.told() // c is left
	s.part(battle.ExitLeftConnection, "c")
	s.told("b1 punishment end 3")
	s.still()

	s = inPunishment(t, "a", "b", "c")
	s.part(battle.ExitLiveEnded, "a")
	s.told("b1 punishment end 3")

	s = inPunishment(t, "a", "b", "c")
	s.part(battle.ExitLeftConnection, "a", "b", "c") // it dissolves
	s.told("b1 punishment end 3")

	s = inPunishment(t, "a", "b", "c")
	s.part(battle.ExitLeftConnection, "c")
	s.join("x", "d")
	s.part(battle.ExitLeftConnection, "d") // has not played
	s.told()
}

func TestNoPunishment(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(*saga){
		"a draw": func(s *saga) { s.fight("b1", "a1 b1 c1") },
		"a draw at the top": func(s *saga) {
			s.fight("b1", "a2 b2 c1")
		},
		"a forfeit": func(s *saga) {
			s.run("b1")
			s.do(battle.ExitBattle{BattleID: "b1", LiveID: "b"})
			s.do(battle.ExitBattle{BattleID: "b1", LiveID: "c"})
			s.settle("b1", "a1 b1 c1")
		},
		"the losers left while it was settled": func(s *saga) {
			s.run("b1")
			s.after(10 * time.Second)
			s.part(battle.ExitLiveEnded, "b", "c")
			s.settle("b1", "a2 b1 c1")
		},
		"never started": func(s *saga) { s.after(10 * time.Second) },
	} {
		s := newSaga(t, settings(), "a", "b", "c")
		s.request("b1", punished, "b", "c")
		play(s)
		s.told("b1 requested: a b c", "b1 ended")
		s.still("a")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Whoever is left of those who lost is punished, though others have exited.
func TestPunishmentOfWhoStayed(t *testing.T) {
	t.Parallel()
	s := newSaga(t, settings(), "a", "b", "c", "d")
	s.request("b1", punished, "b", "c")
	s.run("b1")
	s.do(battle.ExitBattle{BattleID: "b1", LiveID: "b"})
	s.do(battle.RequestBattle{BattleID: "b2", Inviter: "b", TargetLives: []string{"d"}})
	s.after(10 * time.Second)
	s.settle("b1", "a2 b0 c1")
	s.told("b1 requested: a b c", "b2 requested: b d", "b2 ended", "b1 ended, punishment")
	s.part(battle.ExitLost, "c")
	s.told("b1 punishment end 3")
}
