package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/demo"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

type demoCommand struct {
	URL      string        `name:"url" help:"Base URL of REST. Not given, and nothing answers at http://127.0.0.1:8080: a stack of the demo's own." placeholder:"URL"`
	GRPC     string        `name:"grpc" help:"Address of gRPC." default:"127.0.0.1:9090"`
	NATS     string        `name:"nats" help:"Where NATS is." default:"nats://127.0.0.1:4222"`
	RedisURL string        `name:"redis-url" help:"Where the Redis of the stack is; its scores are compared as well." placeholder:"URL"`
	Own      bool          `help:"Start a stack for the run, on free ports and in a temporary directory."`
	Scenario string        `help:"What to play." enum:"pk" default:"pk"`
	Duration int           `help:"Seconds that the battle lasts." default:"3"`
	Timeout  time.Duration `help:"How long all but the battle may take, restarts of the stack included." default:"2m"`
	JSON     bool          `name:"json" help:"Print one JSON document: timeline, verdicts, settlement, checks."`
	credentials
}

const defaultURL = "http://127.0.0.1:8080"

// Run plays and prints. It fails if any fact is wrong.
func (c demoCommand) Run(ctx context.Context, out io.Writer, complaints complain) error {
	if c.Duration < 1 || c.Duration > 3600 {
		return usagef("--duration must be 1 to 3600 seconds, is %d", c.Duration)
	}
	o := demo.Options{Duration: time.Duration(c.Duration) * time.Second, Redis: c.RedisURL}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout+o.Duration)
	defer cancel()
	if !c.JSON {
		o.Show = func(m demo.Moment) { _, _ = fmt.Fprintf(out, "%7.3f  %-24s %s\n", float64(m.AtMS)/1000, m.Who, m.What) }
	}
	if c.Own || c.URL == "" && !client.Answers(ctx, defaultURL) {
		_, _ = fmt.Fprintln(complaints, "the demo runs a stack of its own, in a temporary directory")
		return withOwnStack(ctx, complaints, func(a dev.Addresses) error {
			o.Stack = client.Stack{HTTP: a.HTTP, GRPC: a.GRPC, NATS: a.NATS, Key: a.Key, Secret: a.Secret}
			o.Own, o.Redis = true, a.Redis
			return c.play(ctx, o, out)
		})
	}
	if c.URL == "" {
		c.URL = defaultURL
	}
	key, secret, err := c.keys(c.GRPC)
	if err != nil {
		return err
	}
	o.Stack = client.Stack{HTTP: c.URL, GRPC: c.GRPC, NATS: c.NATS, Key: key, Secret: secret}
	return c.play(ctx, o, out)
}

// withOwnStack runs a stack for the time of use.
func withOwnStack(ctx context.Context, complaints io.Writer, use func(dev.Addresses) error) (err error) {
	dir, err := os.MkdirTemp("", "faceoff-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	serving := make(chan dev.Addresses, 1)
	ended := make(chan error, 1)
	go func() {
		o := dev.Options{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0", Data: dir}
		ended <- dev.Run(ctx, o, telemetry.Logger(complaints, "demo", "warn"), func(a dev.Addresses) { serving <- a })
	}()
	select {
	case a := <-serving:
		err = use(a)
		stop()
		return errors.Join(err, <-ended)
	case err := <-ended:
		return err
	}
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
