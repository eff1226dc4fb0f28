package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

type devCommand struct {
	HTTP           string `name:"http" help:"Address for REST and the page; port 0 picks a free one." default:"127.0.0.1:8080"`
	GRPC           string `name:"grpc" help:"Address for gRPC." default:"127.0.0.1:9090"`
	NATS           string `name:"nats" help:"Address of the embedded nats-server." default:"127.0.0.1:4222"`
	Data           string `help:"Directory that holds everything." default:"data" type:"path"`
	NATSURL        string `name:"nats-url" help:"A NATS server to use instead of the embedded one." placeholder:"URL"`
	NATSMonitorURL string `name:"nats-monitor-url" help:"Its monitoring endpoint, asked whether it syncs before it acknowledges." default:"http://127.0.0.1:8222"`
	NoFsync        bool   `name:"unsafe-no-fsync" help:"Use it even if it does not. A power cut loses what was acknowledged."`
	RedisURL       string `name:"redis-url" help:"A Redis to use instead of the stand-in." placeholder:"URL"`
	LogLevel       string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"warn"`
}

// Run runs the stack until a signal comes.
func (c devCommand) Run(ctx context.Context, out io.Writer, complaints complain) error {
	o := dev.Options{
		HTTP: c.HTTP, GRPC: c.GRPC, NATS: c.NATS, Data: c.Data,
		NATSURL: c.NATSURL, NATSMonitorURL: c.NATSMonitorURL, NoFsync: c.NoFsync, RedisURL: c.RedisURL,
	}
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	return dev.Run(ctx, o, telemetry.Logger(complaints.Writer, "dev", c.LogLevel), func(a dev.Addresses) { announce(out, c, a) })
}

// announce says what runs and how to go on; the last line is for programs.
func announce(out io.Writer, c devCommand, a dev.Addresses) {
	if c.NATSURL == "" {
		_, _ = fmt.Fprintf(out, "data in %s, synced to disk before it is acknowledged (embedded nats-server)\n", c.Data)
	}
	if a.RedisStandIn {
		_, _ = fmt.Fprintf(out, "stand-in: miniredis in place of Redis, at %s (give a real one with --redis-url)\n", a.Redis)
	}
	_, _ = fmt.Fprintf(out, "development key and secret, known to everybody: this serves loopback only\n")
	_, _ = fmt.Fprintf(out, "open %s, or run: faceoff demo --url %s --grpc %s --nats %s\n", a.HTTP, a.HTTP, a.GRPC, a.NATS)
	_, _ = fmt.Fprintf(out, "ready http=%s grpc=%s nats=%s key=%s secret=%s\n", a.HTTP, a.GRPC, a.NATS, a.Key, a.Secret)
}
