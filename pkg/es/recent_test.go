package es_test

import (
	"slices"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

func TestRecent(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000_000, 0)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	r := es.NewRecent[string](time.Minute, 3)
	want := func(k string, now float64, seconds ...float64) {
		t.Helper()
		var times []time.Time
		for _, s := range seconds {
			times = append(times, at(s))
		}
		if got := r.Times(k, at(now)); !slices.Equal(got, times) {
			t.Errorf("%s at %v: %v, want %v", k, now, got, times)
		}
	}
	want("a", 0)
	r.Add("a", at(0))
	r.Add("a", at(1)) // both of one group
	want("a", 1, 0, 1)
	r.Discard()
	want("a", 1)
	r.Add("a", at(1))
	r.Add("b", at(2))
	r.Commit()
	r.Add("a", at(30))
	r.Commit()
	want("a", 60.999, 1, 30)
	want("a", 61, 30) // a period ago is past
	want("b", 61, 2)
	before := r.Times("a", at(60))
	r.Add("a", at(60))
	r.Add("a", at(60.5))
	r.Commit()
	want("a", 60.5, 30, 60, 60.5) // at most three
	if !slices.Equal(before, []time.Time{at(1), at(30)}) {
		t.Errorf("what was returned has changed to %v", before)
	}
	want("a", 1000)
}
