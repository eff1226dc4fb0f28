package sim

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// air carries signs of life between replicas, as core NATS does. It remembers them, and whom they have reached.
type air struct {
	mu    sync.Mutex
	ears  []*ear
	signs []*check.Sign
	left  []check.Leave
	under sync.WaitGroup // what is on its way
}

// ear is a replica that listens.
type ear struct {
	r        *replica
	subjects []string
	into     chan *nats.Msg
}

// mouth is the air as one replica reaches it.
type mouth struct {
	r      *replica
	missed int
}

// Publish implements cohost.Carrier.
func (m *mouth) Publish(subject string, data []byte) error {
	m.r.await()
	if m.r.dead() {
		return errGone
	}
	w, sign := m.r.world, (*check.Sign)(nil)
	if strings.HasSuffix(subject, ".sign") {
		said := new(cohostv1.HeartbeatRequest)
		if err := proto.Unmarshal(data, said); err != nil {
			return err
		}
		sign = &check.Sign{Live: said.GetLiveId(), Session: said.GetSessionId(), By: m.r.id, At: w.now(), Heard: map[string]time.Duration{}}
	}
	w.air.mu.Lock()
	defer w.air.mu.Unlock()
	if sign != nil {
		w.air.signs = append(w.air.signs, sign)
	}
	for _, e := range w.air.ears {
		if slices.Contains(e.subjects, subject) && !w.faults.apart(m.r.slot, e.r.slot) && !w.faults.hits(signLost, e.r.slot) {
			m.send(e, &nats.Msg{Subject: subject, Data: data}, sign)
		}
	}
	return nil
}

// send brings a message to an ear, sometimes late, sometimes twice.
func (m *mouth) send(e *ear, msg *nats.Msg, sign *check.Sign) {
	w, in := m.r.world, m.r.world.faults
	copies := 1
	if in.hits(signTwice, e.r.slot) {
		copies = 2
	}
	for range copies {
		late := in.between(20*time.Microsecond, time.Millisecond)
		if in.hits(signLate, e.r.slot) {
			late = in.between(time.Millisecond, 4*time.Second)
		}
		w.air.under.Go(func() {
			<-time.After(late)
			e.r.await()
			e.hear(msg, sign)
		})
	}
}

// hear has a message come in, unless there is no room, or nobody listens any more.
func (e *ear) hear(msg *nats.Msg, sign *check.Sign) {
	w := e.r.world
	if w.faults.hits(signDropped, e.r.slot) {
		w.air.mu.Lock()
		defer w.air.mu.Unlock()
		e.r.mouth.missed++
		return
	}
	w.air.mu.Lock()
	defer w.air.mu.Unlock()
	if !slices.Contains(w.air.ears, e) {
		return
	}
	if sign != nil {
		if _, again := sign.Heard[e.r.id]; !again {
			sign.Heard[e.r.id] = w.now()
		}
	}
	e.into <- msg // it has room for more than a run says
}

// Listen implements cohost.Carrier.
func (m *mouth) Listen(ctx context.Context, into chan *nats.Msg, subjects ...string) error {
	a, e := &m.r.world.air, &ear{m.r, subjects, into}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ears = append(a.ears, e)
	context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ears = slices.DeleteFunc(a.ears, func(other *ear) bool { return other == e })
	})
	return nil
}

// Missed implements cohost.Carrier.
func (m *mouth) Missed() int {
	m.r.world.air.mu.Lock()
	defer m.r.world.air.mu.Unlock()
	return m.missed
}

// leaves notes that battle is asked to let a live leave whose host is lost.
func (a *air) leaves(live string, at time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = append(a.left, check.Leave{Live: live, At: at})
}

// presence is all that is known of a run but what the logs and the callers of commands say.
func (w *world) presence(h *history) *check.Presence {
	p := &check.Presence{Ceased: w.ceased, Leaves: w.air.left, Beats: h.beats, Groups: map[string][]check.Shipped{}, Began: map[string][]check.Turn{}}
	for _, s := range w.air.signs {
		p.Signs = append(p.Signs, *s)
	}
	for _, g := range w.takeovers.groups {
		p.Groups[g.log] = append(p.Groups[g.log], check.Shipped{
			Seq: g.seq, By: g.replica, Decided: g.decided.Sub(w.start), Stored: g.stored.Sub(w.start),
		})
	}
	for _, t := range w.takeovers.turns {
		p.Began[t.log] = append(p.Began[t.log], check.Turn{By: t.replica, At: t.began.Sub(w.start)})
	}
	p.Deaf = append(w.faults.plan.deafness(w.ceased), w.pauses...)
	return p
}
