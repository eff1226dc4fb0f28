package natsd_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

var quiet = slog.New(slog.DiscardHandler)

func start(t *testing.T, o natsd.Options) *natsd.Server {
	t.Helper()
	s, err := natsd.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func TestSyncAlwaysIsOn(t *testing.T) {
	t.Parallel()
	s := start(t, natsd.Options{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0"})
	if err := natsd.VerifySyncAlways(t.Context(), s.MonitorURL()); err != nil {
		t.Fatal(err)
	}
}

func TestServerThatDoesNotSyncIsNamed(t *testing.T) {
	t.Parallel()
	off := func(o *server.Options) { o.SyncAlways = false }
	s := start(t, natsd.Options{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0", Tune: off})
	err := natsd.VerifySyncAlways(t.Context(), s.MonitorURL())
	if !errors.Is(err, natsd.ErrNotSynced) || !strings.Contains(err.Error(), "sync_interval: always") {
		t.Errorf("got %v", err)
	}
}

func TestMonitoringEndpointThatDoesNotTell(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, h := range map[string]http.HandlerFunc{
		"no JetStream":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"jetstream": {}}`) },
		"not JSON":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `<html>`) },
		"an error":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"nobody listens": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := gone.URL
			if h != nil {
				s := httptest.NewServer(h)
				t.Cleanup(s.Close)
				url = s.URL
			}
			if err := natsd.VerifySyncAlways(t.Context(), url); err == nil || errors.Is(err, natsd.ErrNotSynced) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDirectoryHasOneServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, natsd.Options{Dir: dir})
	_, err := natsd.Start(natsd.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir+" is in use") {
		t.Fatalf("got %v", err)
	}
	first.Shutdown()
	start(t, natsd.Options{Dir: dir})
}

func TestWhatIsStoredOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, natsd.Options{Dir: dir})
	js := streams(t, s)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S"}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "S", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	s.Shutdown()

	stream, err := streams(t, start(t, natsd.Options{Dir: dir})).Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetMsg(t.Context(), 1)
	if err != nil || string(m.Data) != "kept" {
		t.Errorf("message %v, error %v", m, err)
	}
}

func streams(t *testing.T, s *natsd.Server) jetstream.JetStream {
	t.Helper()
	nc, err := s.InProcess()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestAddressThatCannotBe(t *testing.T) {
	t.Parallel()
	taken := strings.TrimPrefix(start(t, natsd.Options{Dir: t.TempDir()}).ClientURL(), "nats://")
	for _, addr := range []string{"nonsense", "127.0.0.1:x", "127.0.0.1:70000", taken} {
		if s, err := natsd.Start(natsd.Options{Dir: t.TempDir(), Addr: addr}); err == nil {
			s.Shutdown()
			t.Errorf("%s: accepted", addr)
		}
	}
	if _, err := natsd.Start(natsd.Options{}); err == nil {
		t.Error("no directory: accepted")
	}
}

// Without a connection a publish fails at once instead of being sent later, and the connection comes back by itself.
func TestConnectionBuffersNothingAndComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, natsd.Options{Dir: dir})
	addr := strings.TrimPrefix(s.ClientURL(), "nats://")
	closed := make(chan error, 1)
	nc, err := natsd.Connect(s.ClientURL(), "test", quiet, func(err error) { closed <- err })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	states := nc.StatusChanged(nats.RECONNECTING, nats.CONNECTED)

	s.Shutdown()
	await(t, states, nats.RECONNECTING)
	if err := nc.Publish("x", nil); !errors.Is(err, nats.ErrReconnectBufExceeded) {
		t.Errorf("publish: %v", err)
	}
	start(t, natsd.Options{Dir: dir, Addr: addr})
	await(t, states, nats.CONNECTED)
	if err := nc.Publish("x", nil); err != nil {
		t.Errorf("publish: %v", err)
	}

	nc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	select {
	case <-closed:
	case <-ctx.Done():
		t.Error("the end of the connection is not told")
	}
}

func await(t *testing.T, states <-chan nats.Status, want nats.Status) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case got := <-states:
			if got == want {
				return
			}
		case <-limit:
			t.Fatalf("the connection is not %v", want)
		}
	}
}

func TestConnectSaysWhere(t *testing.T) {
	t.Parallel()
	_, err := natsd.Connect("nats://127.0.0.1:1", "test", quiet, nil)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyWarningsOfTheServerReachTheLog(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	large := func(o *server.Options) { o.MaxPayload = 16 << 20 } // the server advises against it
	s := start(t, natsd.Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&out, nil)), Tune: large})
	s.Shutdown()
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=WARN") {
		t.Errorf("log: %s", got)
	}
}
