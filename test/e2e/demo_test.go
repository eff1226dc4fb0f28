package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
)

// demoReport is what `faceoff demo --json` prints.
type demoReport struct {
	OK       bool
	BattleID string `json:"battle_id"`
	demoBattle
	Battles  []demoBattle
	Verdicts []struct{ Verdict string }
	Checks   []struct {
		Fact, Detail string
		OK           bool
	}
}

// demoBattle is what became of one battle.
type demoBattle struct {
	EndReason  string `json:"end_reason"`
	Settlement *struct {
		Lives []struct{ Score json.Number }
		Teams []struct{ Score json.Number }
	}
	Scores, Counted map[string]int64
}

// playDemo runs `faceoff demo --json` against a stack and returns an error unless every fact was right.
func playDemo(s *stack, more ...string) (*demoReport, error) {
	args := []string{"demo", "--json", "--url", s.HTTP, "--grpc", s.GRPC, "--nats", s.NATS, "--key", s.Key, "--secret", s.Secret}
	out, code, err := faceoff(append(args, more...)...)
	if err != nil {
		return nil, err
	}
	report := new(demoReport)
	if err := json.Unmarshal(out, report); err != nil {
		return nil, fmt.Errorf("exit code %d, %w: %s", code, err, out)
	}
	var wrong []error
	for _, c := range report.Checks {
		if !c.OK {
			wrong = append(wrong, fmt.Errorf("%s: %s", c.Fact, c.Detail))
		}
	}
	if !report.OK || code != 0 {
		return nil, errors.Join(append(wrong, fmt.Errorf("exit code %d", code))...)
	}
	return report, nil
}

// demo plays two hosts.
func demo(s *stack, more ...string) error {
	report, err := playDemo(s, more...)
	switch {
	case err != nil:
		return err
	case report.BattleID == "" || report.Settlement == nil || len(report.Settlement.Lives) != 2 || len(report.Verdicts) < 50 || len(report.Checks) < 50:
		return fmt.Errorf("a thin report: %+v", report)
	}
	return nil
}

// demoArgs are those for the stack that scenarios share.
func demoArgs(more ...string) []string {
	if shared.redis != nil {
		more = append(more, "--redis-url", shared.Redis)
	}
	return more
}

func TestDemo(t *testing.T) {
	t.Parallel()
	if err := demo(shared, demoArgs("--duration", "1")...); err != nil {
		t.Fatal(err)
	}
}

// Nine hosts do all that they can, and every battle ends as it should.
func TestDemoNine(t *testing.T) {
	t.Parallel()
	report, err := playDemo(shared, demoArgs("--scenario", "nine", "--duration", "2")...)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		reason       string
		lives, teams int
	}{
		{"TIME_OVER", 9, 0},
		{"TIME_OVER", 9, 2},
		{"FORFEIT", 3, 0},
		{"FORFEIT", 5, 2},
		{"CUT_SHORT", 3, 0},
		{"VOIDED", 0, 0},
		{"TIME_OVER", 3, 0},
		{"TIME_OVER", 3, 0},
		{"TIME_OVER", 3, 0},
	}
	if len(report.Battles) != len(want) || len(report.Verdicts) < 250 || len(report.Checks) < 1000 {
		t.Fatalf("%d battles, %d verdicts, %d facts", len(report.Battles), len(report.Verdicts), len(report.Checks))
	}
	for i, b := range report.Battles {
		lives, teams := 0, 0
		if b.Settlement != nil {
			lives, teams = len(b.Settlement.Lives), len(b.Settlement.Teams)
		}
		if b.EndReason != want[i].reason || lives != want[i].lives || teams != want[i].teams {
			t.Errorf("battle %d ended for %s with %d lives and %d teams, want %v", i, b.EndReason, lives, teams, want[i])
		}
		if lives > 0 && !maps.Equal(b.Scores, b.Counted) {
			t.Errorf("battle %d has %v, counted %v", i, b.Scores, b.Counted)
		}
	}
}

func TestDemosAtOnce(t *testing.T) {
	t.Parallel()
	const demos = 5
	results := make(chan error, demos)
	for range demos {
		go func() { results <- demo(shared, "--duration", "2") }()
	}
	for range demos {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
