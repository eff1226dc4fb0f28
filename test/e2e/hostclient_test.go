package e2e

import (
	"os/exec"
	"sync"
	"testing"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// client is a host's client in a process of its own.
type client struct {
	cmd   *exec.Cmd
	there chan struct{} // closed when it is where it belongs
	ended chan struct{}

	mu   sync.Mutex
	told []*message
}

// startClient starts the client of a host, which gives its signs of life by a door.
func startClient(t testing.TB, p *side, session, door string, settings *cohostv1.PresenceSettings) *client {
	t.Helper()
	s := p.host.s
	cmd, err := host.Command(host.Orders{
		REST: s.HTTP, GRPC: s.GRPC, NATS: s.NATS, Door: door, Token: p.host.token, Live: p.live, Session: session,
		Renew: time.Duration(settings.GetRenewMs()) * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{cmd: cmd, there: make(chan struct{}), ended: make(chan struct{})}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	go func() {
		defer close(c.ended)
		there := sync.OnceFunc(func() { close(c.there) })
		if err := host.Read(out, func(l host.Line) {
			switch l.Kind {
			case host.There:
				there()
			case host.Told:
				m, err := l.Heard()
				if err != nil {
					t.Error(err)
					return
				}
				c.mu.Lock()
				c.told = append(c.told, m)
				c.mu.Unlock()
			}
		}); err != nil {
			t.Error(err)
		}
		_ = c.cmd.Wait()
	}()
	return c
}

// kill ends it as a crash does.
func (c *client) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

func (c *client) all() []*message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*message{}, c.told...)
}

// await waits until it is where it belongs.
func (c *client) await(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-c.there:
	case <-c.ended:
		t.Fatal("the host's client has ended")
	case <-time.After(within):
		t.Fatalf("the host's client is not in its battle within %v", within)
	}
}
