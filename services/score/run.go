package score

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

const (
	// stopBudget is what an orchestrator commonly leaves for stopping, less a margin.
	stopBudget = 25 * time.Second
	// redisTime bounds one exchange with Redis and one attempt to reach it.
	redisTime = time.Second
)

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
	if len(cfg.Keys) == 0 {
		return errors.New("keys: there is none, so nobody could call")
	}
	if err := checkSync(ctx, cfg, log); err != nil {
		return err
	}
	client, err := NewRedis(cfg.Redis)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	closed := make(chan error, 1)
	nc, err := natsd.Connect(cfg.NATS, "score", log, func(err error) { closed <- err })
	if err != nil {
		return err
	}
	defer nc.Close()
	key := cfg.signingKey()
	battle, err := rpc.Dial(cfg.Battle, rpc.DialOptions{Key: key, Secret: cfg.Keys[key], Service: "score"})
	if err != nil {
		return err
	}
	defer func() { _ = battle.Close() }()

	registry := telemetry.NewRegistry()
	service, err := New(cfg, Deps{NATS: nc, Redis: client, Battle: battle, Log: log, Metrics: registry})
	if err != nil {
		return err
	}
	server := rpc.NewServer(rpc.ServerOptions{Log: log, Keys: cfg.Keys, Metrics: registry})
	service.RegisterGRPC(server)

	lis, err := net.Listen("tcp", cfg.GRPC)
	if err != nil {
		return err
	}
	defer func() { _ = lis.Close() }()
	var status lifecycle.Status
	components := append([]lifecycle.Component{untilClosed(closed)}, service.Components()...)
	components = append(components, server.Component(lis))
	if cfg.Metrics != "" {
		private, err := net.Listen("tcp", cfg.Metrics)
		if err != nil {
			return err
		}
		components = append(components, telemetry.Serve(private, telemetry.Handler(registry, status.Ready)))
	}
	return lifecycle.Run(ctx, log, stopBudget, append(components, status.Component())...)
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

// checkSync refuses a NATS server that could lose what it has acknowledged.
func checkSync(ctx context.Context, cfg Config, log *slog.Logger) error {
	if cfg.NoFsync {
		log.Warn("UNSAFE: a power cut may lose what was acknowledged (--unsafe-no-fsync)")
		return nil
	}
	return natsd.VerifySyncAlways(ctx, cfg.NATSMonitor)
}

// signingKey is the API key that signs calls to other services.
func (c Config) signingKey() string {
	if c.Key != "" || len(c.Keys) == 0 {
		return c.Key
	}
	return slices.Min(slices.Collect(maps.Keys(c.Keys)))
}

// untilClosed fails when the NATS connection is closed for good.
func untilClosed(closed <-chan error) lifecycle.Component {
	return lifecycle.Component{Name: "nats", Run: func(ctx context.Context, ready func()) error {
		ready()
		select {
		case err := <-closed:
			return fmt.Errorf("the NATS connection is closed: %w", err)
		case <-ctx.Done():
			return nil
		}
	}}
}
