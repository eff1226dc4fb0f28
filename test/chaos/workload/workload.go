// Package workload is who uses the product while it is harmed: hosts who connect and battle, gift systems that send gifts
// through every door, readers, and audiences who watch. Every call is recorded. Who does not hear the outcome of a call
// repeats it with the same ids, as real callers do.
package workload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/natsd"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// Who takes part.
const (
	lives    = 18
	most     = 9 // of one connection
	popular  = 5 // the first lives get more invitations
	hosts    = 8
	givers   = 8
	readers  = 2
	watchers = 6
)

// The processes of a history, by their first number.
const (
	restProcess   = 0
	hostProcess   = 10
	giverProcess  = 30
	readerProcess = 50
	watchProcess  = 60
	headsProcess  = 90
	canaryProcess = 95
	sideProcess   = 100 // those who act at the same moment as a host
)

// Workload is all clients of one cluster.
type Workload struct {
	seed  uint64
	h     *history.Writer
	lives []string

	gateways []*gateway
	nats     []*nats.Conn
	direct   []*nats.Conn
	redis    *redis.Client
	tokens   map[string]string // by user_id
	http     *http.Client

	stage stage
}

// New makes the clients of a cluster. They connect when it can be reached.
func New(d cluster.Doors, seed uint64, h *history.Writer) (*Workload, error) {
	w := &Workload{
		seed: seed, h: h, tokens: map[string]string{},
		redis: redis.NewClient(&redis.Options{Addr: d.RedisAddr, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: time.Second, ContextTimeoutEnabled: true}),
		http: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: 16, IdleConnTimeout: 10 * time.Second, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
		}},
	}
	for i := range lives {
		w.lives = append(w.lives, fmt.Sprintf("live-%02d", i))
	}
	if err := w.open(d); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	h.Append(history.Record{F: call.Load, Type: history.Info, Val: value(call.Scene{Seed: seed, Lives: w.lives})})
	return w, nil
}

func (w *Workload) open(d cluster.Doors) error {
	if len(d.GRPC) != len(d.REST) {
		return fmt.Errorf("%d addresses of gRPC and %d of REST", len(d.GRPC), len(d.REST))
	}
	for i := range d.GRPC {
		g, err := dial(d.GRPC[i], d.REST[i])
		if err != nil {
			return err
		}
		w.gateways = append(w.gateways, g)
	}
	for _, to := range []struct {
		urls  []string
		conns *[]*nats.Conn
	}{{d.NATS, &w.nats}, {d.NATSDirect, &w.direct}} {
		for _, url := range to.urls {
			// What other servers there are is not to be learned: it would lead around what cuts clients off.
			nc, err := natsd.Connect(url, "chaos", slog.New(slog.DiscardHandler), nil, nats.RetryOnFailedConnect(true), nats.IgnoreDiscoveredServers(), nats.Timeout(time.Second))
			if err != nil {
				return err
			}
			*to.conns = append(*to.conns, nc)
		}
	}
	return w.sign(d.Key, d.Secret)
}

// The user_ids of the platform's backend, and of who looks after it.
const (
	backend = "backend"
	admin   = "admin"
)

func hostOf(live string) string { return "host-of-" + live }

// sign makes a token for everybody. It has been valid for long and will be, so that no clock that is wrong by an hour
// finds fault with it.
func (w *Workload) sign(key, secret string) error {
	everybody := []auth.Principal{{User: backend, Live: auth.EveryLive, Role: auth.Service}, {User: admin, Live: auth.EveryLive, Role: auth.Admin}}
	for _, live := range w.lives {
		everybody = append(everybody, auth.Principal{User: hostOf(live), Live: live, Role: auth.Host})
	}
	for _, p := range everybody {
		token, err := auth.Sign(key, secret, p, 20*time.Hour, time.Now().Add(-10*time.Hour))
		if err != nil {
			return err
		}
		w.tokens[p.User] = token
	}
	return nil
}

// Close gives up all connections.
func (w *Workload) Close() error {
	var errs []error
	for _, g := range w.gateways {
		errs = append(errs, g.Close())
	}
	for _, nc := range append(w.nats, w.direct...) {
		nc.Close()
	}
	w.http.CloseIdleConnections()
	return errors.Join(append(errs, w.redis.Close())...)
}

// Run has all clients work until ctx ends. It may be called again.
func (w *Workload) Run(ctx context.Context) error {
	w.stage.mu.Lock()
	w.stage.round++
	w.stage.mu.Unlock()
	var working sync.WaitGroup
	each := func(process, n int, work func(*client, context.Context)) {
		for i := range n {
			c := w.client(process + i)
			working.Go(func() { work(c, ctx) })
		}
	}
	each(headsProcess, 1, (*client).readHeads)
	each(hostProcess, hosts, (*client).host)
	each(giverProcess, givers, (*client).give)
	each(readerProcess, readers, (*client).read)
	each(watchProcess, watchers, (*client).watch)
	working.Wait()
	return nil
}

// client is one process of the history: it does one thing after another.
type client struct {
	*Workload
	p     int
	rng   *rand.Rand
	tries int // of a call
}

func (w *Workload) client(p int) *client {
	return &client{w, p, rand.New(rand.NewPCG(w.seed, uint64(w.stage.round*1000+p))), tries}
}

// wait returns after d, or sooner with false when ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// pause waits for a time between two bounds.
func (c *client) pause(ctx context.Context, least, most time.Duration) bool {
	return wait(ctx, c.between(least, most))
}

func (c *client) between(least, most time.Duration) time.Duration {
	return least + time.Duration(c.rng.Int64N(int64(most-least)+1))
}

// chance is true n times in a hundred.
func (c *client) chance(n int) bool { return c.rng.IntN(100) < n }

func pick[T any](c *client, all []T) T { return all[c.rng.IntN(len(all))] }
