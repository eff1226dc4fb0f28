package battle_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// The state diagram of docs/architecture/battle.md has the transitions that the decider makes, with their events, and no
// other ones.
func TestDiagram(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../../docs/architecture/battle.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```mermaid\nstateDiagram-v2\n")
	diagram, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the page has no state diagram")
	}
	edge := regexp.MustCompile(`^  (\S+) --> (\S+): (\w+)$`)
	var drawn []string
	for line := range strings.Lines(diagram) {
		m := edge.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("not a transition with its event: %q", line)
		}
		drawn = append(drawn, strings.Join(m[1:], " "))
	}
	slices.Sort(drawn)
	if diff := cmp.Diff(drawn, slices.Sorted(maps.Keys(transitions(t)))); diff != "" {
		t.Errorf("the diagram and what the decider does (-drawn +done):\n%s", diff)
	}
}

// transitions makes all decisions that a battle of two lives can come to, breadth first, and gathers the changes of its
// phase.
func transitions(t *testing.T) map[string]bool {
	t.Helper()
	request := func(t battle.Terms, punishment time.Duration, bestOf int32) battle.Command {
		t.Punishment, t.BestOf = punishment, bestOf
		return battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b"}, Terms: t}
	}
	commands := []battle.Command{
		request(terms(true), 0, 0), request(terms(false), 0, 0), request(terms(false), 0, 3), request(terms(false), time.Second, 0),
		request(terms(false), time.Second, 3), rematch("a"),
		accept("b"), reject("b"), cancel("a"), exit("a"), exit("b"), leave("a"), leave("b"), departs(battle.ExitLost, "b"),
		reportOpened("a"), reportOpened("b"), reportClosed("a", 1), reportClosed("b", 2), advance,
		endNow("a"), endNow("b"), endNow(""), extend("a", time.Minute), extend("b", time.Minute), extend("", time.Minute), void,
		rejoin("a"), rejoin("b"), inSession("a", "s1", exit("a")),
	}
	for _, c := range battle.Commands() {
		if !slices.ContainsFunc(commands, func(x battle.Command) bool { return fmt.Sprintf("%T", x) == fmt.Sprintf("%T", c) }) {
			t.Errorf("no decision on %T is tried", c)
		}
	}
	found, seen := make(map[string]bool), make(map[string]bool)
	for next := []history{connect("x", "a", "b")}; len(next) > 0; {
		h := next[0]
		next = next[1:]
		var b battle.Battle
		for _, e := range h[2:] {
			b = b.After(t0, e)
		}
		if b.Phase == battle.PhaseEnded && !b.Lingers() {
			continue // no id is used twice
		}
		for _, now := range []time.Time{t0, startsAt, abortAt, expiresAt, endsAt.Add(time.Minute), endsAt.Add(time.Hour)} {
			for _, c := range commands {
				if _, again := c.(battle.RequestBattle); again && b.ID != "" {
					continue // no id is used twice
				}
				m := battle.New(settings())
				for i, e := range h {
					m.Evolve(es.Place{Seq: uint64(i + 1), At: t0}, e)
				}
				events, err := m.Decide(now, c)
				if err != nil {
					continue
				}
				after := b
				var ours history
				for _, e := range events {
					if battle.BattleOf(e) != "b1" {
						continue // of the connection, or the next round
					}
					before := after
					after = after.After(now, e)
					ours = append(ours, e)
					if stage(before) != stage(after) {
						found[fmt.Sprintf("%s %s %s", stage(before), stage(after), strings.TrimPrefix(fmt.Sprintf("%T", e), "battle."))] = true
					}
				}
				if s := shape(after); len(ours) > 0 && !seen[s] {
					seen[s] = true
					next = append(next, then(h, ours))
				}
			}
		}
	}
	return found
}

// shape is what of a battle further decisions differ by.
func shape(b battle.Battle) string {
	s := fmt.Sprint(stage(b), b.EndsAt.After(endsAt), len(b.Proposals), b.Terms.Punishment, b.Terms.BestOf, b.Series.Waiting)
	for _, m := range b.Members {
		s += fmt.Sprint(" ", m.State, m.Opened, m.Closing != nil, m.Lost, m.Rejoins > 0)
	}
	for _, p := range b.Proposals {
		s += fmt.Sprint(" ", p.Subject, p.Consented)
	}
	return s
}

// stage is a battle's phase and, once it has ended, what is still to come of it.
func stage(b battle.Battle) string {
	switch {
	case b.ID == "":
		return "[*]"
	case b.Punishing():
		return "ENDED_punishment"
	case b.Series.Awaits():
		return "ENDED_between_rounds"
	}
	return phases[b.Phase]
}
