package presence_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/natstest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// TestEarMissesSomething: what may have been missed is told once, although the replica has just heard itself: messages that were
// dropped, a connection that was made anew, and one that is gone.
func TestEarMissesSomething(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		harm func(t *testing.T, nc *nats.Conn)
		// lasts: it is cut off for good.
		lasts bool
	}{
		"messages were dropped": {harm: func(t *testing.T, nc *nats.Conn) {
			for i := range cap(presence.NewEar(presence.Over(nc), "LOG", "r1", settings).Heard()) + 1 {
				if err := nc.Publish("presence.LOG.sign", nil); err != nil {
					t.Fatal(err)
				}
				if i%1024 == 0 { // no faster than the server, which parts from those that are slow
					if err := nc.Flush(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := nc.Flush(); err != nil { // its answer comes behind them all
				t.Fatal(err)
			}
		}},
		"the connection was made anew": {harm: func(t *testing.T, nc *nats.Conn) {
			again := make(chan struct{})
			nc.SetReconnectHandler(func(*nats.Conn) { close(again) })
			if err := nc.ForceReconnect(); err != nil {
				t.Fatal(err)
			}
			<-again
		}},
		"the connection is gone": {harm: func(_ *testing.T, nc *nats.Conn) { nc.Close() }, lasts: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nc := natstest.Connect(t, natstest.Start(t))
			ear := presence.NewEar(presence.Over(nc), "LOG", "r1", settings)
			if err := ear.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			whole := func() bool {
				now := time.Now()
				ear.Rest(now) // as if it had heard itself
				return ear.Whole(now)
			}
			if !whole() || !whole() {
				t.Fatal("something was missed before anything happened")
			}
			row.harm(t, nc)
			if whole() {
				t.Error("nothing was missed")
			}
			if got := whole(); got == row.lasts || ear.Cut() != row.lasts {
				t.Errorf("the next time: whole %v, cut off %v", got, ear.Cut())
			}
		})
	}
}
