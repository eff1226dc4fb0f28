package sim

import (
	"fmt"
	"sync"
	"time"
)

// takeovers checks what a replica makes sure of while it takes over: when it begins to write, nothing can be stored any more
// that was sent before it got the lease. Else it refuses what a delayed group has already done.
type takeovers struct {
	mu     sync.Mutex
	holds  map[[2]string]time.Time // since when; by log and replica
	turns  []turn
	groups []shipment
}

// turn is when a replica got the lease, and when it began to write.
type turn struct {
	log, replica string
	got, began   time.Time
}

// shipment is a stored group on its way. It was decided when it was to be sent; a replica that pauses sends it later.
type shipment struct {
	log, replica          string
	seq                   uint64
	decided, sent, stored time.Time
}

// lease notes whether a replica has the lease.
func (t *takeovers) lease(log, replica string, has bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holds == nil {
		t.holds = map[[2]string]time.Time{}
	}
	key := [2]string{log, replica}
	switch {
	case !has:
		delete(t.holds, key)
	case t.holds[key].IsZero():
		t.holds[key] = time.Now()
	}
}

func (t *takeovers) began(log, replica string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := [2]string{log, replica}
	t.turns = append(t.turns, turn{log, replica, t.holds[key], time.Now()})
}

func (t *takeovers) stored(log, replica string, seq uint64, decided, sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.groups = append(t.groups, shipment{log, replica, seq, decided, sent, time.Now()})
}

// overtaken names the groups that were under way while a replica took over.
func (t *takeovers) overtaken() (found []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range t.groups {
		for _, x := range t.turns {
			if x.log == g.log && g.sent.Before(x.got) && x.began.Before(g.stored) {
				found = append(found, fmt.Sprintf("%s/%d was sent by %s before %s took over, and stored %v after that", g.log, g.seq, g.replica, x.replica, g.stored.Sub(x.began)))
			}
		}
	}
	return found
}
