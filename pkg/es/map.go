package es

import (
	"iter"
	"maps"
)

// Map is a map with an overlay. Get, Set and Delete see and change the overlay; Committed and All see what Commit merged.
// Values must not be changed once they are set: set a changed copy. The zero Map is empty and ready.
//
// Readers may call Committed and All from other goroutines as long as no Commit runs. A frozen map takes commits too, but
// keeps what it held when it was frozen for whoever ranges over that: see Freeze.
type Map[K comparable, V any] struct {
	base    map[K]V
	overlay map[K]change[V]

	frozen bool
	delta  map[K]change[V] // committed while frozen and not merged yet
	grown  int             // keys that delta adds to base, less those that it takes away
}

type change[V any] struct {
	value   V
	deleted bool
}

// Get returns the value of k, overlay first.
func (m *Map[K, V]) Get(k K) (V, bool) {
	if c, ok := m.overlay[k]; ok {
		return c.value, !c.deleted
	}
	return m.Committed(k)
}

// Has reports whether k has a value, overlay first.
func (m *Map[K, V]) Has(k K) bool {
	_, ok := m.Get(k)
	return ok
}

// Set puts v under k in the overlay.
func (m *Map[K, V]) Set(k K, v V) {
	if m.overlay == nil {
		m.overlay = make(map[K]change[V])
	}
	m.overlay[k] = change[V]{value: v}
}

// Delete takes k away in the overlay.
func (m *Map[K, V]) Delete(k K) {
	if m.overlay == nil {
		m.overlay = make(map[K]change[V])
	}
	m.overlay[k] = change[V]{deleted: true}
}

// Committed returns the committed value of k.
func (m *Map[K, V]) Committed(k K) (V, bool) {
	if len(m.delta) > 0 {
		if c, ok := m.delta[k]; ok {
			return c.value, !c.deleted
		}
	}
	v, ok := m.base[k]
	return v, ok
}

// All ranges over committed state in no order.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	if len(m.delta) == 0 {
		return maps.All(m.base)
	}
	return func(yield func(K, V) bool) {
		for k, v := range m.base {
			if _, changed := m.delta[k]; !changed && !yield(k, v) {
				return
			}
		}
		for k, c := range m.delta {
			if !c.deleted && !yield(k, c.value) {
				return
			}
		}
	}
}

// Len returns the number of committed keys.
func (m *Map[K, V]) Len() int {
	return len(m.base) + m.grown
}

// Commit merges the overlay.
func (m *Map[K, V]) Commit() {
	for k, c := range m.overlay {
		m.commit(k, c)
	}
	clear(m.overlay)
}

func (m *Map[K, V]) commit(k K, c change[V]) {
	if m.frozen {
		m.later(k, c)
		return
	}
	if len(m.delta) > 0 {
		m.merge(k)
	}
	m.apply(k, c)
}

// apply changes the base.
func (m *Map[K, V]) apply(k K, c change[V]) {
	if c.deleted {
		delete(m.base, k)
		return
	}
	if m.base == nil {
		m.base = make(map[K]V)
	}
	m.base[k] = c.value
}

// later keeps a change of the frozen base.
func (m *Map[K, V]) later(k K, c change[V]) {
	if m.delta == nil {
		m.delta = make(map[K]change[V])
	}
	_, was := m.Committed(k)
	m.delta[k] = c
	switch {
	case was && c.deleted:
		m.grown--
	case !was && !c.deleted:
		m.grown++
	}
}

// merge makes the change of k that was kept.
func (m *Map[K, V]) merge(k K) {
	c, ok := m.delta[k]
	if !ok {
		return
	}
	before := len(m.base)
	m.apply(k, c)
	m.grown -= len(m.base) - before
	delete(m.delta, k)
}

// Discard throws the overlay away.
func (m *Map[K, V]) Discard() {
	clear(m.overlay)
}

// Freeze has the committed contents of this moment stand still until Thaw, at no cost, and ranges over them, in no order.
// Whoever does needs no lock. What is committed meanwhile everybody else sees as ever.
func (m *Map[K, V]) Freeze() iter.Seq2[K, V] {
	if m.frozen || len(m.delta) > 0 {
		panic("es: a Map is frozen again before it has thawed")
	}
	m.frozen = true
	return maps.All(m.base)
}

func (m *Map[K, V]) thaw(most int) (merged int) {
	m.frozen = false
	for k := range m.delta {
		if merged == most {
			return merged
		}
		m.merge(k)
		merged++
	}
	m.delta = nil
	return merged
}

// Restore puts v under k in committed state at once. It is for a map that nobody else uses yet.
func (m *Map[K, V]) Restore(k K, v V) {
	m.apply(k, change[V]{value: v})
}
