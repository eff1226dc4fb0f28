package es

// Value is a single value with an overlay; see Map.
type Value[V any] struct {
	base    V
	overlay V
	changed bool
}

// Get returns the value, overlay first.
func (v *Value[V]) Get() V {
	if v.changed {
		return v.overlay
	}
	return v.base
}

// Set changes the value in the overlay.
func (v *Value[V]) Set(x V) {
	v.overlay, v.changed = x, true
}

// Committed returns the committed value.
func (v *Value[V]) Committed() V {
	return v.base
}

// Commit merges the overlay.
func (v *Value[V]) Commit() {
	if v.changed {
		v.base = v.overlay
	}
	v.Discard()
}

// Discard throws the overlay away.
func (v *Value[V]) Discard() {
	var zero V
	v.overlay, v.changed = zero, false
}
