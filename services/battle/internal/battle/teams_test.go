package battle_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

func team(id string, lives ...string) battle.Team { return battle.Team{ID: id, LiveIDs: lives} }

// inTeams is the history up to the given event of a battle by other terms than those of given_test.go.
func inTeams(h history, terms battle.Terms) history {
	h = then(h)
	for i, e := range h {
		if r, ok := e.(battle.BattleRequested); ok {
			r.Terms = terms
			h[i] = r
		}
	}
	return h
}

func ofTeams(needResponse bool, teams ...battle.Team) battle.Terms {
	t := terms(needResponse)
	t.Mode, t.Teams = battle.Teams, teams
	return t
}

func oneVsMany() battle.Terms {
	t := terms(true)
	t.Mode = battle.OneVsMany
	return t
}

// What is wrong with a request's terms is said of the field.
func TestTermsAreRefused(t *testing.T) {
	t.Parallel()
	m := battle.New(settings())
	estest.Fold(m, t0, connect("x", "a", "b", "c", "d")...)
	lives, users := []string{"b", "c"}, []string{"ub", "uc"}
	with := func(change func(*battle.Terms)) battle.Terms {
		x := terms(true)
		change(&x)
		return x
	}
	for name, row := range map[string]struct {
		terms        battle.Terms
		lives, users []string
		field        string
	}{
		"teams in a free for all":       {with(func(x *battle.Terms) { x.Teams = []battle.Team{team("r", "a"), team("s", "b", "c")} }), lives, nil, "config.teams"},
		"teams in one against many":     {with(func(x *battle.Terms) { x.Mode, x.Teams = battle.OneVsMany, []battle.Team{team("r", "a")} }), lives, nil, "config.teams"},
		"no teams":                      {ofTeams(true), lives, nil, "config.teams"},
		"one team":                      {ofTeams(true, team("r", "a", "b", "c")), lives, nil, "config.teams"},
		"a team without an id":          {ofTeams(true, team("r", "a"), team("", "b", "c")), lives, nil, "config.teams[1].team_id"},
		"two of one id":                 {ofTeams(true, team("r", "a"), team("r", "b", "c")), lives, nil, "config.teams[1].team_id"},
		"an empty team":                 {ofTeams(true, team("r", "a"), team("s"), team("t", "b", "c")), lives, nil, "config.teams[1].live_ids"},
		"a live in two teams":           {ofTeams(true, team("r", "a"), team("s", "b", "c"), team("t", "b")), lives, nil, "config.teams[2].live_ids"},
		"a live twice in a team":        {ofTeams(true, team("r", "a"), team("s", "b", "c", "b")), lives, nil, "config.teams[1].live_ids"},
		"the inviter in none":           {ofTeams(true, team("r", "b"), team("s", "c")), lives, nil, "config.teams"},
		"a target in none":              {ofTeams(true, team("r", "a"), team("s", "b")), lives, nil, "config.teams"},
		"a live that is no target":      {ofTeams(true, team("r", "a", "d"), team("s", "b", "c")), lives, nil, "config.teams[0].live_ids"},
		"fewer seats than hosts":        {ofTeams(true, team("r", "a"), team("s", "b")), nil, users, "config.teams"},
		"more seats than hosts":         {ofTeams(true, team("r", "a", "d"), team("s", "b", "c")), nil, users, "config.teams"},
		"by hosts, the inviter in none": {ofTeams(true, team("r", "d"), team("s", "b", "c")), nil, users, "config.teams"},
		"rules that there are not":      {with(func(x *battle.Terms) { x.RuleSet = "default@2" }), lives, nil, "config.rule_set"},
	} {
		_, err := m.Decide(t0, battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: row.lives, TargetUsers: row.users, Terms: row.terms})
		var refusal *es.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != es.ReasonInvalidArgument || refusal.Field != row.field {
			t.Errorf("%s: %v (%+v), want it said of %s", name, err, refusal, row.field)
		}
	}
}

