package es

import (
	"testing"
	"time"
)

// TestTimersForget: a follower never asks what is due; deadlines that are gone must not pile up all the same.
func TestTimersForget(t *testing.T) {
	t.Parallel()
	var timers Timers[int]
	base := time.Unix(1_000_000, 0)
	for i := range 10_000 {
		timers.Set(i, base.Add(time.Duration(i)*time.Second))
		timers.Commit()
		timers.Clear(i)
		timers.Commit()
	}
	if n := len(timers.queue); n > 200 {
		t.Fatalf("no deadline is set, %d are kept", n)
	}
}
