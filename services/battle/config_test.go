package battle_test

import (
	"io"
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
		"start-delay":              func(c *battle.Config) { c.StartDelay = -time.Millisecond },
		"whole milliseconds":       func(c *battle.Config) { c.OpenWithin = time.Second + time.Microsecond },
		"open-within":              func(c *battle.Config) { c.OpenWithin = 0 },
		"ended-battles-kept":       func(c *battle.Config) { c.EndedBattlesKept = time.Second },
		"events-kept":              func(c *battle.Config) { c.EventsKept = 1 },
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
