package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

const (
	// maxStreams bounds the calls at once on one gRPC connection from outside.
	maxStreams = 128
	// stopBudget is what an orchestrator commonly leaves for stopping, less a margin.
	stopBudget = 25 * time.Second
)

// Main is the program: it reads the settings from args, environment and file, and runs the gateway until a signal ends it.
func Main(ctx context.Context, args []string, out io.Writer) error {
	cfg := DefaultConfig()
	run, err := config.Parse("gateway", &cfg, args, out)
	if err != nil || !run {
		return err
	}
	ctx, stop := lifecycle.Signals(ctx)
	defer stop()
	return Run(ctx, cfg, telemetry.Logger(os.Stderr, "gateway", cfg.LogLevel))
}

// Run runs the gateway alone in its process until ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) (err error) {
	var conns [3]*grpc.ClientConn
	for i, target := range []string{cfg.Cohost, cfg.Battle, cfg.Score} {
		if conns[i], err = rpc.Dial(target, rpc.DialOptions{}); err != nil {
			return err
		}
		defer func() { _ = conns[i].Close() }()
	}
	http, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", cfg.GRPC)
	if err != nil {
		return errors.Join(err, http.Close())
	}
	service, err := New(cfg, Deps{Log: log, Cohost: conns[0], Battle: conns[1], Score: conns[2], HTTP: http})
	if err != nil {
		return errors.Join(err, http.Close(), lis.Close())
	}
	registry := telemetry.NewRegistry()
	server := rpc.NewServer(rpc.ServerOptions{Log: log, Keys: cfg.Keys, Metrics: registry, MaxStreams: maxStreams})
	service.RegisterGRPC(server)

	var status lifecycle.Status
	components := append(service.Components(), server.Component(lis))
	if cfg.Metrics != "" {
		private, err := net.Listen("tcp", cfg.Metrics)
		if err != nil {
			return errors.Join(err, http.Close(), lis.Close())
		}
		components = append(components, telemetry.Serve(private, telemetry.Handler(registry, status.Ready)))
	}
	return lifecycle.Run(ctx, log, stopBudget, append(components, status.Component())...)
}
