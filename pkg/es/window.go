package es

import (
	"iter"
	"time"
)

// windowParts is how many generations a Window's time is cut into: a key is kept for between 1 and 1 + 1/windowParts
// times the window's length.
const windowParts = 8

// Window is a map that keeps every key for at least a given length of log time, and forgets by time alone, never by
// count. It has an overlay like Map. Keys are set with the log time of their event, which never goes back.
type Window[K comparable, V any] struct {
	keep  time.Duration
	parts []*windowPart[K, V] // oldest first; the last one takes new keys, the others never change
	// frozen is the part that was the last when the window was frozen.
	frozen *windowPart[K, V]
	// overlay
	added map[K]windowed[V]
}

type windowed[V any] struct {
	value V
	at    time.Time
}

type windowPart[K comparable, V any] struct {
	start, last time.Time
	values      Map[K, V] // its overlay is not used
}

// Part is one generation of a frozen Window: keys that are forgotten together.
type Part[K comparable, V any] struct {
	// Start and Last are the log times of the first and the last key.
	Start, Last time.Time
	Len         int
	Values      iter.Seq2[K, V]
}

// NewWindow makes a Window that keeps keys for at least keep.
func NewWindow[K comparable, V any](keep time.Duration) *Window[K, V] {
	return &Window[K, V]{keep: keep, added: make(map[K]windowed[V])}
}

// Get returns the value of k, overlay first.
func (w *Window[K, V]) Get(k K) (V, bool) {
	if x, ok := w.added[k]; ok {
		return x.value, true
	}
	return w.Committed(k)
}

// Committed returns the committed value of k.
func (w *Window[K, V]) Committed(k K) (V, bool) {
	for i := len(w.parts) - 1; i >= 0; i-- {
		if v, ok := w.parts[i].values.Committed(k); ok {
			return v, true
		}
	}
	var zero V
	return zero, false
}

// Set puts v under k in the overlay; at is the log time of the event that does so.
func (w *Window[K, V]) Set(k K, v V, at time.Time) {
	w.added[k] = windowed[V]{v, at}
}

// Len returns the number of committed keys.
func (w *Window[K, V]) Len() int {
	n := 0
	for _, p := range w.parts {
		n += p.values.Len()
	}
	return n
}

// Commit merges the overlay and forgets what is older than the window, seen from the latest key.
func (w *Window[K, V]) Commit() {
	if len(w.added) == 0 {
		return
	}
	var latest time.Time
	for _, x := range w.added {
		if x.at.After(latest) {
			latest = x.at
		}
	}
	part := w.partFor(latest)
	for k, x := range w.added {
		part.values.commit(k, change[V]{value: x.value})
	}
	clear(w.added)
	for len(w.parts) > 1 && latest.Sub(w.parts[0].last) > w.keep {
		w.parts[0] = nil
		w.parts = w.parts[1:]
	}
}

func (w *Window[K, V]) partFor(at time.Time) *windowPart[K, V] {
	if n := len(w.parts); n > 0 && at.Sub(w.parts[n-1].start) < w.keep/windowParts {
		if p := w.parts[n-1]; at.After(p.last) {
			p.last = at
		}
		return w.parts[n-1]
	}
	p := &windowPart[K, V]{start: at, last: at}
	w.parts = append(w.parts, p)
	return p
}

// Discard throws the overlay away.
func (w *Window[K, V]) Discard() {
	clear(w.added)
}

// Freeze has the committed contents of this moment stand still until Thaw; see Map.Freeze. The parts come oldest first.
func (w *Window[K, V]) Freeze() []Part[K, V] {
	parts := make([]Part[K, V], len(w.parts))
	for i, p := range w.parts {
		parts[i] = Part[K, V]{Start: p.start, Last: p.last, Len: p.values.Len(), Values: p.values.All()}
	}
	if n := len(w.parts); n > 0 {
		w.frozen = w.parts[n-1]
		parts[n-1].Values = w.frozen.values.Freeze()
	}
	return parts
}

func (w *Window[K, V]) thaw(most int) (merged int) {
	if w.frozen == nil {
		return 0
	}
	if merged = w.frozen.values.thaw(most); merged < most || len(w.frozen.values.delta) == 0 {
		w.frozen = nil
	}
	return merged
}

// maxRoom bounds the room that is made for keys that may come.
const maxRoom = 1 << 20

// RestorePart begins a part, after the ones before, that will have about n keys. It is for a window that nobody else uses
// yet.
func (w *Window[K, V]) RestorePart(start, last time.Time, n int) {
	p := &windowPart[K, V]{start: start, last: last}
	p.values.base = make(map[K]V, min(max(n, 0), maxRoom))
	w.parts = append(w.parts, p)
}

// Restore puts v under k into a part, the oldest being 0; false if there is no such part.
func (w *Window[K, V]) Restore(part int, k K, v V) bool {
	if part < 0 || part >= len(w.parts) {
		return false
	}
	w.parts[part].values.Restore(k, v)
	return true
}
