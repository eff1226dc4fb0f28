package es

import (
	"iter"
	"maps"
)

// Map is a map with an overlay. Get, Set and Delete see and change the overlay; Committed and All see what Commit merged.
// Values must not be changed once they are set: set a changed copy. The zero Map is empty and ready.
//
// Readers may call Committed and All from other goroutines as long as no Commit runs.
type Map[K comparable, V any] struct {
	base    map[K]V
	overlay map[K]change[V]
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
	v, ok := m.base[k]
	return v, ok
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
	v, ok := m.base[k]
	return v, ok
}

// All ranges over committed state in no order.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return maps.All(m.base)
}

// Len returns the number of committed keys.
func (m *Map[K, V]) Len() int {
	return len(m.base)
}

// Commit merges the overlay.
func (m *Map[K, V]) Commit() {
	if len(m.overlay) == 0 {
		return
	}
	if m.base == nil {
		m.base = make(map[K]V, len(m.overlay))
	}
	for k, c := range m.overlay {
		if c.deleted {
			delete(m.base, k)
		} else {
			m.base[k] = c.value
		}
	}
	clear(m.overlay)
}

// Discard throws the overlay away.
func (m *Map[K, V]) Discard() {
	clear(m.overlay)
}
