// Package process runs one service alone in its process: its connections, its listeners, its end.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/diagnose"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

// stopBudget is what an orchestrator commonly leaves for stopping (30 s), less a margin.
const stopBudget = 25 * time.Second

// Settings that every process has.
type Settings struct {
	// Name of the service.
	Name string
	// GRPC is the address that gRPC is served on.
	GRPC string
	// Metrics is the private address for metrics and probes; empty for none.
	Metrics string
	// Keys whose tokens are accepted. There must be one.
	Keys auth.Keys
	// MaxStreams bounds the calls at once on one gRPC connection; see rpc.ServerOptions.
	MaxStreams uint32
	// CallsPerSecond is how many calls a second each caller may make; see rpc.CallerLimit.
	CallsPerSecond int
	Log            *slog.Logger
}

// Service is what New of a service returns.
type Service interface {
	RegisterGRPC(grpc.ServiceRegistrar)
	Components() []lifecycle.Component
}

// Process is a process in the making. Close gives back what it holds.
type Process struct {
	s        Settings
	registry *prometheus.Registry
	nats     *nats.Conn // nil if the process has none
	first    []lifecycle.Component
	closers  []func()
}

// New makes a Process.
func New(s Settings) (*Process, error) {
	if len(s.Keys) == 0 {
		return nil, errors.New("keys: there is none, so nobody could call")
	}
	return &Process{s: s, registry: telemetry.NewRegistry()}, nil
}

// Close closes connections and listeners, the last one first.
func (p *Process) Close() {
	for _, c := range slices.Backward(p.closers) {
		c()
	}
	p.closers = nil
}

// Metrics is where the service registers its metrics.
func (p *Process) Metrics() prometheus.Registerer { return p.registry }

// NATS says where NATS is, and how it must be.
type NATS struct {
	URL string
	// MonitorURL is asked whether the server syncs before it acknowledges.
	MonitorURL string
	// NoFsync runs against a server that does not.
	NoFsync bool
}

// NATS connects. A server that could lose what it has acknowledged is refused; a connection that is closed for good ends
// the process.
func (p *Process) NATS(ctx context.Context, n NATS) (*nats.Conn, error) {
	if n.NoFsync {
		p.s.Log.Warn("UNSAFE: a power cut may lose what was acknowledged (--unsafe-no-fsync)")
	} else if err := natsd.VerifySyncAlways(ctx, n.MonitorURL); err != nil {
		return nil, err
	}
	closed := make(chan error, 1)
	nc, err := natsd.Connect(n.URL, p.s.Name, p.s.Log, func(err error) { closed <- err })
	if err != nil {
		return nil, err
	}
	p.nats = nc
	p.closers = append(p.closers, nc.Close)
	p.first = append(p.first, lifecycle.Component{Name: "nats", Run: func(ctx context.Context, ready func()) error {
		ready()
		select {
		case err := <-closed:
			return errors.Join(errors.New("the NATS connection is closed"), err)
		case <-ctx.Done():
			return nil
		}
	}})
	return nc, nil
}

// Dial reaches another service with tokens of this one. key names the one of Keys that signs; empty for the first.
func (p *Process) Dial(target, key string) (*grpc.ClientConn, error) {
	if key == "" {
		key = slices.Min(slices.Collect(maps.Keys(p.s.Keys)))
	}
	return p.dial(target, rpc.DialOptions{Key: key, Secret: p.s.Keys[key], Service: p.s.Name})
}

// DialForward reaches another service with the tokens of whoever calls this one.
func (p *Process) DialForward(target string, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	return p.dial(target, rpc.DialOptions{}, more...)
}

func (p *Process) dial(target string, o rpc.DialOptions, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := rpc.Dial(target, o, more...)
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() { _ = conn.Close() })
	return conn, nil
}

// Listen opens a TCP listener.
func (p *Process) Listen(addr string) (net.Listener, error) {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() { _ = lis.Close() })
	return lis, nil
}

// Run serves until ctx ends or a part fails.
func (p *Process) Run(ctx context.Context, service Service) error {
	server := rpc.NewServer(rpc.ServerOptions{
		Log: p.s.Log, Keys: p.s.Keys, Metrics: p.registry, MaxStreams: p.s.MaxStreams, PerCaller: rpc.PerSecond(p.s.CallsPerSecond),
	})
	service.RegisterGRPC(server)
	lis, err := p.Listen(p.s.GRPC)
	if err != nil {
		return fmt.Errorf("gRPC: %w", err)
	}
	var status lifecycle.Status
	components := p.first
	if d, ok := service.(diagnose.Diagnosed); ok && p.nats != nil {
		components = append(components, diagnose.Component(p.nats, p.s.Keys, p.s.Name, d)) // also of one that cannot start
	}
	components = append(components, service.Components()...)
	components = append(components, server.Component(lis))
	if p.s.Metrics != "" {
		private, err := p.Listen(p.s.Metrics)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		components = append(components, telemetry.Serve(private, telemetry.Handler(p.registry, status.Ready)))
	}
	return lifecycle.Run(ctx, p.s.Log, stopBudget, append(components, status.Component())...)
}
