package presence_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// slow carries messages to one listener when they are let through, in order.
type slow struct {
	into  chan *nats.Msg
	under []*nats.Msg
}

func (s *slow) Publish(subject string, data []byte) error {
	s.under = append(s.under, &nats.Msg{Subject: subject, Data: data})
	return nil
}

func (s *slow) Listen(_ context.Context, into chan *nats.Msg, _ ...string) error {
	s.into = into
	return nil
}

func (*slow) Missed() int { return 0 }

// come lets the first n messages through.
func (s *slow) come(e *presence.Ear, n int, now time.Time) {
	for _, m := range s.under[:n] {
		e.Take(m, now)
	}
	s.under = s.under[n:]
}

// TestEchoHasAnAge: what a replica hears of itself says how far it has heard, not that it hears now: one that hears all late may miss
// what was said since.
func TestEchoHasAnAge(t *testing.T) {
	t.Parallel()
	carrier := &slow{}
	e := presence.NewEar(carrier, "COHOST_00", "r1", settings)
	if err := e.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	e.Rest(start)
	tick, now := settings.Tick(), start
	for i := range 40 { // one of its words comes through at each look, three are said: it falls behind
		now = start.Add(time.Duration(i) * tick)
		whole := e.Whole(now)
		if behind := now.Sub(start) * 2 / 3; behind > settings.Deaf()+2*tick && whole {
			t.Fatalf("hears all after %v, what it has heard is %v old", now.Sub(start), behind)
		}
		if i%3 == 0 {
			carrier.come(e, 1, now)
		}
	}
	if e.Whole(now) || !e.Cut() {
		t.Error("hears all while it hears what is long over")
	}
	carrier.come(e, len(carrier.under), now)
	if !e.Whole(now.Add(tick)) || e.Cut() {
		t.Error("is cut off after all has come through")
	}
}
