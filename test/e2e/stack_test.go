package e2e

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// stack is a running Faceoff, and connections to it.
type stack struct {
	HTTP, GRPC, NATS, Redis, Key, Secret string

	conn    *grpc.ClientConn
	nats    *nats.Conn
	cohost  cohostv1.CohostServiceClient
	battle  battlev1.BattleServiceClient
	score   scorev1.ScoreServiceClient
	gateway gatewayv1.GatewayServiceClient

	mu    sync.Mutex
	redis *redis.Client // nil: not to be looked at
}

// given is the stack that the environment names.
func given() (*stack, error) {
	var fields []string
	for _, name := range []string{"URL", "GRPC", "NATS", "KEY", "SECRET", "REDIS"} {
		key := strings.ToLower(name)
		if name == "URL" {
			key = "http"
		}
		fields = append(fields, key+"="+os.Getenv("FACEOFF_E2E_"+name))
	}
	return dial(fields)
}

// dial connects to the stack of a ready line.
func dial(fields []string) (*stack, error) {
	s := new(stack)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if to := map[string]*string{
			"http": &s.HTTP, "grpc": &s.GRPC, "nats": &s.NATS, "redis": &s.Redis, "key": &s.Key, "secret": &s.Secret,
		}[name]; to != nil {
			*to = value
		}
	}
	var err error
	if s.conn, err = rpc.Dial(s.GRPC, rpc.DialOptions{}, grpc.WithConnectParams(grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond},
		MinConnectTimeout: 2 * time.Second,
	})); err != nil {
		return nil, err
	}
	if s.nats, err = natsd.Connect(s.NATS, "e2e", slog.New(slog.DiscardHandler), nil); err != nil {
		return nil, err
	}
	s.cohost = cohostv1.NewCohostServiceClient(s.conn)
	s.battle = battlev1.NewBattleServiceClient(s.conn)
	s.score = scorev1.NewScoreServiceClient(s.conn)
	s.gateway = gatewayv1.NewGatewayServiceClient(s.conn)
	return s, s.moveRedis(fields)
}

// moveRedis connects to the Redis of a ready line: a stand-in is elsewhere after a restart.
func (s *stack) moveRedis(fields []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redis != nil {
		_ = s.redis.Close()
		s.redis = nil
	}
	for _, f := range fields {
		if url, ok := strings.CutPrefix(f, "redis="); ok && url != "" {
			options, err := redis.ParseURL(url)
			if err != nil {
				return err
			}
			s.Redis, s.redis = url, redis.NewClient(options)
		}
	}
	return nil
}

func (s *stack) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redis != nil {
		_ = s.redis.Close()
	}
	s.nats.Close()
	_ = s.conn.Close()
}

// patience is how long anything may take that should happen at once.
const patience = 30 * time.Second

// actor is somebody with a token.
type actor struct {
	s       *stack
	token   string
	session string // of a host's device; empty: none is named
}

func (s *stack) actor(t testing.TB, user, live string, role auth.Role) actor {
	t.Helper()
	token, err := auth.Sign(s.Key, s.Secret, auth.Principal{User: user, Live: live, Role: role}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return actor{s: s, token: token}
}

// backend is the platform's backend.
func (s *stack) backend(t testing.TB) actor {
	t.Helper()
	return s.actor(t, "e2e-backend", auth.EveryLive, auth.Service)
}

// ctx is the context of the actor's gRPC calls.
func (a actor) ctx(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return a.in(ctx)
}

// in adds the actor's token to a context.
func (a actor) in(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+a.token)
}

// withID makes the call with ctx repeatable.
func withID(ctx context.Context, id string) context.Context { return rpc.WithCommandID(ctx, id) }

// rest makes a REST call and returns status and body.
func (a actor) rest(t testing.TB, method, path, id, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.s.HTTP+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if id != "" {
		req.Header.Set("Idempotency-Key", id)
	}
	if a.session != "" {
		req.Header.Set("Faceoff-Session", a.session)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, data
}

// refused ends the test unless err is a refusal with the given reason.
func refused(t testing.TB, err error, reason string) {
	t.Helper()
	r, ok := rpc.Refusal(err)
	if !ok || r.Reason != reason {
		t.Fatalf("got %v, want the refusal %s", err, reason)
	}
}

// unknown tells that the outcome of a call is not known: it has to be repeated with the same ids.
func unknown(err error) bool {
	if r, ok := rpc.Refusal(err); ok {
		return r.Reason == "UNAVAILABLE" || r.Reason == "DEADLINE_EXCEEDED"
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// side is a live with its host.
type side struct {
	live, user string
	host       actor
	view       *view
}

// openLive opens a live and watches it as its host.
func openLive(t testing.TB, s *stack, name string, kind cohostv1.Live_Kind) *side {
	t.Helper()
	p := createLive(t, s, name, kind)
	p.view = watch(t, p.host, p.live, "")
	return p
}

// createLive opens a live that nobody watches.
func createLive(t testing.TB, s *stack, name string, kind cohostv1.Live_Kind) *side {
	t.Helper()
	run := ids.New()[:10]
	p := &side{live: name + "-room-" + run, user: name + "-" + run}
	p.host = s.actor(t, p.user, p.live, auth.Host)
	_, err := s.cohost.CreateLive(s.backend(t).ctx(t), &cohostv1.CreateLiveRequest{LiveId: p.live, Kind: kind, Host: user(p.user)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
