package gateway

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

func TestLimitConnections(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := limitConnections(lis, 2)
	defer func() { _ = limited.Close() }()
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", lis.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	dial()
	dial()
	first, second := <-accepted, <-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a third connection was kept")
	}
	_ = first.Close()
	_ = first.Close() // frees one place only
	served := dial()
	go func() { _, _ = io.WriteString(<-accepted, "x") }()
	if _, err := served.Read(make([]byte, 1)); err != nil {
		t.Errorf("no place became free: %v", err)
	}
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a place was freed twice")
	}
	_ = second.Close()
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := DefaultConfig()
	good.Keys = auth.Keys{"k": "a secret that is long enough for tests"}
	if err := good.Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"no keys":        func(c *Config) { c.Keys = nil },
		"short secret":   func(c *Config) { c.Keys = auth.Keys{"k": "s"} },
		"no time":        func(c *Config) { c.CallTimeout = 0 },
		"too much time":  func(c *Config) { c.CallTimeout = time.Minute },
		"no connections": func(c *Config) { c.MaxConnections = 0 },
		"no patience":    func(c *Config) { c.HeartbeatPatience = 0 },
	} {
		c := good
		change(&c)
		if c.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := New(c, Deps{}); err == nil {
			t.Errorf("%s: a gateway was made", name)
		}
	}
}

// TestTimes runs the listener in virtual time: how long a connection may be silent, and where.
func TestTimes(t *testing.T) {
	for _, row := range []struct {
		name, request string
		want          time.Duration
	}{
		{"nothing", "", readHeaderTimeout},
		{"half a head", "GET /healthz HTTP/1.1\r\nHost: x\r\n", readHeaderTimeout},
		{"no further request", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", idleTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lis := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				cfg := DefaultConfig()
				cfg.Keys = auth.Keys{"k": "a secret that is long enough for tests"}
				s, err := New(cfg, Deps{HTTP: lis})
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- s.serveHTTP().Run(ctx, func() {}) }()
				ours, theirs := net.Pipe()
				lis.conns <- theirs
				began := time.Now()
				go func() { _, _ = io.WriteString(ours, row.request) }()
				_, _ = io.Copy(io.Discard, ours)
				if took := time.Since(began); took < row.want || took > row.want+time.Second {
					t.Errorf("closed after %v, want %v", took, row.want)
				}
				_ = ours.Close()
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// pipes is a listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
