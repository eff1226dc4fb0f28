package presence_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

var (
	settings = presence.Settings{Renew: 3 * time.Second, UnreachableAfter: 8 * time.Second, Grace: 15 * time.Second, EndAfter: time.Minute, RejoinWithin: time.Minute}
	start    = time.Now()
)

const ms = time.Millisecond

// at is a moment of virtual time.
func at(d time.Duration) time.Time { return start.Add(d) }

// counting are leases of a replica that writes, with a live "a" that is at a stage from 0 on.
func counting(stage cohost.Stage) *presence.Leases {
	l := presence.NewLeases(settings)
	l.Count(true, at(0))
	l.Place("a", stage, at(0))
	return l
}

var lasts = map[cohost.Stage]time.Duration{
	cohost.Present: settings.UnreachableAfter, cohost.Unreachable: settings.Grace, cohost.Lost: settings.EndAfter,
}

// edge checks that the silence of "a" at a stage is due exactly from a moment on, for the list and for the decision.
func edge(t *testing.T, l *presence.Leases, stage cohost.Stage, when time.Duration) {
	t.Helper()
	for d, want := range map[time.Duration]bool{when - ms: false, when: true, when + ms: true} {
		var due []presence.Turn
		if want {
			due = []presence.Turn{{LiveID: "a", Stage: stage}}
		}
		if diff := cmp.Diff(due, l.Due(at(d))); diff != "" {
			t.Errorf("due at %v, the edge being %v (-want +got):\n%s", d, when, diff)
		}
		if got := l.Silent("a", stage, at(d)); got != want {
			t.Errorf("silent at %v, the edge being %v: %v", d, when, got)
		}
	}
}

// TestEdges: every timer, by itself and started anew 1 ms before, at and 1 ms after its edge.
func TestEdges(t *testing.T) {
	t.Parallel()
	for stage, last := range lasts {
		edge(t, counting(stage), stage, last)
		for _, anew := range []time.Duration{ms, last / 2, last - ms, last, last + ms} {
			for name, do := range map[string]func(*presence.Leases){
				"restart":  func(l *presence.Leases) { l.Restart(at(anew)) },
				"takeover": func(l *presence.Leases) { l.Count(false, at(anew-ms)); l.Count(true, at(anew)) },
				"snapshot": func(l *presence.Leases) { l.Become(map[string]cohost.Stage{"a": stage}, at(anew)) },
				"entered":  func(l *presence.Leases) { l.Place("a", 0, at(anew)); l.Place("a", stage, at(anew)) },
			} {
				l := counting(stage)
				do(l)
				t.Log(name, "at", anew, "of", last)
				edge(t, l, stage, anew+last)
			}
		}
	}
}

// TestRenewal: a sign of life starts the lease of a host that is there anew, be it 1 ms before the edge, at it, or after it as
// long as nothing was decided.
func TestRenewal(t *testing.T) {
	t.Parallel()
	last := settings.UnreachableAfter
	for _, heard := range []time.Duration{0, ms, last - ms, last, last + ms, 10 * last} {
		l := counting(cohost.Present)
		l.Heard("a", at(heard))
		edge(t, l, cohost.Present, heard+last)
	}
}

// TestBack: a sign of life in a stage that says that a host is not there is due at once, whenever it comes, and undoes what was
// about to be decided.
func TestBack(t *testing.T) {
	t.Parallel()
	for _, stage := range []cohost.Stage{cohost.Unreachable, cohost.Lost} {
		for _, heard := range []time.Duration{0, ms, lasts[stage] - ms, lasts[stage], lasts[stage] + ms} {
			l := counting(stage)
			l.Heard("a", at(heard))
			if diff := cmp.Diff([]presence.Turn{{LiveID: "a", Stage: stage, Back: true}}, l.Due(at(heard))); diff != "" {
				t.Errorf("%v at %v (-want +got):\n%s", stage, heard, diff)
			}
			if l.Silent("a", stage, at(heard+time.Hour)) {
				t.Errorf("%v: silent although it was heard at %v", stage, heard)
			}
			l.Place("a", cohost.Present, at(heard+ms))
			edge(t, l, cohost.Present, heard+ms+settings.UnreachableAfter)
		}
	}
}

