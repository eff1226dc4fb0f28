// Package fakes stands in for the services behind the gateway in its tests: the same interfaces, over gRPC, without logs.
package fakes

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// Key and Secret sign the tokens that fakes, and gateways in tests, accept.
const (
	Key    = "test"
	Secret = "a secret that is long enough for tests"
)

// Keys are the keys of tests.
func Keys() auth.Keys { return auth.Keys{Key: Secret} }

// Token makes a token.
func Token(t testing.TB, user, live string, role auth.Role) string {
	t.Helper()
	token, err := auth.Sign(Key, Secret, auth.Principal{User: user, Live: live, Role: role}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Backend is a gRPC server that can be stopped and started.
type Backend struct {
	// Conn leads to it.
	Conn *grpc.ClientConn

	register func(grpc.ServiceRegistrar)

	mu     sync.Mutex
	lis    *bufconn.Listener
	server *rpc.Server
}

// Start starts a backend with what register registers.
func Start(t testing.TB, register func(grpc.ServiceRegistrar)) *Backend {
	t.Helper()
	b := &Backend{register: register}
	b.Restart()
	t.Cleanup(b.Stop)
	conn, err := grpc.NewClient("passthrough:///"+t.Name(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(b.dial),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 5 * time.Millisecond, MaxDelay: 20 * time.Millisecond},
			MinConnectTimeout: 10 * time.Second,
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	b.Conn = conn
	return b
}

func (b *Backend) dial(ctx context.Context, _ string) (net.Conn, error) {
	b.mu.Lock()
	lis := b.lis
	b.mu.Unlock()
	if lis == nil {
		return nil, errors.New("the backend is stopped")
	}
	return lis.DialContext(ctx)
}

// Stop ends all calls and connections.
func (b *Backend) Stop() {
	b.mu.Lock()
	server := b.server
	b.lis, b.server = nil, nil
	b.mu.Unlock()
	if server != nil {
		server.Stop()
	}
}

// Restart stops the backend and starts it again.
func (b *Backend) Restart() {
	b.Stop()
	server, lis := rpc.NewServer(rpc.ServerOptions{Keys: Keys()}), bufconn.Listen(64<<10)
	b.register(server)
	b.mu.Lock()
	b.lis, b.server = lis, server
	b.mu.Unlock()
	go func() { _ = server.Serve(lis) }() // ends with Stop
}

// SetServing tells what the backend's health service reports.
func (b *Backend) SetServing(serving bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.server.SetServing(serving)
}
