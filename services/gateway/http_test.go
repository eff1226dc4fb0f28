package gateway

import (
	"io"
	"net"
	"testing"
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
