package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/cohost"
	"github.com/faceoff-live/faceoff/services/gateway"
	"github.com/faceoff-live/faceoff/services/score"
)

// service is one that can run alone in its process.
type service struct {
	name string
	run  func(ctx context.Context, args []string, out io.Writer) error
}

var services = []service{
	{"cohost", func(ctx context.Context, args []string, out io.Writer) error {
		cfg := cohost.DefaultConfig()
		return alone(ctx, "cohost", &cfg, args, out, func(ctx context.Context, log *slog.Logger) error { return cohost.Run(ctx, cfg, log) },
			func() settings { return settings{level: cfg.LogLevel, grpc: cfg.GRPC} })
	}},
	{"battle", func(ctx context.Context, args []string, out io.Writer) error {
		cfg := battle.DefaultConfig()
		return alone(ctx, "battle", &cfg, args, out, func(ctx context.Context, log *slog.Logger) error { return battle.Run(ctx, cfg, log) },
			func() settings { return settings{level: cfg.LogLevel, grpc: cfg.GRPC} })
	}},
	{"score", func(ctx context.Context, args []string, out io.Writer) error {
		cfg := score.DefaultConfig()
		return alone(ctx, "score", &cfg, args, out, func(ctx context.Context, log *slog.Logger) error { return score.Run(ctx, cfg, log) },
			func() settings { return settings{level: cfg.LogLevel, grpc: cfg.GRPC} })
	}},
	{"gateway", func(ctx context.Context, args []string, out io.Writer) error {
		cfg := gateway.DefaultConfig()
		return alone(ctx, "gateway", &cfg, args, out, func(ctx context.Context, log *slog.Logger) error { return gateway.Run(ctx, cfg, log) },
			func() settings { return settings{level: cfg.LogLevel, grpc: cfg.GRPC, http: cfg.HTTP} })
	}},
}

// settings are those that all services have.
type settings struct{ level, grpc, http string }

// asService finds the service that a command line is for. `battle` is also what operators call battles by: with one of
// their words after it, the line is theirs.
func asService(args []string) (s service, rest []string, ok bool) {
	if len(args) == 0 {
		return service{}, nil, false
	}
	i := slices.IndexFunc(services, func(s service) bool { return s.name == args[0] })
	if i < 0 || args[0] == "battle" && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		return service{}, nil, false
	}
	return services[i], args[1:], true
}

// alone runs one service until a signal comes, and prints a line when it serves.
func alone(ctx context.Context, name string, cfg any, args []string, out io.Writer,
	run func(context.Context, *slog.Logger) error, read func() settings,
) error {
	start, err := config.Parse(name, cfg, args, out)
	if name == "battle" && err == nil && !start && slices.Contains(args, "--help") {
		_, _ = fmt.Fprintln(out, "\nThis runs the service. The operator's commands: faceoff battle list | get | exit | replay, each with --help.")
	}
	switch {
	case err != nil:
		return usageError{err}
	case !start:
		return nil
	}
	s := read()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	announced := make(chan struct{})
	go func() {
		defer close(announced)
		if awaitServing(ctx, s.grpc) != nil {
			return
		}
		line := "ready service=" + name + " grpc=" + s.grpc
		if s.http != "" {
			line += " http=http://" + s.http
		}
		_, _ = fmt.Fprintln(out, line)
	}()
	err = run(ctx, telemetry.Logger(os.Stderr, name, s.level))
	cancel()
	<-announced
	return err
}

// awaitServing returns when the health service at addr says that it serves.
func awaitServing(ctx context.Context, addr string) error {
	conn, err := rpc.Dial(addr, rpc.DialOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stream, err := healthv1.NewHealthClient(conn).Watch(ctx, &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
	for err == nil {
		var m *healthv1.HealthCheckResponse
		if m, err = stream.Recv(); m.GetStatus() == healthv1.HealthCheckResponse_SERVING {
			return nil
		}
	}
	return errors.Join(errors.New("the health service does not answer"), err)
}
