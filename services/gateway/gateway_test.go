package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/gateway"
	"github.com/faceoff-live/faceoff/services/gateway/internal/fakes"
)

// edge is a gateway in front of fakes.
type edge struct {
	cohost *fakes.Cohost
	battle *fakes.Battle
	score  *fakes.Score

	address string // of REST
	grpc    *grpc.ClientConn
	stop    func()
}

func start(t *testing.T) *edge {
	t.Helper()
	e := &edge{cohost: fakes.StartCohost(t), battle: fakes.StartBattle(t), score: fakes.StartScore(t)}
	cfg := gateway.DefaultConfig()
	cfg.Keys = fakes.Keys()
	lis, front := listen(t), listen(t)
	s, err := gateway.New(cfg, gateway.Deps{
		Cohost: e.cohost.Conn, Battle: e.battle.Conn, Score: e.score.Conn, HTTP: lis,
		Pages: map[string]http.Handler{"/": http.RedirectHandler("/healthz", http.StatusSeeOther)},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := rpc.NewServer(rpc.ServerOptions{Keys: fakes.Keys()})
	s.RegisterGRPC(server)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- lifecycle.Run(ctx, slog.New(slog.DiscardHandler), 10*time.Second, append(s.Components(), server.Component(front))...)
	}()
	e.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(e.stop)
	e.address = lis.Addr().String()
	e.grpc, err = grpc.NewClient(front.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.grpc.Close() })
	return e
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}

// answer is what a REST call got.
type answer struct {
	status int
	header http.Header
	body   string
}

// json reads a value of the body, by a path of keys and indices.
func (a answer) at(t *testing.T, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	for _, p := range path {
		switch k := p.(type) {
		case string:
			v = v.(map[string]any)[k]
		case int:
			v = v.([]any)[k]
		}
	}
	return v
}

// call makes a REST call. headers are "Name: value"; they replace those that a well-behaved client sends.
func (e *edge) call(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+e.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+fakes.Token(t, "backend", auth.EveryLive, auth.Service))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header[name] = append([]string{}, value)
		}
	}
	response, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(got)}
}

const createA = `{"live_id":"a","kind":"VIDEO","host":{"user_id":"anna","user_name":"Anna"}}`
