package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natsd"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/cohost"
	"github.com/faceoff-live/faceoff/services/score"
)

type streamsCommands struct {
	Apply streamsApply `cmd:"" help:"Create streams that are missing, and change those that are not as declared; never what could lose data."`
	Check streamsCheck `cmd:"" help:"Compare the streams with what is declared, and read every log from end to end; exit code 1 if anything is wrong."`

	Continue streamsContinue `cmd:"" help:"Have a log go on in another stream; the one before takes nothing any more and can be exported."`
	Export   streamsExport   `cmd:"" help:"Write what a log's past streams hold to files, and check them."`
	Drop     streamsDrop     `cmd:"" help:"Delete a log's oldest stream, once it is exported and not needed any more."`
	Restore  streamsRestore  `cmd:"" help:"Put a log's dropped streams back from their exports."`
}

// streamsTarget is where the streams are, and how many there should be.
type streamsTarget struct {
	NATS       string        `name:"nats-url" help:"Where NATS is." default:"nats://127.0.0.1:4222" env:"FACEOFF_NATS_URL"`
	Partitions int           `help:"Number of score's logs, 1 to 100." default:"16" env:"FACEOFF_PARTITIONS"`
	Timeout    time.Duration `help:"How long all of it may take." default:"10m"`
	JSON       bool          `name:"json" help:"Print JSON."`
}

// streams are those of a stack.
type streams struct {
	js     natsjs.JetStream
	stores *jetstream.Stores
	logs   []ledger.LogName
}

// open connects, and makes sure that there are as many partitions as are said to be.
func (t streamsTarget) open(ctx context.Context, do func(context.Context, streams) error) error {
	if t.Partitions < 1 || t.Partitions > 100 {
		return usagef("--partitions: must be 1 to 100, is %d", t.Partitions)
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	// What runs for a moment need not notice soon that the server is gone: --timeout ends it.
	nc, err := natsd.Connect(t.NATS, "streams", slog.New(slog.DiscardHandler), nil, nats.PingInterval(time.Minute))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		return err
	}
	stores, err := jetstream.NewStores(nc, 1)
	if err != nil {
		return err
	}
	if err := score.CheckPartitions(ctx, stores, t.Partitions); err != nil {
		return err
	}
	return do(ctx, streams{js: js, stores: stores, logs: slices.Concat(cohost.Logs(), battle.Logs(), score.Logs(t.Partitions))})
}

// declared are the streams of logs as they must be, those included in which a log has gone on.
func (s streams) declared(ctx context.Context, settings streamSettings, only []string) ([]natsjs.StreamConfig, error) {
	var all []natsjs.StreamConfig
	for _, want := range settings.table(s.logs) {
		if len(only) > 0 && !slices.Contains(only, want.Name) {
			continue
		}
		var generations []jetstream.Generation
		if s.isLog(want.Name) {
			var err error
			if generations, err = s.stores.Generations(ctx, want.Name); err != nil {
				return nil, err
			}
		}
		if len(generations) == 0 {
			all = append(all, want)
		}
		for _, g := range generations {
			all = append(all, g.Declared(want))
		}
	}
	return all, nil
}

func (s streams) isLog(name string) bool {
	return slices.ContainsFunc(s.logs, func(l ledger.LogName) bool { return l.Name == name })
}

// subject is that of the first stream of a log.
func (s streams) subject(name string) string {
	i := slices.IndexFunc(s.logs, func(l ledger.LogName) bool { return l.Name == name })
	return s.logs[i].Subject
}

// known makes sure that there are logs of these names.
func (s streams) known(names ...string) error {
	for _, name := range names {
		if !s.isLog(name) {
			return usagef("there is no log %s", name)
		}
	}
	return nil
}

// streamSettings are what an operator may change of streams.
type streamSettings struct {
	Replicas    int          `name:"stream-replicas" help:"Copies of each stream, 1, 3 or 5; 0 for what each has, and 1 for new ones." default:"0"`
	LogMaxBytes config.Bytes `name:"log-max-bytes" help:"How large a log may grow; 0 for what each has, and 1GiB for new ones of cohost and battle, 256MiB of score." default:"0"`

	EventsMaxAge   time.Duration `help:"How long the stream EVENTS keeps what others are told; 0 for what it has, and 168h if it is new." default:"0s"`
	EventsMaxBytes config.Bytes  `help:"How large the stream EVENTS may grow; 0 for what it has, and 1GiB if it is new." default:"0"`
}

func (s streamSettings) validate() error {
	if s.Replicas < 0 || s.Replicas > 5 {
		return usagef("--stream-replicas: must be 0 to 5, is %d", s.Replicas)
	}
	return nil
}

// keep is what is left as it is.
func (s streamSettings) keep() jetstream.Keep {
	return jetstream.Keep{
		Replicas: s.Replicas == 0, MaxBytes: s.LogMaxBytes == 0,
		EventsMaxAge: s.EventsMaxAge == 0, EventsMaxBytes: s.EventsMaxBytes == 0,
	}
}

