// Package natstest gives each test a NATS server of its own, on disk as in production.
package natstest

import (
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

// Start starts a server for the length of the test.
func Start(t testing.TB) *natsd.Server {
	t.Helper()
	s, err := natsd.Start(natsd.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// Connect connects to s for the length of the test.
func Connect(t testing.TB, s *natsd.Server) *nats.Conn {
	t.Helper()
	nc, err := natsd.Connect(s.ClientURL(), t.Name(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}
