package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/demo"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

type demoCommand struct {
	RedisURL string        `name:"redis-url" help:"Where the Redis of the stack is; its scores are compared as well." placeholder:"URL"`
	Scenario string        `help:"What to play: a PK of two hosts, or all that nine hosts can do." enum:"pk,nine" default:"pk"`
	Duration int           `help:"Seconds that each battle lasts whose time runs out." default:"3"`
	Timeout  time.Duration `help:"How long all but these battles may take, restarts of the stack included." default:"2m"`
	JSON     bool          `name:"json" help:"Print one JSON document: timeline, verdicts, settlement, checks."`
	anyStack
}

// Run plays and prints. It fails if any fact is wrong.
func (c demoCommand) Run(ctx context.Context, out io.Writer, complaints complain) error {
	if c.Duration < 1 || c.Duration > 3600 {
		return usagef("--duration must be 1 to 3600 seconds, is %d", c.Duration)
	}
	o := demo.Options{Scenario: c.Scenario, Duration: time.Duration(c.Duration) * time.Second, Redis: c.RedisURL}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout+o.Battles())
	defer cancel()
	if !c.JSON {
		o.Show = func(m demo.Moment) { _, _ = fmt.Fprintf(out, "%7.3f  %-24s %s\n", float64(m.AtMS)/1000, m.Who, m.What) }
	}
	return c.use(ctx, complaints, func(s client.Stack, own *dev.Addresses) error {
		if o.Stack = s; own != nil {
			o.Own, o.Redis = true, own.Redis
		}
		return c.play(ctx, o, out)
	})
}

func (c demoCommand) play(ctx context.Context, o demo.Options, out io.Writer) error {
	report, err := demo.Run(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(report); err != nil {
			return err
		}
	} else {
		summarise(out, report)
	}
	if !report.OK {
		return errFailed
	}
	return nil
}

func summarise(out io.Writer, r *demo.Report) {
	verdicts := make(map[string]int)
	repeats := 0
	for _, v := range r.Verdicts {
		verdicts[v.Verdict]++
		if v.Duplicate {
			repeats++
		}
	}
	_, _ = fmt.Fprintf(out, "\n%d answers to gifts, %d of them to repeats:", len(r.Verdicts), repeats)
	for _, name := range []string{"COUNTED", "DUPLICATE", "LATE", "NO_BATTLE", "REJECTED"} {
		if verdicts[name] > 0 {
			_, _ = fmt.Fprintf(out, " %s %d", name, verdicts[name])
		}
	}
	wrong := 0
	for _, c := range r.Checks {
		if !c.OK {
			wrong++
			_, _ = fmt.Fprintf(out, "\nWRONG  %s: %s", c.Fact, c.Detail)
		}
	}
	_, _ = fmt.Fprintf(out, "\n%d facts checked, %d wrong\n", len(r.Checks), wrong)
}