// TestHeardWhileAnotherWrites: what a replica has heard of a host that is not there, while it did not write, brings that host back
// neither when it begins to write nor later: it may have stood still, and have heard a sign of life from long before.
func TestHeardWhileAnotherWrites(t *testing.T) {
	t.Parallel()
	for _, stage := range []cohost.Stage{cohost.Unreachable, cohost.Lost} {
		l := presence.NewLeases(settings)
		l.Place("a", stage-1, at(0))
		l.Heard("a", at(ms))
		l.Place("a", stage, at(2*ms))
		l.Heard("a", at(3*ms))
		l.Count(true, at(time.Minute))
		edge(t, l, stage, time.Minute+lasts[stage])
	}
}

// TestHeardBetween: a sign of life that comes after the decision and before the log has it is not forgotten, and one from before
// is not taken for one.
func TestHeardBetween(t *testing.T) {
	t.Parallel()
	decided, stored := settings.UnreachableAfter, settings.UnreachableAfter+20*ms
	for heard, back := range map[time.Duration]bool{0: false, decided: true, decided + 10*ms: true, stored: true} {
		l := counting(cohost.Present)
		l.Heard("a", at(heard))
		l.Place("a", cohost.Unreachable, at(stored))
		due := l.Due(at(stored))
		if got := len(due) == 1 && due[0].Back; got != back {
			t.Errorf("heard at %v: due %v", heard, due)
		}
	}
}

// TestWhoCounts: a replica that does not write decides nothing, whatever it has heard; nor does anybody of who has no lease.
func TestWhoCounts(t *testing.T) {
	t.Parallel()
	l := counting(cohost.Present)
	l.Count(false, at(0))
	if due := l.Due(at(time.Hour)); due != nil || l.Silent("a", cohost.Present, at(time.Hour)) {
		t.Errorf("due at a replica that does not write: %v", due)
	}
	l = presence.NewLeases(settings)
	l.Count(true, at(0))
	l.Heard("a", at(ms))
	l.Place("a", cohost.Present, at(2*ms))
	l.Place("a", 0, at(3*ms))
	l.Heard("a", at(4*ms))
	if due := l.Due(at(time.Hour)); due != nil || l.Silent("a", cohost.Present, at(time.Hour)) || l.Len() != 0 {
		t.Errorf("due without a lease: %v", due)
	}
	l.Place("a", cohost.Lost, at(0))
	for _, other := range []cohost.Stage{0, cohost.Present, cohost.Unreachable} {
		if l.Silent("a", other, at(time.Hour)) {
			t.Errorf("silent at stage %v, being lost", other)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	if err := settings.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*presence.Settings){
		"presence-renew: must be 100ms":          func(s *presence.Settings) { s.Renew = 99 * ms },
		"presence-renew: must be whole":          func(s *presence.Settings) { s.Renew += time.Microsecond },
		"presence-unreachable-after: must be mo": func(s *presence.Settings) { s.UnreachableAfter = 2 * s.Renew },
		"presence-unreachable-after: must be 0s": func(s *presence.Settings) { s.UnreachableAfter = time.Hour },
		"presence-grace: ":                       func(s *presence.Settings) { s.Grace = s.Renew - ms },
		"presence-rejoin-within: ":               func(s *presence.Settings) { s.RejoinWithin = s.Renew - ms },
		"presence-end-after: ":                   func(s *presence.Settings) { s.EndAfter = 25 * time.Hour },
	} {
		bad := settings
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %+v: %v", name, bad, err)
		}
	}
	least := settings
	least.UnreachableAfter = 2*least.Renew + ms
	if err := least.Validate(); err != nil {
		t.Error(err)
	}
}
