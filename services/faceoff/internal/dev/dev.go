// Package dev runs the whole product in one process: every service from its own constructor, an embedded nats-server on
// disk and, unless a Redis is given, a stand-in for that. Loopback only.
package dev

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/diagnose"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/cohost"
	"github.com/faceoff-live/faceoff/services/gateway"
	"github.com/faceoff-live/faceoff/services/score"
)

// stopBudget is for an orderly stop.
const stopBudget = 10 * time.Second

// logMaxBytes is how large each log of a stack may grow: all of them together must find room on a laptop.
const logMaxBytes = 64 << 20

// eventsMaxBytes is how large its stream EVENTS may grow.
const eventsMaxBytes = 64 << 20

// Addresses is where a stack serves, and the keys that open it.
type Addresses struct {
	HTTP, GRPC, NATS, Redis string
	// RedisStandIn: Redis is an imitation in this process.
	RedisStandIn bool
	Key, Secret  string
}

// Run runs a stack until ctx ends or a part of it fails. serving is called once, when every part serves.
func Run(ctx context.Context, o Options, log *slog.Logger, serving func(Addresses)) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	p := &process{o: o, log: log, keys: auth.Keys{Key: Secret}, closed: make(chan error, 8)}
	defer p.close()
	for _, open := range []func(context.Context) error{p.openNATS, p.openRedis, p.listen, p.build} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	announce := lifecycle.Component{Name: "announcement", Run: func(ctx context.Context, ready func()) error {
		serving(p.addresses)
		ready()
		<-ctx.Done()
		return nil
	}}
	return lifecycle.Run(ctx, log, stopBudget, append(p.components, announce)...)
}

// process is everything that a stack holds.
type process struct {
	o          Options
	log        *slog.Logger
	keys       auth.Keys
	addresses  Addresses
	closers    []func()
	closed     chan error // NATS connections that are closed for good
	connect    func(name string) (*nats.Conn, error)
	redis      redis.UniversalClient
	http, grpc net.Listener
	inner      net.Listener // gRPC between the services
	servers    servers
	components []lifecycle.Component
}

// servers are the gRPC servers: of the gateway, and of the services that own logs.
type servers struct{ outer, inner *rpc.Server }

// atEnd has f called when all has stopped; what was opened last closes first.
func (p *process) atEnd(f func()) { p.closers = append(p.closers, f) }

func (p *process) close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		p.closers[i]()
	}
}

// openNATS starts the embedded server, or looks whether the given one keeps what it acknowledges.
func (p *process) openNATS(ctx context.Context) error {
	onClosed := func(err error) {
		select {
		case p.closed <- err:
		default:
		}
	}
	if p.o.NATSURL != "" {
		if p.o.NoFsync {
			p.log.Warn("UNSAFE: a power cut may lose what was acknowledged (--unsafe-no-fsync)")
		} else if err := natsd.VerifySyncAlways(ctx, p.o.NATSMonitorURL); err != nil {
			return err
		}
		p.addresses.NATS = p.o.NATSURL
		p.connect = func(name string) (*nats.Conn, error) { return natsd.Connect(p.o.NATSURL, name, p.log, onClosed) }
		return nil
	}
	server, err := natsd.Start(natsd.Options{Dir: filepath.Join(p.o.Data, "nats"), Addr: p.o.NATS, Log: p.log})
	if err != nil {
		return err
	}
	p.atEnd(server.Shutdown)
	p.addresses.NATS = server.ClientURL()
	p.connect = func(name string) (*nats.Conn, error) {
		return server.InProcess(nats.Name(name), nats.ClosedHandler(func(nc *nats.Conn) { onClosed(nc.LastError()) }))
	}
	return nil
}

// openRedis starts the stand-in, or connects to the given server.
func (p *process) openRedis(context.Context) error {
	url := p.o.RedisURL
	if url == "" {
		standIn := miniredis.NewMiniRedis()
		if err := standIn.StartAddr("127.0.0.1:0"); err != nil {
			return fmt.Errorf("stand-in for Redis: %w", err)
		}
		p.atEnd(standIn.Close)
		url = "redis://" + standIn.Addr()
		p.addresses.RedisStandIn = true
		p.components = append(p.components, expire(standIn))
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		return fmt.Errorf("--redis-url: %w", err)
	}
	p.addresses.Redis = url
	client := redis.NewClient(options)
	p.atEnd(func() { _ = client.Close() })
	p.redis = client
	return nil
}

// expire lets time pass for the stand-in, whose keys do not expire by themselves.
func expire(standIn *miniredis.Miniredis) lifecycle.Component {
	return lifecycle.Component{Name: "redis stand-in", Run: func(ctx context.Context, ready func()) error {
		ready()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				standIn.FastForward(time.Second)
			case <-ctx.Done():
				return nil
			}
		}
	}}
}

