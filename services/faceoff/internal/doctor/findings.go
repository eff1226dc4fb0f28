package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"
)

// Severity says how bad a finding is.
type Severity string

// Severities.
const (
	// Stuck: somebody waits, or will, until this is mended.
	Stuck Severity = "stuck"
	// Risk: everything goes on, with less to spare.
	Risk Severity = "risk"
)

// Finding is something that looks stuck, or soon may be.
type Finding struct {
	// Check that found it, What it is about.
	Check string `json:"check"`
	What  string `json:"what"`
	// Seconds for which it has been so, at least; Since is when that began, by the clock of who was asked.
	Seconds float64   `json:"seconds"`
	Since   time.Time `json:"since"`
	// Detail is for people.
	Detail   string   `json:"detail"`
	Severity Severity `json:"severity"`
	// Runbook is the page that says what to do, a path from the top of the repository.
	Runbook string `json:"runbook"`
}

// check is a row of the table: what is looked for, how bad it is, and what to do about it.
type check struct {
	name     string
	severity Severity
	runbook  string
	find     func(Facts) []Finding
}

// checks are all that is looked for, in the order in which they are best read: what is found first may be the cause of what
// is found after it.
var checks = []check{
	{"nats-server", Risk, "service-does-not-start", servers},
	{"log-unreadable", Stuck, "nats-server-stores-nothing", unreadable},
	{"log-missing", Stuck, "service-does-not-start", missing},
	{"no-replica", Stuck, "replica-is-silent", noReplica},
	{"silent-replica", Risk, "replica-is-silent", silent},
	{"no-writer", Stuck, "log-has-no-writer", noWriter},
	{"not-stored", Stuck, "nats-server-stores-nothing", notStored},
	{"stream-full", Risk, "log-nearly-full", full},
	{"clock", Risk, "clock-is-off", clocks},
	{"replica-behind", Risk, "replica-is-behind", foldsBehind},
	{"reader-behind", Stuck, "replica-is-behind", readersBehind},
	{"invitation", Stuck, "deadline-has-passed", waits(diagnosticsv1.Waiting_INVITATION)},
	{"host", Stuck, "host-stays-silent", waits(diagnosticsv1.Waiting_HOST)},
	{"departure", Stuck, "host-stays-silent", waits(diagnosticsv1.Waiting_DEPARTURE)},
	{"battle-request", Stuck, "deadline-has-passed", waits(diagnosticsv1.Waiting_BATTLE_REQUEST)},
	{"battle-start", Stuck, "deadline-has-passed", waits(diagnosticsv1.Waiting_BATTLE_START)},
	{"battle-end", Stuck, "deadline-has-passed", waits(diagnosticsv1.Waiting_BATTLE_END)},
	{"battle-follow-up", Stuck, "deadline-has-passed", waits(diagnosticsv1.Waiting_BATTLE_FOLLOW_UP)},
	{"settlement", Stuck, "battle-stays-settling", waits(diagnosticsv1.Waiting_SETTLEMENT)},
	{"parked-gifts", Stuck, "battle-stays-settling", parked},
	{"redis", Risk, "scores-in-redis", redis},
}

// Findings returns what is wrong with what was seen, the same for the same facts.
func Findings(f Facts) []Finding {
	var all []Finding
	for _, c := range checks {
		found := c.find(f)
		slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(a.What, b.What) })
		for _, x := range found {
			x.Check, x.Severity, x.Runbook = c.name, c.severity, "docs/runbooks/"+c.runbook+".md"
			all = append(all, x)
		}
	}
	return all
}

// Lasting returns those of the later findings that were there earlier, too: what was in passing is not stuck. Each has
// lasted for the time between the two at least.
func Lasting(earlier, later []Finding, at time.Time, between time.Duration) []Finding {
	type key struct{ check, what string }
	before := make(map[key]bool)
	for _, x := range earlier {
		before[key{x.Check, x.What}] = true
	}
	var lasting []Finding
	for _, x := range later {
		if !before[key{x.Check, x.What}] {
			continue
		}
		if x.Since.IsZero() {
			x = x.took(at.Add(-between), at)
		}
		lasting = append(lasting, x)
	}
	return lasting
}

// took is a finding that has lasted since a time until now, on one clock.
func (x Finding) took(since, now time.Time) Finding {
	x.Since, x.Seconds = since, now.Sub(since).Seconds()
	return x
}

func finding(what, detail string, args ...any) Finding {
	return Finding{What: what, Detail: fmt.Sprintf(detail, args...)}
}
