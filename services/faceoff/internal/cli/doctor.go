package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natsd"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/cohost"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/doctor"
	"github.com/faceoff-live/faceoff/services/score"
)

type doctorCommand struct {
	NATS       string        `name:"nats-url" help:"Where NATS is." default:"nats://127.0.0.1:4222" env:"FACEOFF_NATS_URL"`
	Monitors   []string      `name:"nats-monitor-url" help:"Monitoring endpoint of each NATS server. Without any, replicas that are silent and servers that do not sync are not found." env:"FACEOFF_NATS_MONITOR_URL" placeholder:"URL"`
	Partitions int           `help:"Number of score's logs, 1 to 100." default:"16" env:"FACEOFF_PARTITIONS"`
	Token      string        `help:"Token of a service or an admin to ask with, instead of one that key and secret sign." env:"FACEOFF_TOKEN"`
	Timeout    time.Duration `help:"How long all of it may take." default:"30s"`
	JSON       bool          `name:"json" help:"Print JSON."`
	credentials
}

// blindError says that a command could not look, so that nothing can be said of what it is about.
type blindError struct{ error }

func (e blindError) Unwrap() error { return e.error }

// doctorReport is what doctor prints as JSON.
type doctorReport struct {
	OK       bool             `json:"ok"`
	Findings []doctor.Finding `json:"findings"`
}

// Run prints what looks stuck.
func (c doctorCommand) Run(ctx context.Context, out io.Writer, complaints complain) error {
	if c.Partitions < 1 || c.Partitions > 100 {
		return usagef("--partitions: must be 1 to 100, is %d", c.Partitions)
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	found, err := c.examine(ctx, token)
	if err != nil {
		return blindError{err}
	}
	if len(c.Monitors) == 0 {
		_, _ = fmt.Fprintln(complaints, "not looked for without --nats-monitor-url: silent replicas, servers that do not sync")
	}
	return errors.Join(c.print(out, found), failedIf(len(found) > 0))
}

// token is one that every replica answers to.
func (c doctorCommand) token() (string, error) {
	if c.Token != "" {
		return c.Token, nil
	}
	first, _, _ := strings.Cut(c.NATS, ",")
	at, err := url.Parse(first)
	if err != nil {
		return "", usagef("--nats-url: %w", err)
	}
	key, secret, err := c.keys(at.Host)
	if err != nil {
		return "", err
	}
	return auth.Sign(key, secret, auth.Principal{User: "operator", Live: auth.EveryLive, Role: auth.Admin}, time.Hour, time.Now())
}

func (c doctorCommand) examine(ctx context.Context, token string) ([]doctor.Finding, error) {
	nc, err := natsd.Connect(c.NATS, "doctor", slog.New(slog.DiscardHandler), nil, nats.PingInterval(time.Minute))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	stores, err := jetstream.NewStores(nc, 1)
	if err != nil {
		return nil, err
	}
	names := func(logs []ledger.LogName) (all []string) {
		for _, l := range logs {
			all = append(all, l.Name)
		}
		return all
	}
	return doctor.Stack{
		NATS: nc, Stores: stores, Monitors: c.Monitors, Token: token,
		Logs: map[string][]string{"cohost": names(cohost.Logs()), "battle": names(battle.Logs()), "score": names(score.Logs(c.Partitions))},
	}.Examine(ctx)
}

func (c doctorCommand) print(out io.Writer, found []doctor.Finding) error {
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(doctorReport{OK: len(found) == 0, Findings: append([]doctor.Finding{}, found...)})
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(out, "nothing looks stuck")
		return err
	}
	var rows [][]any
	for _, x := range found {
		lasted := time.Duration(x.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
		rows = append(rows, []any{x.Severity, x.Check, x.What, lasted, x.Since.Local().Format(time.DateTime), x.Detail, x.Runbook})
	}
	return table(out, "BAD,CHECK,WHAT,FOR,SINCE,DETAIL,RUNBOOK", rows...)
}
