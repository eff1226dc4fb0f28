package es

import (
	"slices"
	"time"
)

// Recent knows when something happened of late, by key, so that a decider can limit how often it may. It is a Window: times
// are those of the log, and every replica knows the same ones.
type Recent[K comparable] struct {
	*Window[K, []time.Time] // each oldest first, replaced and never changed
	most                    int
}

// NewRecent makes a Recent that knows the times of at least the given period, up to most of each key. The greatest limit that
// a setting may have suits most: what is folded must not depend on settings.
func NewRecent[K comparable](period time.Duration, most int) Recent[K] {
	return Recent[K]{NewWindow[K, []time.Time](period), most}
}

// Times returns the times of k in the period before now, oldest first. What is exactly a period ago is past.
func (r Recent[K]) Times(k K, now time.Time) []time.Time {
	times, _ := r.Get(k)
	first := slices.IndexFunc(times, func(at time.Time) bool { return now.Sub(at) < r.keep })
	if first < 0 {
		return nil
	}
	return times[first:]
}

// Add adds a time of k, in an overlay like all changes.
func (r Recent[K]) Add(k K, now time.Time) {
	times := append(slices.Clone(r.Times(k, now)), now)
	r.Set(k, times[max(len(times)-r.most, 0):], now)
}
