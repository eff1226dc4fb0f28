package partition

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/watch"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// CoHost is a live with all that it takes part in.
type CoHost struct {
	Live           cohost.Live
	Connection     cohost.Connection // zero if the live is in none
	Sent, Received []cohost.Invitation
	// Now is the log time of the reading.
	Now time.Time
}

// Live returns a live, active or lately ended.
func (p *Partition) Live(id string) (live cohost.Live, ok bool) {
	p.ledger.View(func() { live, ok = p.state.Live(id) })
	return live, ok
}

// EndedLive returns the last live of this id that has lately ended.
func (p *Partition) EndedLive(id string) (live cohost.Live, ok bool) {
	p.ledger.View(func() { live, ok = p.state.EndedLive(id) })
	return live, ok
}

// Lives returns up to limit active lives with ids behind `after`, in the order of their ids. more: there are others
// behind them.
func (p *Partition) Lives(after string, limit int) (lives []cohost.Live, more bool) {
	p.ledger.View(func() { lives, more = page(&p.active.all, after, limit, p.state.Live) })
	return lives, more
}

// Candidates returns up to limit lives with ids behind `after` that an active live can invite, in the order of their ids.
// more: there are others behind them. ok: the live is active.
func (p *Partition) Candidates(id, after string, limit int) (lives []cohost.Live, more, ok bool) {
	p.ledger.View(func() {
		live, _ := p.state.Live(id)
		if ok = live.Active() && live.ID != ""; ok {
			candidate := p.state.Candidates(live)
			lives, more = page(p.active.free[live.Kind], after, limit, candidate)
		}
	})
	return lives, more, ok
}

// CoHost returns a live, active or lately ended, with all that it takes part in.
func (p *Partition) CoHost(id string) (c CoHost, ok bool) {
	now := p.Now()
	p.ledger.View(func() { c, ok = p.coHost(id) })
	c.Now = now
	return c, ok
}

func (p *Partition) coHost(id string) (CoHost, bool) {
	live, ok := p.state.Live(id)
	connection, _ := p.state.Connection(live.ConnectionID)
	return CoHost{
		Live:       live,
		Connection: connection,
		Sent:       p.state.Invitations(live.Sent),
		Received:   p.state.Invitations(live.Received),
	}, ok
}

// Watch subscribes to what a live, active or lately ended, is told after the given number. If that cannot be gone on from,
// snapshot is the state from which the subscription goes on, else it is nil.
func (p *Partition) Watch(id string, after int64) (sub *watch.Subscription[cohost.Notice], snapshot *CoHost, ok bool) {
	now := p.Now()
	p.ledger.View(func() {
		var c CoHost
		if c, ok = p.coHost(id); !ok {
			return
		}
		c.Now = now
		var recovered bool
		if sub, recovered = p.notices.Subscribe(id, after); !recovered {
			snapshot = &c
		}
	})
	return sub, snapshot, ok
}