func TestSides(t *testing.T) {
	t.Parallel()
	abcd := connect("x", "a", "b", "c", "d")
	teams := ofTeams(true, team("r", "a", "b"), team("s", "c", "d"))
	ask := func(terms battle.Terms, targets ...string) battle.Command {
		return battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: targets, Terms: terms}
	}
	requestWith := func(terms battle.Terms, names ...string) battle.BattleRequested {
		e := requestOf("b1", names...).(battle.BattleRequested)
		e.Terms = terms
		return e
	}
	atOnce := teams
	atOnce.NeedResponse = false
	startedAtOnce := requestWith(atOnce, "a", "b", "c", "d")
	startedAtOnce.ExpiresAt = time.Time{}
	byUser := requestWith(teams, "a", "b", "c")
	byUser.TargetsAreUsers = true
	byUser.Refused = []battle.RefusedTarget{{Target: "uz", Reason: battle.ReasonNoValidTarget, Detail: "user uz hosts no live that is connected with live a"}}
	elsewhere := requestWith(ofTeams(true, team("r", "a", "d"), team("s", "c")), "a", "c")
	elsewhere.TargetsAreUsers = true
	elsewhere.Refused = []battle.RefusedTarget{{Target: "ub", Reason: battle.ReasonNoValidTarget, Detail: "live b of host ub is in no team"}}
	two := inTeams(requested("a", "b", "c", "d"), teams)
	vs := inTeams(running("a", "b", "c"), oneVsMany())
	fight := inTeams(running("a", "b", "c", "d"), teams)
	estest.Run(t, newMachine, nil, []row{
		{Name: "teams", Given: abcd, When: ask(teams, "b", "c", "d"), Then: history{requestWith(teams, "a", "b", "c", "d")}},
		{Name: "teams at once", Given: abcd, When: ask(atOnce, "b", "c", "d"), Then: history{startedAtOnce, startingOf("a", "b", "c", "d")}},
		{Name: "by hosts, one not found", Given: abcd, When: battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetUsers: []string{"ub", "uc", "uz"}, Terms: teams}, Then: history{byUser}},
		{Name: "by hosts, one whose live is in no team", Given: abcd, When: battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetUsers: []string{"ub", "uc"}, Terms: elsewhere.Terms}, Then: history{elsewhere}},
		{Name: "one against many", Given: abcd, When: ask(oneVsMany(), "b", "c"), Then: history{requestWith(oneVsMany(), "a", "b", "c")}},
		{Name: "nobody of the other team can", Given: connect("x", "a", "b"), When: ask(teams, "b", "c", "d"), Reason: battle.ReasonNoValidTarget},
		{Name: "the one of the other team is taken", Given: then(running("c", "d"), joined("x", "a"), joined("x", "b")), When: ask(ofTeams(true, team("r", "a", "b"), team("s", "c")), "b", "c"), Reason: battle.ReasonInOtherBattle},

		{Name: "the other team says no: it ends, though a mate has not answered", Given: then(two, rejected("c")), When: reject("d"), Then: history{rejected("d"), never(battle.NeverRejected)}},
		{Name: "one of the other team says yes", Given: then(two, rejected("c"), accepted("d")), When: accept("b"), Then: history{accepted("b"), startingOf("a", "b", "d")}},
		{Name: "the mate says no", Given: then(two, accepted("c"), accepted("d")), When: reject("b"), Then: history{rejected("b"), startingOf("a", "c", "d")}},
		{Name: "the other team does not answer", Given: then(two, accepted("b")), Now: expiresAt, When: advance, Then: history{timedOut("c"), timedOut("d"), never(battle.NeverTimedOut)}},
		{Name: "the other team leaves", Given: then(two, accepted("b"), exited("c", battle.ExitLeftConnection)), When: leave("d"), Then: history{exited("d", battle.ExitLeftConnection), never(battle.NeverAborted)}},

		{Name: "starting: a team is gone", Given: then(inTeams(starting("a", "b", "c", "d"), teams), exited("c", battle.ExitByHost)), When: exit("d"), Then: history{exited("d", battle.ExitByHost), never(battle.NeverAborted)}},
		{Name: "starting: one of each is left", Given: then(inTeams(starting("a", "b", "c", "d"), teams), exited("c", battle.ExitByHost)), When: exit("a"), Then: history{exited("a", battle.ExitByHost)}},
		{Name: "one of a team exits", Given: fight, When: exit("c"), Then: history{exited("c", battle.ExitByHost)}},
		{Name: "the other one, too: forfeit", Given: then(fight, exited("c", battle.ExitByHost)), When: exit("d"), Then: history{exited("d", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "a team's last live ends", Given: then(fight, exited("a", battle.ExitByHost)), When: departs(battle.ExitLiveEnded, "b"), Then: then(departed("b"), exited("b", battle.ExitLiveEnded), ending(battle.EndLiveEnded))},
		{Name: "the one exits", Given: vs, When: exit("a"), Then: history{exited("a", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "one of the many exits", Given: vs, When: exit("b"), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "all of the many exit", Given: then(vs, exited("b", battle.ExitByHost)), When: exit("c"), Then: history{exited("c", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "the last one exits after the forfeit", Given: then(vs, exited("b", battle.ExitByHost), exited("c", battle.ExitByHost), ending(battle.EndForfeit)), When: exit("a")},
		{Name: "two exit at once", Given: running("a", "b"), When: departs(battle.ExitLiveEnded, "a", "b"), Then: history{
			battle.CohostRead{Sequence: 9}, left("x", "a"), exited("a", battle.ExitLiveEnded), ending(battle.EndLiveEnded), left("x", "b"),
		}},
	})
}

func TestRuleSetIsPinned(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "default", "default@1"} {
		m := battle.New(settings())
		estest.Fold(m, t0, connect("x", "a", "b")...)
		terms := terms(false)
		terms.RuleSet = name
		events, err := m.Decide(t0, battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b"}, Terms: terms})
		if err != nil || events[0].(battle.BattleRequested).Terms.RuleSet != name || events[1].(battle.BattleStarting).RuleSet != "default@1" {
			t.Errorf("%q: %+v, %v", name, events, err)
		}
	}
}

func TestSettleTeams(t *testing.T) {
	t.Parallel()
	teams := ofTeams(true, team("r", "a", "b"), team("s", "c", "d"), team("t", "e"))
	names := []string{"a", "b", "c", "d", "e"}
	of := func(id string, score int64, rank int32, exited bool, lives ...string) battle.TeamResult {
		return battle.TeamResult{ID: id, LiveIDs: lives, Score: score, Rank: rank, Exited: exited}
	}
	for _, row := range []struct {
		name   string
		terms  battle.Terms
		scores []int64 // of a, b, c, d, e
		left   []string
		teams  []battle.TeamResult
		best   []string
		lives  []string // that win
	}{
		{
			"sums", teams,
			[]int64{5, 1, 3, 2, 4},
			nil,
			[]battle.TeamResult{of("r", 6, 1, false, "a", "b"), of("s", 5, 2, false, "c", "d"), of("t", 4, 3, false, "e")},
			[]string{"r"},
			[]string{"a", "b"},
		},
		{
			"a draw of teams, not of lives", teams,
			[]int64{5, 1, 0, 0, 6},
			nil,
			[]battle.TeamResult{of("r", 6, 1, false, "a", "b"), of("t", 6, 1, false, "e"), of("s", 0, 3, false, "c", "d")},
			[]string{"r", "t"},
			[]string{"e", "a", "b"},
		},
		{
			"no draw, though the best lives are equal", teams,
			[]int64{5, 0, 5, 1, 0},
			nil,
			[]battle.TeamResult{of("s", 6, 1, false, "c", "d"), of("r", 5, 2, false, "a", "b"), of("t", 0, 3, false, "e")},
			[]string{"s"},
			[]string{"c", "d"},
		},
		{
			"what was earned stays with the team, and who left wins nothing", teams,
			[]int64{9, 1, 3, 2, 4},
			[]string{"a"},
			[]battle.TeamResult{of("r", 10, 1, false, "a", "b"), of("s", 5, 2, false, "c", "d"), of("t", 4, 3, false, "e")},
			[]string{"r"},
			[]string{"b"},
		},
		{
			"a team that all have left is last", teams,
			[]int64{9, 9, 3, 2, 4},
			[]string{"a", "b"},
			[]battle.TeamResult{of("s", 5, 1, false, "c", "d"), of("t", 4, 2, false, "e"), of("r", 18, 3, true, "a", "b")},
			[]string{"s"},
			[]string{"c", "d"},
		},
		{
			"a sum past int64 stays at its greatest value", teams,
			[]int64{math.MaxInt64, 1, math.MaxInt64 - 1, 1, 4},
			nil,
			[]battle.TeamResult{of("r", math.MaxInt64, 1, false, "a", "b"), of("s", math.MaxInt64, 1, false, "c", "d"), of("t", 4, 3, false, "e")},
			[]string{"r", "s"},
			[]string{"a", "c", "b", "d"},
		},
		{
			"one against many", oneVsMany(),
			[]int64{9, 3, 3, 2, 4},
			nil,
			[]battle.TeamResult{of("many", 12, 1, false, "b", "c", "d", "e"), of("one", 9, 2, false, "a")},
			[]string{"many"},
			[]string{"e", "b", "c", "d"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := inTeams(running(names...), row.terms)
			for _, live := range row.left {
				h = append(h, exited(live, battle.ExitByHost))
			}
			h = append(h, timeOver())
			for i, live := range names[:4] {
				h = append(h, closedWith(live, row.scores[i]))
			}
			m := battle.New(settings())
			estest.Fold(m, t0, h...)
			events, err := m.Decide(endsAt, reportClosed("e", row.scores[4]))
			if err != nil {
				t.Fatal(err)
			}
			r := events[1].(battle.BattleEnded).Result
			if diff := cmp.Diff(row.teams, r.Teams); diff != "" {
				t.Errorf("teams (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]any{row.best, row.lives, len(row.best) > 1}, []any{r.WinnerTeams, r.Winners, r.Draw}); diff != "" {
				t.Errorf("winners and draw (-want +got):\n%s", diff)
			}
		})
	}
}

// Two to nine lives can fight in every mode.
func TestTwoToNine(t *testing.T) {
	t.Parallel()
	var all []string
	for i := range 9 {
		all = append(all, fmt.Sprint("l", i))
	}
	for n := 2; n <= 9; n++ {
		for _, terms := range []battle.Terms{terms(false), {Mode: battle.OneVsMany}, ofTeams(false, team("r", all[:n/2]...), team("s", all[n/2:n]...))} {
			m := battle.New(settings())
			estest.Fold(m, t0, connect("x", all[:n]...)...)
			events, err := m.Decide(t0, battle.RequestBattle{BattleID: "b1", Inviter: all[0], TargetLives: all[1:n], Terms: terms})
			if err != nil || len(events) != 2 || len(events[1].(battle.BattleStarting).Participants) != n {
				t.Errorf("%d lives, mode %d: %+v, %v", n, terms.Mode, events, err)
			}
		}
	}
}
