package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/bench"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

type benchCommands struct {
	Battles benchBattles `cmd:"" help:"Measure how late battles end and invitations time out, and commands a second."`
}

type benchBattles struct {
	Ends     int           `help:"How many battle ends to measure." default:"1000"`
	Timeouts int           `help:"How many invitation timeouts to measure." default:"1000"`
	Pairs    int           `help:"Pairs of lives that battle, and as many that invite each other." default:"100"`
	Duration int           `help:"Seconds that battles and invitations last; battles need the stack's --min-duration." default:"1"`
	Gifts    int           `help:"Gifts a second meanwhile." default:"500"`
	Commands int           `help:"Commands a second by other lives meanwhile." default:"60"`
	Callers  int           `help:"Commands that are on their way at once when commands are counted, at most 100." default:"64"`
	Time     time.Duration `help:"How long commands of each kind are counted, and their echo as long." default:"5s"`
	Timeout  time.Duration `help:"How long all of it may take." default:"10m"`
	JSON     bool          `name:"json" help:"Print one JSON document: what was run, and the figures."`
	anyStack
}

// Run measures and prints. It fails if anything came early, was lost or happened twice.
func (c benchBattles) Run(ctx context.Context, out io.Writer, complaints complain) error {
	for _, f := range []struct {
		name               string
		value, least, most int
	}{
		{"--ends", c.Ends, 1, 1_000_000},
		{"--timeouts", c.Timeouts, 1, 1_000_000},
		{"--pairs", c.Pairs, 1, 10_000},
		{"--duration", c.Duration, 1, 300},
		{"--gifts", c.Gifts, 0, 25_000},
		{"--commands", c.Commands, 0, 10_000},
		{"--callers", c.Callers, 1, min(100, c.Pairs)},
	} {
		if f.value < f.least || f.value > f.most {
			return usagef("%s must be %d to %d, is %d", f.name, f.least, f.most, f.value)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return c.use(ctx, complaints, func(s client.Stack, own *dev.Addresses) error {
		r, err := bench.Battles(ctx, bench.Options{
			Stack: s, Own: own != nil, Ends: c.Ends, Timeouts: c.Timeouts, Pairs: c.Pairs, Duration: time.Duration(c.Duration) * time.Second,
			Gifts: c.Gifts, Commands: c.Commands, Callers: c.Callers, Time: c.Time,
			Show: func(what string) { _, _ = fmt.Fprintln(complaints, what) },
		})
		if err != nil {
			return err
		}
		if err := c.print(out, r); err != nil {
			return err
		}
		return failedIf(!r.OK)
	})
}

func (c benchBattles) print(out io.Writer, r *bench.Report) error {
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	ms := func(v float64) string { return fmt.Sprintf("%.1f", v) }
	var rows [][]any
	for _, run := range r.Runs {
		ratio := ""
		if run.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", run.Ratio)
		}
		rows = append(rows, []any{
			run.Name, run.Count, fmt.Sprintf("%.0f", run.PerS), ms(run.P50), ms(run.P99), ms(run.Max),
			fmt.Sprintf("%.0f", run.CPU), ratio, run.Early, run.Lost, run.Duplicated,
		})
		for _, name := range partNames(run) {
			p := run.Parts[name]
			rows = append(rows, []any{"  " + name, p.Count, "", ms(p.P50), ms(p.P99), ms(p.Max)})
		}
	}
	if err := table(out, "WHAT,EVENTS,PER S,P50 MS,P99 MS,MAX MS,CPU US,OF ECHO,EARLY,LOST,DUPLICATED", rows...); err != nil {
		return err
	}
	for _, run := range r.Runs {
		_, _ = fmt.Fprintf(out, "\n%s: %s", run.Name, run.What)
	}
	_, _ = fmt.Fprintf(out, "\nCPU US: microseconds for each event of %s\n", r.CPUOf)
	return nil
}

// partNames are the parts of a run, in the order in which they happen.
func partNames(r *bench.Run) []string {
	var names []string
	for name := range r.Parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(bench.Parts, a) - slices.Index(bench.Parts, b) })
	return names
}
