package battle_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/config"

	"github.com/faceoff-live/faceoff/services/battle"
)

// The defaults of the flags are those of the code.
func TestDefaultConfig(t *testing.T) {
	t.Parallel()
	var cfg battle.Config
	if run, err := config.Parse("battle", &cfg, nil, io.Discard); err != nil || !run {
		t.Fatal(run, err)
	}
	if diff := cmp.Diff(battle.DefaultConfig(), cfg); diff != "" {
		t.Errorf("flags against DefaultConfig:\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*battle.Config){
		"stream-replicas":          func(c *battle.Config) { c.StreamReplicas = 0 },
		"min-duration":             func(c *battle.Config) { c.MinDuration = 0 },
		"min over max":             func(c *battle.Config) { c.MinDuration = 2 * time.Hour },
		"max-duration":             func(c *battle.Config) { c.MaxDuration = 25 * time.Hour },
		"default-duration":         func(c *battle.Config) { c.DefaultDuration = 9 * time.Second },
		"whole seconds":            func(c *battle.Config) { c.DefaultDuration = 10500 * time.Millisecond },
		"request-timeout":          func(c *battle.Config) { c.RequestTimeout = 301 * time.Second },
		"over the longest":         func(c *battle.Config) { c.MaxRequestTimeout = 20 * time.Second },
		"max-request-timeout":      func(c *battle.Config) { c.MaxRequestTimeout = 301 * time.Second },
		"max-targets":              func(c *battle.Config) { c.MaxTargets = 9 },
		"no targets":               func(c *battle.Config) { c.MaxTargets = 0 },
		"requests-per-live":        func(c *battle.Config) { c.RequestsPerLive = 0 },
		"requests-per-user":        func(c *battle.Config) { c.RequestsPerUser = 601 },
		"max-punishment":           func(c *battle.Config) { c.MaxPunishment = -time.Second },
		"punishment in seconds":    func(c *battle.Config) { c.MaxPunishment = 10500 * time.Millisecond },
		"max-best-of":              func(c *battle.Config) { c.MaxBestOf = 101 },
		"an even best of":          func(c *battle.Config) { c.MaxBestOf = 8 },
		"round-interval":           func(c *battle.Config) { c.RoundInterval = 2 * time.Minute },
		"interval in milliseconds": func(c *battle.Config) { c.RoundInterval = time.Microsecond },
		"start-delay":              func(c *battle.Config) { c.StartDelay = -time.Millisecond },
		"whole milliseconds":       func(c *battle.Config) { c.OpenWithin = time.Second + time.Microsecond },
		"open-within":              func(c *battle.Config) { c.OpenWithin = 0 },
		"ended-battles-kept":       func(c *battle.Config) { c.EndedBattlesKept = time.Second },
		"events-kept":              func(c *battle.Config) { c.EventsKept = 1 },
		"events-max-age":           func(c *battle.Config) { c.EventsMaxAge = 8761 * time.Hour },
		"events-max-bytes":         func(c *battle.Config) { c.EventsMaxBytes = 16<<40 + 1 },
		"keys with a short secret": func(c *battle.Config) { c.Keys = map[string]string{"k": "s"} },
	} {
		cfg := battle.DefaultConfig()
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if err := cfg.Validate(); err == nil {
			t.Errorf("%s: %+v was taken", name, cfg)
		}
	}
}

// What is out of bounds is refused by its name.
func TestValidateEvents(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*battle.Config){
		"events-max-age":   func(c *battle.Config) { c.EventsMaxAge = 8761 * time.Hour },
		"events-max-bytes": func(c *battle.Config) { c.EventsMaxBytes = 1 },
	} {
		cfg := battle.DefaultConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+": must be ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
