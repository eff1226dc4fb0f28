package cohost

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/process"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

// Main is the program: it reads the settings from args, environment and file, and runs cohost until a signal ends it.
func Main(ctx context.Context, args []string, out io.Writer) error {
	cfg := DefaultConfig()
	run, err := config.Parse("cohost", &cfg, args, out)
	if err != nil || !run {
		return err
	}
	ctx, stop := lifecycle.Signals(ctx)
	defer stop()
	return Run(ctx, cfg, telemetry.Logger(os.Stderr, "cohost", cfg.LogLevel))
}

// Run runs cohost alone in its process until ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	p, err := process.New(process.Settings{
		Name: "cohost", GRPC: cfg.GRPC, Metrics: cfg.Metrics, Keys: cfg.Keys, CallsPerSecond: cfg.CallsPerSecond, Log: log,
	})
	if err != nil {
		return err
	}
	defer p.Close()
	nc, err := p.NATS(ctx, process.NATS{URL: cfg.NATS, MonitorURL: cfg.NATSMonitor, NoFsync: cfg.NoFsync})
	if err != nil {
		return err
	}
	stores, err := jetstream.NewStores(nc, cfg.StreamReplicas)
	if err != nil {
		return err
	}
	stores.LimitLogs(int64(cfg.LogMaxBytes))
	stores.LimitEvents(cfg.EventsMaxAge, int64(cfg.EventsMaxBytes))
	stores.PaceSnapshots(int64(cfg.SnapshotBytes), cfg.SnapshotEvery)
	battle, err := p.Dial(cfg.Battle, cfg.SigningKey)
	if err != nil {
		return err
	}
	service, err := New(cfg, Deps{Stores: stores, Events: stores.Events, NATS: nc, Battle: battle, Log: log, Metrics: p.Metrics()})
	if err != nil {
		return err
	}
	return p.Run(ctx, service)
}
