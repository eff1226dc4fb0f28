package partition

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// watcher has decided what follows from silence, as long as it is not its own.
type watcher struct {
	p       *Partition
	last    time.Time // tick
	running sync.WaitGroup

	asking   atomic.Bool
	answered atomic.Pointer[time.Time] // when the log was asked that has answered last

	mu       sync.Mutex
	deciding map[string]bool // by live
}

func newWatcher(p *Partition) *watcher {
	w := &watcher{p: p, last: time.Now(), deciding: make(map[string]bool)}
	w.rest(w.last)
	return w
}

// rest says that nobody needs to be heard.
func (w *watcher) rest(now time.Time) {
	w.p.ear.Rest(now)
	w.answered.Store(&now)
	w.p.apart.Store(false)
}

// take takes a message from the other replicas, or from itself. A session that was superseded is no sign of life.
func (w *watcher) take(m *nats.Msg) {
	id, session, ok := w.p.ear.Take(m, time.Now())
	if !ok {
		return
	}
	if live, _ := w.p.Live(id); !live.Presence.Superseded(session) {
		w.p.leases.Heard(id, time.Now())
	}
}

// tick looks at all hosts. If this replica was held up, cut off from the others, or from the log, since the last tick, it
// does not know who was silent: everyone's silence starts anew.
func (w *watcher) tick(ctx context.Context, now time.Time) {
	l, deaf := w.p.leases, w.p.leases.Settings().Deaf()
	late := now.Sub(w.last) > deaf
	w.last = now
	if l.Len() == 0 {
		w.rest(now)
		return
	}
	whole := w.p.ear.Whole(now)
	w.ask(ctx, now, deaf)
	apart := now.Sub(*w.answered.Load()) > deaf
	w.p.apart.Store(apart)
	if !w.p.ledger.Writes() {
		return
	}
	if late || !whole || apart {
		l.Restart(now)
	}
	for _, turn := range l.Due(now) {
		w.decide(ctx, turn)
	}
}

// ask makes sure that the log answers: who is cut off from it with others, and hears only them, could not decide anything
// now, and must not later; and who does not write is not heard by the one that does.
func (w *watcher) ask(ctx context.Context, now time.Time, patience time.Duration) {
	if !w.asking.CompareAndSwap(false, true) {
		return
	}
	w.running.Go(func() {
		defer w.asking.Store(false)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if w.p.ledger.Sync(ctx) == nil {
			w.answered.Store(&now)
		}
	})
}

func (w *watcher) decide(ctx context.Context, turn presence.Turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deciding[turn.LiveID] {
		return
	}
	w.deciding[turn.LiveID] = true
	w.running.Go(func() {
		if turn.Back {
			w.p.have(ctx, cohost.HearHost{LiveID: turn.LiveID})
		} else {
			w.p.have(ctx, cohost.MissHost{LiveID: turn.LiveID, Stage: turn.Stage})
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.deciding, turn.LiveID)
	})
}
