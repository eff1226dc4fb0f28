package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

// demo runs `faceoff demo --json` against a stack and returns an error unless every fact was right.
func demo(s *stack, more ...string) error {
	args := []string{"demo", "--json", "--url", s.HTTP, "--grpc", s.GRPC, "--nats", s.NATS, "--key", s.Key, "--secret", s.Secret}
	out, code, err := faceoff(append(args, more...)...)
	if err != nil {
		return err
	}
	var report struct {
		OK         bool
		BattleID   string `json:"battle_id"`
		Settlement struct {
			Lives []struct{ Score json.Number }
		}
		Verdicts []struct{ Verdict string }
		Checks   []struct {
			Fact, Detail string
			OK           bool
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return fmt.Errorf("exit code %d, %w: %s", code, err, out)
	}
	var wrong []error
	for _, c := range report.Checks {
		if !c.OK {
			wrong = append(wrong, fmt.Errorf("%s: %s", c.Fact, c.Detail))
		}
	}
	switch {
	case !report.OK || code != 0:
		return errors.Join(append(wrong, fmt.Errorf("exit code %d", code))...)
	case report.BattleID == "" || len(report.Settlement.Lives) != 2 || len(report.Verdicts) < 50 || len(report.Checks) < 50:
		return fmt.Errorf("a thin report: %s", out)
	}
	return nil
}

func TestDemo(t *testing.T) {
	t.Parallel()
	args := []string{"--duration", "1"}
	if shared.redis != nil {
		args = append(args, "--redis-url", shared.Redis)
	}
	if err := demo(shared, args...); err != nil {
		t.Fatal(err)
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
