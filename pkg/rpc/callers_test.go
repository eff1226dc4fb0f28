package rpc

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
)

func TestCallersAreLimitedOneByOne(t *testing.T) {
	t.Parallel()
	c, now := newCallers(CallerLimit{PerSecond: 2, Burst: 3}), time.Unix(1_000_000_000, 0)
	var wait time.Duration // that the last refusal asked for
	admit := func(user string, role auth.Role) bool {
		err := c.admit(auth.Principal{Key: "k", User: user, Role: role}, now)
		if err != nil && !errors.Is(err, &es.Refusal{Reason: es.ReasonRateLimited}) {
			t.Fatal(err)
		}
		if refusal, ok := errors.AsType[*es.Refusal](err); ok {
			wait = refusal.RetryAfter
		}
		return err == nil
	}
	for i, step := range []struct {
		after  time.Duration
		user   string
		role   auth.Role
		passes bool
	}{
		{0, "ann", auth.Host, true},
		{0, "ann", auth.Audience, true}, // one user, whichever its token
		{0, "ann", auth.Host, true},
		{0, "ann", auth.Host, false},
		{0, "ben", auth.Host, true},
		{499 * time.Millisecond, "ann", auth.Host, false},
		{time.Millisecond, "ann", auth.Host, true},
		{0, "ann", auth.Host, false},
		{0, "ann", auth.Service, true},
		{0, "ann", auth.Admin, true},
		{time.Hour, "ann", auth.Host, true},
		{0, "ann", auth.Host, true},
		{0, "ann", auth.Host, true},
		{0, "ann", auth.Host, false}, // a rest saves no more than a burst
	} {
		now = now.Add(step.after)
		if passes := admit(step.user, step.role); passes != step.passes {
			t.Errorf("step %d: %s passes: %v", i, step.user, passes)
		}
	}
	if wait != 500*time.Millisecond {
		t.Errorf("the next call may be made in %v", wait)
	}
	if now = now.Add(wait); !admit("ann", auth.Host) {
		t.Error("a call is refused after the wait that the refusal asked for")
	}
}

func TestWithoutALimitNobodyIsCounted(t *testing.T) {
	t.Parallel()
	c := newCallers(CallerLimit{})
	for range 10_000 {
		if err := c.admit(auth.Principal{User: "ann", Role: auth.Host}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.known) != 0 {
		t.Errorf("%d callers are known", len(c.known))
	}
}

// However many come by, only those are remembered that called a short while ago.
func TestRestedCallersAreForgotten(t *testing.T) {
	t.Parallel()
	c, now := newCallers(PerSecond(1)), time.Unix(1_000_000_000, 0)
	busy := auth.Principal{User: "busy", Role: auth.Host}
	for range 10 {
		if err := c.admit(busy, now); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100_000 {
		now = now.Add(10 * time.Millisecond) // 100 a second
		if err := c.admit(auth.Principal{User: strconv.Itoa(i), Role: auth.Audience}, now); err != nil {
			t.Fatal(err)
		}
		if i == 5 && c.admit(busy, now) == nil {
			t.Fatal("a busy caller passes")
		}
	}
	if n := len(c.known); n > 2*minSweep {
		t.Errorf("%d callers are remembered", n)
	}
}
