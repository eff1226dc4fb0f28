package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/process"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// MaxStreams bounds the calls at once on one gRPC connection from outside.
const MaxStreams = 128

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
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	p, err := process.New(process.Settings{
		Name: "gateway", GRPC: cfg.GRPC, Metrics: cfg.Metrics, Keys: cfg.Keys, CallsPerSecond: cfg.CallsPerSecond,
		MaxStreams: MaxStreams, Log: log,
	})
	if err != nil {
		return err
	}
	defer p.Close()
	cohost, err := p.DialForward(cfg.Cohost,
		grpc.WithChainUnaryInterceptor(rpc.Again(cohostv1.CohostService_Heartbeat_FullMethodName, cfg.HeartbeatPatience)))
	if err != nil {
		return err
	}
	battle, err := p.DialForward(cfg.Battle)
	if err != nil {
		return err
	}
	score, err := p.DialForward(cfg.Score)
	if err != nil {
		return err
	}
	http, err := p.Listen(cfg.HTTP)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	service, err := New(cfg, Deps{Log: log, Cohost: cohost, Battle: battle, Score: score, HTTP: http})
	if err != nil {
		return err
	}
	return p.Run(ctx, service)
}
