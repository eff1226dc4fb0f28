package es

// Freezable is a Map, Window or Timers that can be frozen.
type Freezable interface {
	// thaw lets contents change again and merges up to `most` of the changes that came meanwhile. It returns how many.
	thaw(most int) int
}

// thawStep is how many changes one Thaw merges: a fraction of a millisecond.
const thawStep = 2048

// Thaw lets frozen contents change again and merges what was committed meanwhile, a bounded part of it with each call.
// done: there is nothing left to merge. Before that nothing may be frozen anew. It changes what readers see no more than
// Commit does, and like Commit it must not run while they read.
func Thaw(all ...Freezable) (done bool) {
	left := thawStep
	for _, f := range all {
		left -= f.thaw(left)
	}
	return left > 0
}
