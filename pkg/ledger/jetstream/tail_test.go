package jetstream_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

// TestTailGoesOnAfterManyReconnections: the server is away while what was read from it is handled, and the client tries to
// connect again and again. It tells its iterators of every try, but only so often: the word that it has succeeded is
// dropped when nobody has listened to the others.
func TestTailGoesOnAfterManyReconnections(t *testing.T) {
	t.Parallel()
	options := natsd.Options{Dir: t.TempDir()}
	server, err := natsd.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	way := newWay(t)
	way.lead(server)
	nc, err := natsd.Connect("nats://"+way.listener.Addr().String(), "reader", slog.New(slog.DiscardHandler), nil,
		nats.ReconnectWait(time.Millisecond), nats.ReconnectJitter(0, 0), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	connected := nc.StatusChanged(nats.CONNECTED)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	log := open(t, nc, "TEST_00", 1).Log
	first, handled, second := make(chan struct{}), make(chan struct{}), errors.New("the second group")
	tailed := make(chan error, 1)
	go func() {
		tailed <- log.Tail(ctx, 1, func(seq uint64, _ []byte) error {
			if seq == 2 {
				return second
			}
			close(first)
			<-handled
			return nil
		})
	}()
	if err := log.Append(ctx, 0, []byte("one")); err != nil {
		t.Fatal(err)
	}
	<-first
	way.block()
	server.Shutdown()
	if server, err = natsd.Start(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	for range 50 {
		<-way.refused
	}
	way.lead(server)
	select {
	case <-connected:
	case <-ctx.Done():
		t.Fatal("the connection does not come back")
	}
	close(handled)
	if err := log.Append(ctx, 1, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if err := <-tailed; !errors.Is(err, second) {
		t.Fatalf("tail: %v", err)
	}
}

// way leads to a server. While it does not it takes connections and ends them, as a balancer does whose server is away.
type way struct {
	listener net.Listener
	to       atomic.Value // string; "": to none
	refused  chan struct{}
}

func newWay(t *testing.T) *way {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := &way{listener: listener, refused: make(chan struct{}, 1)}
	go w.serve()
	return w
}

func (w *way) lead(to *natsd.Server) { w.to.Store(strings.TrimPrefix(to.ClientURL(), "nats://")) }

func (w *way) block() { w.to.Store("") }

func (w *way) serve() {
	for {
		from, err := w.listener.Accept()
		if err != nil {
			return // the test is over
		}
		server, err := net.Dial("tcp", w.to.Load().(string))
		if err != nil {
			_ = from.Close()
			select {
			case w.refused <- struct{}{}:
			default:
			}
			continue
		}
		go pass(from, server)
		go pass(server, from)
	}
}

func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
}
