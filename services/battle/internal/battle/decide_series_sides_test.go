package battle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// redAndBlue are terms of a best of three of a and c against b and d.
func redAndBlue(punishment time.Duration) battle.Terms {
	t := bestOf(3, punishment)
	t.Mode, t.Teams = battle.Teams, []battle.Team{{ID: "red", LiveIDs: []string{"a", "c"}}, {ID: "blue", LiveIDs: []string{"b", "d"}}}
	return t
}

// Rounds between teams are won by teams, and go on while two of them have somebody left.
func TestSeriesOfTeams(t *testing.T) {
	t.Parallel()
	s := series(t, redAndBlue(0), "b", "c", "d")
	s.fight("s", "a1 b3 c4 d1")
	s.told("s ended, next for a b c d")
	if got, want := s.battle("s").Series.Wins, []battle.Wins{{Side: "red", Rounds: 1}}; !cmp.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	s.do(battle.ExitBattle{BattleID: "s", LiveID: "a"})
	s.after(5 * time.Second)
	s.told("s left by a: 1", "s goes on as s-2", "s-2 requested: b c d")
	if m, _ := s.battle("s-2").Member("c"); m.Team != "red" {
		t.Errorf("live c is in team %q", m.Team)
	}
	s.fight("s-2", "b3 c4 d2")
	s.told("s-2 ended, next for b c d")
	s.do(battle.LeaveBattle{LiveID: "c"})
	s.told("s-2 left by c: 2", `s-2 series end 3 winner "blue"`)
	s.still("a", "b")
}

// The one stays alone through the rounds, and the many win and leave as one side.
func TestSeriesOfOneAgainstMany(t *testing.T) {
	t.Parallel()
	terms := bestOf(3, 0)
	terms.Mode = battle.OneVsMany
	for _, x := range []struct {
		leaves, told string
	}{
		{"a", `s-2 series end 3 winner "many"`},
		{"b", ""},
	} {
		s := series(t, terms, "b", "c")
		s.fight("s", "a3 b2 c2")
		s.after(5 * time.Second)
		s.told("s ended, next for a b c", "s goes on as s-2", "s-2 requested: a b c")
		if m := s.battle("s-2").Inviter(); m.LiveID != "a" || m.Team != "one" {
			t.Errorf("the one is %+v", m)
		}
		s.fight("s-2", "a2 b1 c1")
		s.do(battle.ExitBattle{BattleID: "s-2", LiveID: x.leaves})
		s.events = s.events[len(s.events)-1:]
		if x.told != "" {
			s.told(x.told)
			s.still("a", "b")
			continue
		}
		s.after(5 * time.Second)
		s.told("s-2 left by b: 1", "s-2 goes on as s-3", "s-3 requested: a c")
		s.fight("s-3", "a1 c2")
		s.told(`s-3 ended, series end 1 winner "many"`)
	}
}

// A team is punished by the other one, as long as both have somebody there.
func TestPunishmentOfTeams(t *testing.T) {
	t.Parallel()
	terms := redAndBlue(30 * time.Second)
	terms.BestOf = 0
	s := series(t, terms, "b", "c", "d")
	s.fight("s", "a1 b3 c4 d1")
	s.part(battle.ExitLeftConnection, "b")
	s.part(battle.ExitLeftConnection, "a")
	s.told("s ended, punishment")
	s.part(battle.ExitLeftConnection, "d")
	s.told("s punishment end 3")
}