// listen takes all addresses before anything runs, so that one in use is told at once.
func (p *process) listen(context.Context) (err error) {
	for _, l := range []struct {
		addr string
		to   *net.Listener
	}{{p.o.HTTP, &p.http}, {p.o.GRPC, &p.grpc}, {"127.0.0.1:0", &p.inner}} {
		if *l.to, err = net.Listen("tcp", l.addr); err != nil {
			return err
		}
		p.atEnd(func() { _ = (*l.to).Close() })
	}
	p.addresses.HTTP = "http://" + p.http.Addr().String()
	p.addresses.GRPC = p.grpc.Addr().String()
	p.addresses.Key, p.addresses.Secret = Key, Secret
	return nil
}

// build makes the services and puts their components in order: the logs first, the doors last.
func (p *process) build(context.Context) error {
	perCaller := rpc.PerSecond(rpc.DefaultCallsPerSecond)
	inner := rpc.NewServer(rpc.ServerOptions{Log: p.log, Keys: p.keys, PerCaller: perCaller})
	logs, err := p.services(inner)
	if err != nil {
		return err
	}
	// The gateway forwards its callers' tokens.
	conn, err := p.dial(rpc.DialOptions{})
	if err != nil {
		return err
	}
	cfg := gateway.DefaultConfig()
	cfg.Keys = p.keys
	page, err := newPage(p.addresses)
	if err != nil {
		return err
	}
	edge, err := gateway.New(cfg, gateway.Deps{
		Log: p.log.With("part", "gateway"), Cohost: conn, Battle: conn, Score: conn, HTTP: p.http, Pages: map[string]http.Handler{"/": page},
	})
	if err != nil {
		return err
	}
	outer := rpc.NewServer(rpc.ServerOptions{Log: p.log, Keys: p.keys, MaxStreams: gateway.MaxStreams, PerCaller: perCaller})
	edge.RegisterGRPC(outer)
	p.servers = servers{outer: outer, inner: inner}

	p.components = append(p.components, untilClosed(p.closed))
	p.components = append(p.components, logs...)
	p.components = append(p.components, inner.Component(p.inner))
	p.components = append(p.components, edge.Components()...)
	p.components = append(p.components, outer.Component(p.grpc))
	return nil
}

// services makes those that own logs.
func (p *process) services(server *rpc.Server) ([]lifecycle.Component, error) {
	var conns [3]*nats.Conn
	var stores [3]*jetstream.Stores
	for i, name := range []string{"cohost", "battle", "score"} {
		nc, err := p.connect(name)
		if err != nil {
			return nil, err
		}
		p.atEnd(nc.Close)
		conns[i] = nc
		if stores[i], err = jetstream.NewStores(nc, 1); err != nil {
			return nil, err
		}
		stores[i].LimitLogs(logMaxBytes)
		stores[i].LimitEvents(jetstream.EventsMaxAge, eventsMaxBytes)
	}
	toBattle := func(from string) (grpc.ClientConnInterface, error) {
		return p.dial(rpc.DialOptions{Key: Key, Secret: Secret, Service: from})
	}

	cohostCfg := cohost.DefaultConfig()
	cohostCfg.Keys = p.keys
	fromCohost, err := toBattle("cohost")
	if err != nil {
		return nil, err
	}
	c, err := cohost.New(cohostCfg, cohost.Deps{Stores: stores[0], Events: stores[0].Events, NATS: conns[0], Battle: fromCohost, Log: p.log.With("part", "cohost")})
	if err != nil {
		return nil, err
	}

	battleCfg := battle.DefaultConfig()
	battleCfg.Keys = p.keys
	battleCfg.MinDuration = time.Second
	b, err := battle.New(battleCfg, battle.Deps{Stores: stores[1], Events: stores[1].Events, Log: p.log.With("part", "battle")})
	if err != nil {
		return nil, err
	}

	scoreCfg := score.DefaultConfig()
	scoreCfg.Keys = p.keys
	fromScore, err := toBattle("score")
	if err != nil {
		return nil, err
	}
	s, err := score.New(scoreCfg, score.Deps{Stores: stores[2], NATS: conns[2], Redis: p.redis, Battle: fromScore, Log: p.log.With("part", "score")})
	if err != nil {
		return nil, err
	}

	c.RegisterGRPC(server)
	b.RegisterGRPC(server)
	s.RegisterGRPC(server)
	components := []lifecycle.Component{
		diagnose.Component(conns[0], p.keys, "cohost", c), diagnose.Component(conns[1], p.keys, "battle", b), diagnose.Component(conns[2], p.keys, "score", s),
	}
	components = append(components, c.Components()...)
	components = append(components, b.Components()...)
	return append(components, s.Components()...), nil
}

// dial connects to the gRPC server between the services.
func (p *process) dial(o rpc.DialOptions) (*grpc.ClientConn, error) {
	conn, err := rpc.Dial(p.inner.Addr().String(), o)
	if err != nil {
		return nil, err
	}
	p.atEnd(func() { _ = conn.Close() })
	return conn, nil
}

// untilClosed fails when a NATS connection is closed for good.
func untilClosed(closed <-chan error) lifecycle.Component {
	return lifecycle.Component{Name: "nats", Run: func(ctx context.Context, ready func()) error {
		ready()
		select {
		case err := <-closed:
			return fmt.Errorf("a NATS connection is closed: %w", err)
		case <-ctx.Done():
			return nil
		}
	}}
}
