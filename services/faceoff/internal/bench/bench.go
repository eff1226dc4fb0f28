// Package bench loads a running Faceoff and measures it: how late battles end and invitations time out while other load
// goes on, and how many commands a second are decided, beside a bare gRPC echo under the same load. What it measures it
// also counts: that nothing came early, nothing was lost and nothing happened twice.
package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// Options of Run.
type Options struct {
	Stack client.Stack
	// Own tells that the stack runs in this process, for this run.
	Own bool
	// Ends and Timeouts are how many battle ends and invitation timeouts are measured, 1 or more.
	Ends, Timeouts int
	// Pairs of lives that battle, and as many that invite each other, 1 or more.
	Pairs int
	// Duration of the battles and of the invitations: whole seconds.
	Duration time.Duration
	// Gifts a second are sent to the battles while ends and timeouts are measured, and Commands a second are called by
	// other lives; 0 for none.
	Gifts, Commands int
	// Callers is how many commands are on their way at once when commands are counted, 1 to 100; Time is how long each
	// kind is counted, and the echo as long.
	Callers int
	Time    time.Duration
	// Show is told what is done next; it may be nil.
	Show func(string)
}

// Report is what was run, and the figures.
type Report struct {
	GRPC     string `json:"grpc"`
	NATS     string `json:"nats"`
	OwnStack bool   `json:"own_stack"`
	// CPUOf says whose time cpu_us_per_event is.
	CPUOf string `json:"cpu_of"`
	Pairs int    `json:"pairs"`
	Runs  []*Run `json:"runs"`
	// OK: nothing early, lost or duplicated.
	OK bool `json:"ok"`
}

// Run is one run, with its figures.
type Run struct {
	Name string `json:"name"`
	// What was run, and what p50_ms, p99_ms and max_ms are.
	What    string  `json:"what"`
	PerS    float64 `json:"events_per_s"`
	CPU     float64 `json:"cpu_us_per_event"`
	*Spread         // of the whole
	// Parts are spreads of the single verbs, or of what follows.
	Parts map[string]*Spread `json:"parts,omitempty"`
	// Ratio is events_per_s by that of the echo that ran after it.
	Ratio float64 `json:"ratio_to_echo,omitempty"`
	// Early counts what came before its deadline, Lost what did not come within 30 s
	// or is not in the log, Duplicated what came twice.
	Early      int `json:"early"`
	Lost       int `json:"lost"`
	Duplicated int `json:"duplicated"`
}

// Parts are the names of all parts, in the order in which they happen.
var Parts = []string{request, accept, start, exit, end, decided, settled, seen}

// ran is a run of what was measured.
func ran(name, what string, m *measure, whole *Spread) *Run {
	r := &Run{Name: name, What: what, Spread: whole}
	r.PerS, r.CPU = m.per(whole.Count)
	return r
}

// Battles measures lateness, then commands a second. An error means that it could not be measured.
func Battles(ctx context.Context, o Options) (_ *Report, err error) {
	if o.Show == nil {
		o.Show = func(string) {}
	}
	r := &Report{GRPC: o.Stack.GRPC, NATS: o.Stack.NATS, OwnStack: o.Own, Pairs: o.Pairs, CPUOf: "this process: callers and watchers, not the stack"}
	if o.Own {
		r.CPUOf = "this process: callers, watchers, echo, and the whole stack"
	}
	o.Show(fmt.Sprintf("open %d lives", 4*o.Pairs+2*others))
	c, err := gather(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the lives: %w", err)
	}
	defer func() { err = errors.Join(err, c.part()) }()
	o.Show(fmt.Sprintf("%d battle ends and %d invitation timeouts, beside %d gifts/s and %d commands/s", o.Ends, o.Timeouts, o.Gifts, o.Commands))
	late, err := c.lateness(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("lateness: %w", err)
	}
	r.Runs = append(r.Runs, late...)
	for _, l := range []load{c.connections(), c.battles()} {
		o.Show(fmt.Sprintf("%s and its echo, %s each", l.name, o.Time))
		rates, err := c.rate(ctx, o, l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		r.Runs = append(r.Runs, rates...)
	}
	r.OK = true
	for _, run := range r.Runs {
		r.OK = r.OK && run.Early+run.Lost+run.Duplicated == 0
	}
	return r, nil
}
