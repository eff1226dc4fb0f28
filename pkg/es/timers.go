package es

import (
	"cmp"
	"container/heap"
	"iter"
	"time"
)

// Timers holds one deadline per key, with an overlay like Map. A deadline stays due until it is cleared or moved, so a
// decision that was thrown away is tried again. The zero Timers is empty and ready.
type Timers[K cmp.Ordered] struct {
	deadlines Map[K, time.Time]
	queue     timerQueue[K] // may hold deadlines that are gone; checked when they come to the front
	pending   []timer[K]    // set in the overlay, queued by Commit
}

type timer[K cmp.Ordered] struct {
	key K
	at  time.Time
}

// Set gives k a deadline, in place of the one it had.
func (t *Timers[K]) Set(k K, at time.Time) {
	t.deadlines.Set(k, at)
	t.pending = append(t.pending, timer[K]{k, at})
}

// Clear takes the deadline of k away.
func (t *Timers[K]) Clear(k K) {
	if t.deadlines.Has(k) {
		t.deadlines.Delete(k)
	}
}

// Get returns the deadline of k, overlay first.
func (t *Timers[K]) Get(k K) (time.Time, bool) {
	return t.deadlines.Get(k)
}

// All ranges over committed deadlines in no order; see Map.All.
func (t *Timers[K]) All() iter.Seq2[K, time.Time] { return t.deadlines.All() }

// maxDue is how many deadlines are due at once; the others are due next. So a flood of them leaves room for commands.
const maxDue = 256

// Due returns the keys whose committed deadline is at or before now, in the order of (deadline, key); the first 256.
func (t *Timers[K]) Due(now time.Time) []K {
	var due []timer[K]
	for len(t.queue) > 0 && len(due) < maxDue && !t.queue[0].at.After(now) {
		first := heap.Pop(&t.queue).(timer[K])
		if !t.stale(first) && (len(due) == 0 || due[len(due)-1].key != first.key) {
			due = append(due, first)
		}
	}
	keys := make([]K, len(due))
	for i, d := range due {
		heap.Push(&t.queue, d)
		keys[i] = d.key
	}
	return keys
}

// Next returns the earliest committed deadline.
func (t *Timers[K]) Next() (time.Time, bool) {
	for len(t.queue) > 0 {
		if !t.stale(t.queue[0]) {
			return t.queue[0].at, true
		}
		heap.Pop(&t.queue)
	}
	return time.Time{}, false
}

func (t *Timers[K]) stale(x timer[K]) bool {
	at, ok := t.deadlines.Committed(x.key)
	return !ok || !at.Equal(x.at)
}

// Commit merges the overlay.
func (t *Timers[K]) Commit() {
	t.deadlines.Commit()
	for _, p := range t.pending {
		heap.Push(&t.queue, p)
	}
	t.pending = t.pending[:0]
	if len(t.queue) > 2*t.deadlines.Len()+64 { // mostly deadlines that are gone
		t.queue = t.queue[:0]
		for k, at := range t.deadlines.All() {
			t.queue = append(t.queue, timer[K]{k, at})
		}
		heap.Init(&t.queue)
	}
}

// Discard throws the overlay away.
func (t *Timers[K]) Discard() {
	t.deadlines.Discard()
	t.pending = t.pending[:0]
}

// Freeze has the committed deadlines of this moment stand still until Thaw; see Map.Freeze.
func (t *Timers[K]) Freeze() iter.Seq2[K, time.Time] { return t.deadlines.Freeze() }

func (t *Timers[K]) thaw(most int) int { return t.deadlines.thaw(most) }

// Restore gives k a deadline in committed state at once. It is for Timers that nobody else uses yet.
func (t *Timers[K]) Restore(k K, at time.Time) {
	t.deadlines.Restore(k, at)
	heap.Push(&t.queue, timer[K]{k, at})
}

type timerQueue[K cmp.Ordered] []timer[K]

func (q timerQueue[K]) Len() int      { return len(q) }
func (q timerQueue[K]) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q timerQueue[K]) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].key < q[j].key
}
func (q *timerQueue[K]) Push(x any) { *q = append(*q, x.(timer[K])) }
func (q *timerQueue[K]) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
