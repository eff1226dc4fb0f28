package score

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/process"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

// redisTime bounds one exchange with Redis and one attempt to reach it.
const redisTime = time.Second

// Main is the program: it reads the settings from args, environment and file, and runs score until a signal ends it.
func Main(ctx context.Context, args []string, out io.Writer) error {
	cfg := DefaultConfig()
	run, err := config.Parse("score", &cfg, args, out)
	if err != nil || !run {
		return err
	}
	ctx, stop := lifecycle.Signals(ctx)
	defer stop()
	return Run(ctx, cfg, telemetry.Logger(os.Stderr, "score", cfg.LogLevel))
}

// Run runs score alone in its process until ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	p, err := process.New(process.Settings{
		Name: "score", GRPC: cfg.GRPC, Metrics: cfg.Metrics, Keys: cfg.Keys, CallsPerSecond: cfg.CallsPerSecond, Log: log,
	})
	if err != nil {
		return err
	}
	defer p.Close()
	client, err := NewRedis(cfg.Redis)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	nc, err := p.NATS(ctx, process.NATS{URL: cfg.NATS, MonitorURL: cfg.NATSMonitor, NoFsync: cfg.NoFsync})
	if err != nil {
		return err
	}
	stores, err := jetstream.NewStores(nc, cfg.StreamReplicas)
	if err != nil {
		return err
	}
	stores.LimitLogs(int64(cfg.LogMaxBytes))
	stores.PaceSnapshots(int64(cfg.SnapshotBytes), cfg.SnapshotEvery)
	battle, err := p.Dial(cfg.Battle, cfg.SigningKey)
	if err != nil {
		return err
	}
	service, err := New(cfg, Deps{Stores: stores, NATS: nc, Redis: client, Battle: battle, Log: log, Metrics: p.Metrics()})
	if err != nil {
		return err
	}
	return p.Run(ctx, service)
}

// NewRedis makes a client that gives up soon: what it could not write is written a moment later.
func NewRedis(url string) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("redis-url: %w", err)
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = redisTime, redisTime, redisTime
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1
	return redis.NewClient(o), nil
}