// A series ends when an admin stops one of its rounds, or stops it between two; what was won until then wins nothing.
func TestSeriesIsStopped(t *testing.T) {
	t.Parallel()
	end, void := battle.EndBattle{BattleID: "s"}, battle.VoidBattle{BattleID: "s"}
	for name, play := range map[string]func(*saga){
		"ended before the start": func(s *saga) { s.do(end) },
		"ended while it runs":    func(s *saga) { s.run("s"); s.do(end); s.settle("s", "a2 b1") },
		"voided":                 func(s *saga) { s.run("s"); s.do(void) },
		"voided while settling":  func(s *saga) { s.run("s"); s.after(10 * time.Second); s.do(void) },
	} {
		s := series(t, bestOf(3, 30*time.Second), "b")
		play(s)
		if s.told(`s ended, series end 4 winner ""`); t.Failed() {
			t.Fatal(name)
		}
		s.still("a", "b")
	}

	s := series(t, bestOf(3, 0), "b")
	s.fight("s", "a2 b1")
	s.refused(void, battle.ReasonBattleEnded)
	s.refused(battle.EndBattle{BattleID: "s", LiveID: "a"}, battle.ReasonBattleEnded)
	s.do(end)
	s.told("s ended, next for a b", `s series end 4 winner ""`)
	s.refused(end, battle.ReasonBattleEnded)
	s.after(time.Hour)
	s.told()
	s.still("a", "b")
}

// A round that all have consented to cut short counts as one whose time is over, also for the punishment.
func TestRoundIsCutShort(t *testing.T) {
	t.Parallel()
	s := series(t, bestOf(3, 30*time.Second), "b")
	s.run("s")
	s.do(battle.EndBattle{BattleID: "s", LiveID: "a"})
	s.do(battle.EndBattle{BattleID: "s", LiveID: "b"})
	s.settle("s", "a2 b1")
	s.told("s ended, next for a b, punishment")
	if w := s.battle("s").Series.Wins; !cmp.Equal(w, []battle.Wins{{Side: "a", Rounds: 1}}) {
		t.Errorf("%+v", w)
	}
}

// A rematch is between the sides that played, whoever requests it.
func TestRematchOfSides(t *testing.T) {
	t.Parallel()
	oneVsMany := bestOf(1, 0)
	oneVsMany.Mode = battle.OneVsMany
	teams := redAndBlue(0)
	teams.BestOf, teams.NeedResponse = 0, true
	free := bestOf(1, 0)
	for name, x := range map[string]struct {
		terms battle.Terms
		by    string
		other *battle.Terms
		mode  battle.Mode
		want  []battle.Team
	}{
		"teams, one of which has rejected": {teams, "c", nil, battle.Teams, []battle.Team{{ID: "red", LiveIDs: []string{"a", "c"}}, {ID: "blue", LiveIDs: []string{"b"}}}},
		"the one":                          {oneVsMany, "a", nil, battle.OneVsMany, nil},
		"one of the many":                  {oneVsMany, "b", nil, battle.Teams, []battle.Team{{ID: "one", LiveIDs: []string{"a"}}, {ID: "many", LiveIDs: []string{"b", "c"}}}},
		"by other terms, in the same teams": {
			teams, "b", &battle.Terms{Mode: battle.Teams, Duration: time.Minute}, battle.Teams,
			[]battle.Team{{ID: "red", LiveIDs: []string{"a", "c"}}, {ID: "blue", LiveIDs: []string{"b"}}},
		},
		"by terms without teams": {teams, "b", &free, battle.FreeForAll, nil},
	} {
		s := newSaga(t, settings(), "a", "b", "c", "d")
		others := []string{"b", "c"}
		if x.terms.Mode == battle.Teams {
			others = append(others, "d")
		}
		s.request("s", x.terms, others...)
		if x.terms.NeedResponse {
			s.do(battle.AcceptBattle{BattleID: "s", LiveID: "b"})
			s.do(battle.RejectBattle{BattleID: "s", LiveID: "d"})
			s.do(battle.AcceptBattle{BattleID: "s", LiveID: "c"})
		}
		s.fight("s", "a1 b2 c3")
		s.do(battle.Rematch{BattleID: "r", Of: "s", LiveID: x.by, Terms: x.other})
		if b := s.battle("r"); b.Terms.Mode != x.mode || !cmp.Equal(b.Terms.Teams, x.want) || len(b.Members) != 3 {
			t.Errorf("%s: %+v", name, b)
		}
	}
}
