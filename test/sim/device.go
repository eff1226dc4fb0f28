package sim

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// device is one that a host uses, or has used. Its session is its name.
type device struct {
	*client
	host *host
	over atomic.Bool // another one has superseded it
}

// another is a new device.
func (h *host) another() *device {
	h.devices++
	c := newClient(h.w, h.h, fmt.Sprintf("%s-%d", h.name, h.devices), 0)
	c.session = c.name
	return &device{client: c, host: h}
}

// beat gives a sign of life, and tries again at another replica if that cannot be told to the others. outcome is "" if there is an answer,
// or why not.
func (d *device) beat() (told *cohostv1.Presence, outcome string) {
	live := d.host.id
	for range 3 {
		b := check.Beat{Live: live, Session: d.session, Sent: d.w.now(), Before: d.w.head(cohostLog)}
		ctx, cancel := context.WithTimeout(auth.With(context.Background(), auth.Principal{
			Key: caller.Key, User: caller.User, Live: live, Role: auth.Host,
		}), d.host.renew()/2)
		r, err := d.cohost.Heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: live, SessionId: d.session})
		cancel()
		b.Answered, b.After, b.Presence = d.w.now(), d.w.head(cohostLog), r.GetPresence()
		if err == nil {
			d.h.addBeat(b)
			return b.Presence, ""
		}
		refusal, known := rpc.Refusal(err)
		if b.Reason = "UNAVAILABLE"; known {
			b.Reason = refusal.Reason
		}
		d.h.addBeat(b)
		outcome = b.Reason
		if outcome != "UNAVAILABLE" && outcome != "DEADLINE_EXCEEDED" {
			if outcome == "SUPERSEDED" {
				d.over.Store(true)
			}
			return nil, outcome
		}
	}
	return nil, outcome
}

// awaitPresence waits, with no faults any more, until whoever is dead is lost, and its live ended, and whoever is there is taken for
// that. It returns what is otherwise when that should long have been so.
func (w *world) awaitPresence(h *history, c *crew) (stuck []string) {
	l := w.shape.limits
	until := time.Now().Add(settled + milliseconds(l.Unreachable+l.Grace+l.EndAfter+3*l.Renew))
	asker := newClient(w, h, "watcher", 0)
	for {
		stuck = nil
		for _, x := range c.hosts {
			if err := asker.astray(x); err != nil {
				stuck = append(stuck, err.Error())
			}
		}
		if len(stuck) == 0 || time.Now().After(until) {
			return stuck
		}
		_ = wait(context.Background(), time.Second)
	}
}

// settled is how long after faults have stopped somebody writes for certain.
const settled = 10 * time.Second

// astray says how the presence of a live is not what its host's is; nil if it is.
func (c *client) astray(x *host) error {
	ctx, cancel := patient()
	defer cancel()
	r, err := c.cohost.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: x.id})
	if unless(err) != nil {
		return fmt.Errorf("at rest: nobody says whether the host of %s is there: %w", x.id, err)
	}
	active := r.GetLive().GetStatus() == cohostv1.Live_ACTIVE
	switch state := r.GetLive().GetPresence().GetState(); {
	case x.isDead() && active && state != 0:
		return fmt.Errorf("at rest: the host of live %s is dead, and the live says that it is %v", x.id, state)
	case !x.isDead() && active && state != cohostv1.Presence_PRESENT:
		return errors.New("at rest: the host of live " + x.id + " is there, and the live says that it is " + state.String())
	}
	return nil
}