// table is how the streams of logs must be. Where a setting is not given, it has the services' own default.
func (s streamSettings) table(logs []ledger.LogName) []natsjs.StreamConfig {
	all := jetstream.Table(logs, max(s.Replicas, 1), int64(s.LogMaxBytes))
	told := &all[len(all)-1]
	told.MaxAge = cmp.Or(s.EventsMaxAge, told.MaxAge)
	told.MaxBytes = cmp.Or(int64(s.EventsMaxBytes), told.MaxBytes)
	if s.LogMaxBytes != 0 {
		return all
	}
	defaults := make(map[string]config.Bytes)
	for _, own := range []struct {
		logs []ledger.LogName
		size config.Bytes
	}{
		{cohost.Logs(), cohost.DefaultConfig().LogMaxBytes},
		{battle.Logs(), battle.DefaultConfig().LogMaxBytes},
		{score.Logs(100), score.DefaultConfig().LogMaxBytes},
	} {
		for _, l := range own.logs {
			defaults[l.Name] = own.size
		}
	}
	for i, stream := range all {
		if size, ok := defaults[stream.Name]; ok {
			all[i].MaxBytes = int64(size)
		}
	}
	return all
}

type streamsApply struct {
	Log []string `help:"Only these logs, SCORE_00; all streams if none is named." placeholder:"LOG"`
	streamSettings
	streamsTarget
}

// Run creates and changes streams, and prints what it did.
func (c streamsApply) Run(ctx context.Context, out io.Writer, complaints complain) error {
	if err := c.validate(); err != nil {
		return err
	}
	return c.open(ctx, func(ctx context.Context, s streams) error {
		if err := s.known(c.Log...); err != nil {
			return err
		}
		table, err := s.declared(ctx, c.streamSettings, c.Log)
		if err != nil {
			return err
		}
		var rows [][]any
		var reports []appliedStream
		failed := false
		for _, want := range table {
			r, err := jetstream.Apply(ctx, s.js, want, c.keep())
			done := appliedStream{Report: r, Done: "as declared"}
			switch {
			case err != nil:
				failed, done.Done, done.Error = true, "refused", err.Error()
				_, _ = fmt.Fprintln(complaints, "refused:", err)
			case r.Missing:
				done.Done = "created"
			case !r.OK():
				done.Done = "changed"
			}
			reports = append(reports, done)
			rows = append(rows, []any{want.Name, done.Done, differences(r)})
		}
		if err := c.print(out, reports, "STREAM,DONE,WHAT", rows); err != nil {
			return err
		}
		return failedIf(failed)
	})
}

// appliedStream is what was done to a stream.
type appliedStream struct {
	jetstream.Report
	Done  string `json:"done"`
	Error string `json:"error,omitempty"`
}

func differences(r jetstream.Report) string {
	var all []string
	for _, d := range r.Differences {
		all = append(all, fmt.Sprintf("%s: %s, declared %s", d.Property, d.Is, d.Want))
	}
	return strings.Join(all, "; ")
}

type streamsCheck struct {
	streamSettings
	streamsTarget
}

// checkedStreams is what streams check prints as JSON.
type checkedStreams struct {
	OK      bool               `json:"ok"`
	Streams []jetstream.Report `json:"streams"`
	Logs    []ledger.Checked   `json:"logs"`
}

// Run prints what is not as declared, and what is wrong with the logs.
func (c streamsCheck) Run(ctx context.Context, out io.Writer) error {
	if err := c.validate(); err != nil {
		return err
	}
	return c.open(ctx, func(ctx context.Context, s streams) error {
		all := checkedStreams{OK: true}
		missing := make(map[string]bool)
		var rows [][]any
		table, err := s.declared(ctx, c.streamSettings, nil)
		if err != nil {
			return err
		}
		for _, want := range table {
			r, err := jetstream.Compare(ctx, s.js, want, c.keep())
			if err != nil {
				return err
			}
			all.Streams = append(all.Streams, r)
			if all.OK = all.OK && r.OK(); r.Missing {
				missing[r.Stream] = true
				rows = append(rows, []any{r.Stream, "missing"})
			}
			for _, d := range r.Differences {
				rows = append(rows, []any{r.Stream, d})
			}
		}
		for _, l := range s.logs {
			if missing[l.Name] {
				continue
			}
			checked, err := ledger.Check(ctx, l.Name, s.stores.Other(l.Name), s.stores.Heads(l.Name))
			if err != nil {
				return fmt.Errorf("log %s: %w", l.Name, err)
			}
			all.Logs = append(all.Logs, checked)
			what := fmt.Sprintf("groups %d to %d, saved head %d: sound", checked.First, checked.Head, checked.Saved)
			if len(checked.Problems) > 0 {
				all.OK = false
				what = strings.Join(checked.Problems, "; ")
			}
			rows = append(rows, []any{l.Name, what})
		}
		if err := c.print(out, all, "STREAM,FOUND", rows); err != nil {
			return err
		}
		return failedIf(!all.OK)
	})
}

// print prints v as JSON, or rows as a table.
func (t streamsTarget) print(out io.Writer, v any, header string, rows [][]any) error {
	if !t.JSON {
		return table(out, header, rows...)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func failedIf(failed bool) error {
	if failed {
		return errFailed
	}
	return nil
}
