// Package watch tells readers what happens to a key, event by event: events of a key carry a dense number from 1, the last
// ones are kept so that a reader who was away goes on without a gap, and a reader who falls behind is told so instead of
// being buffered without bound.
//
// # Snapshots without a gap
//
// A Hub is fed from a ledger's OnCommit, which runs with committed state locked against change. A reader that needs a
// snapshot must take it in the same ledger.View call in which it subscribes: then the snapshot holds exactly the events up
// to Subscription.After, and Next gives every later one.
//
//	var snapshot Snapshot
//	var sub *watch.Subscription[Event]
//	ledger.View(func() {
//		var recovered bool
//		if sub, recovered = hub.Subscribe(key, after); !recovered {
//			snapshot = snapshotOf(key, sub.After())
//		}
//	})
//	defer sub.Close()
//
// Since the numbers are counted in the fold, they are the same on every replica and after every restart.
package watch

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// ErrTooSlow is what a reader gets whose next event is not kept any more: more events than the hub keeps have happened
// since the reader's last Next. It may subscribe again, with a snapshot.
var ErrTooSlow = errors.New("watch: the reader is too slow; its next event is not kept any more")

// Hub keeps the last events of every key. Its methods may be called from any goroutine, but for one key Publish and Trim
// come from one goroutine at a time. Events are shared by all readers and must not be changed.
type Hub[E any] struct {
	keep int

	mu      sync.Mutex
	numbers es.Map[string, int64] // of the last event of each key; they go on for ever
	streams map[string]*stream[E] // of the keys with kept events or readers
}

// New makes a Hub that keeps the last `keep` events of each key, at least 1.
func New[E any](keep int) *Hub[E] {
	return &Hub[E]{keep: max(keep, 1), streams: make(map[string]*stream[E])}
}

// Publish appends e to the events of key and returns its number: 1 for the first of a key, then each one more than the
// one before. It never blocks on readers.
func (h *Hub[E]) Publish(key string, e E) int64 {
	for {
		if number, ok := h.stream(key).append(e, h.keep); ok {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.numbers.Set(key, number)
			h.numbers.Commit()
			return number
		}
	}
}

// Number returns the number of the key's last event; 0 if it has none.
func (h *Hub[E]) Number(key string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	number, _ := h.numbers.Committed(key)
	return number
}

// Trim lets go of the key's kept events, to save memory once nobody is expected to ask for them. Its numbers go on.
func (h *Hub[E]) Trim(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.streams[key]; ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.goOn(s.last)
		h.dropIdle(key, s)
	}
}

// Subscribe reads the events of key. recovered true: they go on right after the event numbered `after`, which the reader
// has. recovered false, because events after that one are no longer kept, or it never was, or after is negative: they go
// on after the key's last event, and the reader needs a snapshot; see the package comment.
func (h *Hub[E]) Subscribe(key string, after int64) (sub *Subscription[E], recovered bool) {
	for {
		if sub, recovered = h.stream(key).read(after); sub != nil {
			sub.hub, sub.key = h, key
			return sub, recovered
		}
	}
}

// leave takes a reader away.
func (h *Hub[E]) leave(key string, s *stream[E]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers--
	h.dropIdle(key, s)
}

// dropIdle keeps nothing but the number of a key without kept events that nobody reads: anybody can make up keys. Both
// locks are held.
func (h *Hub[E]) dropIdle(key string, s *stream[E]) {
	if s.readers == 0 && len(s.ring) == 0 {
		s.gone = true
		delete(h.streams, key)
	}
}

func (h *Hub[E]) stream(key string) *stream[E] {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.streams[key]
	if !ok {
		s = new(stream[E])
		number, _ := h.numbers.Committed(key)
		s.goOn(number)
		h.streams[key] = s
	}
	return s
}

// Freeze has the numbers of all keys stand still until Thaw is done, and ranges over them; see es.Map.
func (h *Hub[E]) Freeze() iter.Seq2[string, int64] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.numbers.Freeze()
}

// Thaw lets numbers change again; see es.Thaw.
func (h *Hub[E]) Thaw() (done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return es.Thaw(&h.numbers)
}

// Restore has the events of key go on after a number. It is for a Hub that is to be given to Become.
func (h *Hub[E]) Restore(key string, number int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.numbers.Restore(key, number)
}

// Become has the events of all keys go on as those of another Hub would, which is not used any more. Readers stay, and
// need a snapshot where numbers have changed.
func (h *Hub[E]) Become(other *Hub[E]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.numbers = other.numbers
	for key, s := range h.streams {
		number, _ := h.numbers.Committed(key)
		s.mu.Lock()
		s.goOn(number)
		s.mu.Unlock()
	}
}

// stream holds the events numbered first to last of one key.
type stream[E any] struct {
	mu          sync.Mutex
	first, last int64
	base        int64         // number of the event that ring[0] held first; that of n is at (n-base) modulo the hub's keep
	ring        []E           // grows up to the hub's keep
	changed     chan struct{} // closed by the next append; nil while no reader waits
	readers     int
	gone        bool // the hub does not have it any more
}

// goOn lets go of the kept events; the next one has the number after the given one.
func (s *stream[E]) goOn(number int64) {
	s.ring = nil
	s.last, s.first, s.base = number, number+1, number+1
}

// read adds a reader; nil if the stream is gone.
func (s *stream[E]) read(after int64) (sub *Subscription[E], recovered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, false
	}
	s.readers++
	if recovered = after >= s.first-1 && after <= s.last; !recovered {
		after = s.last
	}
	return &Subscription[E]{stream: s, after: after}, recovered
}

// append returns the event's number; false if the stream is gone.
func (s *stream[E]) append(e E, keep int) (number int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return 0, false
	}
	s.last++
	if len(s.ring) < keep {
		s.ring = append(s.ring, e)
	} else {
		s.ring[(s.last-s.base)%int64(keep)] = e
		s.first++
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.last, true
}

// Subscription is one reader of one key, to be closed. Its methods are for one goroutine at a time.
type Subscription[E any] struct {
	hub    *Hub[E]
	key    string
	stream *stream[E]
	after  int64
	closed bool
}

// Close ends the reading; Next must not be called any more.
func (s *Subscription[E]) Close() {
	if !s.closed {
		s.closed = true
		s.hub.leave(s.key, s.stream)
	}
}

// After returns the number of the event after which Next goes on. Right after Subscribe it is the number that a snapshot
// taken in the same ledger.View carries.
func (s *Subscription[E]) After() int64 { return s.after }

// Next waits for the next event and returns it with its number. The error is ErrTooSlow, or ctx's own.
func (s *Subscription[E]) Next(ctx context.Context) (int64, E, error) {
	for {
		e, changed, err := s.poll()
		if err != nil {
			return 0, e, err
		}
		if changed == nil {
			return s.after, e, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, e, ctx.Err()
		}
	}
}

// poll takes the next event, or returns the channel that is closed when there is one.
func (s *Subscription[E]) poll() (e E, changed <-chan struct{}, err error) {
	t := s.stream
	t.mu.Lock()
	defer t.mu.Unlock()
	switch n := s.after + 1; {
	case n < t.first:
		return e, nil, ErrTooSlow
	case n <= t.last:
		s.after = n
		return t.ring[(n-t.base)%int64(len(t.ring))], nil, nil
	}
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return e, t.changed, nil
}
