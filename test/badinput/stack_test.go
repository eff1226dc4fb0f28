package badinput

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

const (
	key    = "k1"
	secret = "a secret that is for this test alone"
)

// stack is the product as it runs in production: a nats-server, and every service a process of its own. Redis alone is an
// imitation, since nothing that comes in reaches it.
type stack struct {
	http, grpc, nats string
	services         map[string]string // gRPC addresses by name
	processes        []*process
	nc               *nats.Conn
	js               jetstream.JetStream
	conn             *grpc.ClientConn // to the gateway
	baseline         map[string]held
}

// startStack starts a stack for the length of the test.
func startStack(t *testing.T, gatewayArgs ...string) *stack {
	t.Helper()
	server, err := natsd.Start(natsd.Options{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	redis := miniredis.RunT(t)
	nc, err := natsd.Connect(server.ClientURL(), "badinput", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := &stack{
		nc:   nc,
		http: freeAddr(t), grpc: freeAddr(t), nats: strings.TrimPrefix(server.ClientURL(), "nats://"),
		services: map[string]string{"cohost": freeAddr(t), "battle": freeAddr(t), "score": freeAddr(t)},
	}
	if s.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}

	keys := []string{"--keys", key + "=" + secret}
	logs := append(keys, "--nats-url", server.ClientURL(), "--nats-monitor-url", server.MonitorURL())
	battle := append(logs, "--battle", s.services["battle"])
	s.processes = []*process{
		start(t, "battle", append(logs, "--grpc", s.services["battle"], "--min-duration", "1s")...),
		start(t, "score", append(battle, "--grpc", s.services["score"], "--redis-url", "redis://"+redis.Addr())...),
		start(t, "cohost", append(battle, "--grpc", s.services["cohost"])...),
		start(t, "gateway", append(append(keys, "--http", s.http, "--grpc", s.grpc,
			"--cohost", s.services["cohost"], "--battle", s.services["battle"], "--score", s.services["score"]), gatewayArgs...)...),
	}
	for _, p := range s.processes {
		p.awaitReady(t)
	}
	await(t, "the gateway reaches all services", func() error {
		_, err := get("http://" + s.http + "/readyz")
		return err
	})
	if s.conn, err = rpc.Dial(s.grpc, rpc.DialOptions{Key: key, Secret: secret, Service: "badinput"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() })
	return s
}

// token signs an access token.
func token(t *testing.T, user, live string, role auth.Role) string {
	t.Helper()
	signed, err := auth.Sign(key, secret, auth.Principal{User: user, Live: live, Role: role}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func backend(t *testing.T) string {
	t.Helper()
	return token(t, "backend", auth.EveryLive, auth.Service)
}

// logName is that of a partition's log. Leases and saved heads, which change by themselves, are kept elsewhere.
var logName = regexp.MustCompile(`^(COHOST|BATTLE|SCORE)_\d\d$`)

// heads are the ends of all logs.
func (s *stack) heads(t *testing.T) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	heads := map[string]string{}
	streams := s.js.ListStreams(ctx)
	for info := range streams.Info() {
		if logName.MatchString(info.Config.Name) {
			heads[info.Config.Name] = fmt.Sprint(info.State.FirstSeq, "-", info.State.LastSeq, " ", info.State.Bytes, " bytes")
		}
	}
	if err := streams.Err(); err != nil {
		t.Fatal(err)
	}
	return heads
}

// quiet waits until the logs grow no more: what follows from an accepted call is written a moment after its answer.
func (s *stack) quiet(t *testing.T) {
	t.Helper()
	var last map[string]string
	since := time.Now()
	await(t, "the logs are quiet", func() error {
		if now := s.heads(t); !maps.Equal(now, last) {
			last, since = now, time.Now()
		}
		if time.Since(since) < 200*time.Millisecond {
			return fmt.Errorf("they are %v", last)
		}
		return nil
	})
}

// settle notes what the processes hold when nobody calls.
func (s *stack) settle(t *testing.T) {
	t.Helper()
	s.baseline = nil
	await(t, "the processes come to rest", func() error {
		before := s.baseline
		s.baseline = map[string]held{}
		for _, p := range s.processes {
			h, err := p.holds()
			if err != nil {
				return err
			}
			s.baseline[p.name] = h
		}
		if !maps.Equal(before, s.baseline) {
			return fmt.Errorf("held %v, now %v", before, s.baseline)
		}
		return nil
	})
}

// unharmed checks that all processes live, serve, hold no more than at rest, and have not complained.
func (s *stack) unharmed(t *testing.T) {
	t.Helper()
	for _, p := range s.processes {
		if !p.alive() {
			t.Fatalf("%s has ended:\n%s", p.name, p.log.all())
		}
	}
	before := time.Now()
	if _, err := get("http://" + s.http + "/readyz"); err != nil {
		t.Errorf("the gateway is not ready: %v", err)
	}
	if took := time.Since(before); took > 5*time.Second {
		t.Errorf("the gateway took %v to answer", took)
	}
	for _, p := range s.processes {
		await(t, p.name+" holds what it held at rest", func() error {
			h, err := p.holds()
			rest := s.baseline[p.name]
			if p.name == "score" {
				h.files = rest.files // it keeps the connections to Redis that it has needed
			}
			if err == nil && (h.goroutines > rest.goroutines || h.files > rest.files) {
				err = fmt.Errorf("it holds %+v, at rest %+v", h, rest)
			}
			return err
		})
		for _, line := range p.log.complaints() {
			t.Errorf("%s complains: %s", p.name, line)
		}
	}
}
