package es_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// TestMap compares Map with two plain maps: what is committed, and what the overlay shows.
func TestMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m es.Map[int, int]
		committed, overlay := map[int]int{}, map[int]int{}
		key := rapid.IntRange(0, 9)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := key.Draw(t, "k"), rapid.Int().Draw(t, "v")
				m.Set(k, v)
				overlay[k] = v
			},
			"delete": func(t *rapid.T) {
				k := key.Draw(t, "k")
				m.Delete(k)
				delete(overlay, k)
			},
			"commit": func(*rapid.T) {
				m.Commit()
				committed = maps.Clone(overlay)
			},
			"discard": func(*rapid.T) {
				m.Discard()
				overlay = maps.Clone(committed)
			},
			"": func(t *rapid.T) {
				if got := maps.Collect(m.All()); !maps.Equal(got, committed) || m.Len() != len(committed) {
					t.Fatalf("committed %v, want %v", got, committed)
				}
				for k := range 10 {
					got, ok := m.Get(k)
					want, there := overlay[k]
					if got != want || ok != there || m.Has(k) != there {
						t.Fatalf("%d is %v %v, want %v %v", k, got, ok, want, there)
					}
				}
			},
		})
	})
}

// TestTimers compares Timers with a plain map of committed deadlines.
func TestTimers(t *testing.T) {
	t.Parallel()
	base := time.Unix(1_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		var timers es.Timers[string]
		committed, overlay := map[string]time.Time{}, map[string]time.Time{}
		key := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, at := key.Draw(t, "k"), base.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "at"))*time.Second)
				timers.Set(k, at)
				overlay[k] = at
			},
			"clear": func(t *rapid.T) {
				k := key.Draw(t, "k")
				timers.Clear(k)
				delete(overlay, k)
			},
			"commit": func(*rapid.T) {
				timers.Commit()
				committed = maps.Clone(overlay)
			},
			"discard": func(*rapid.T) {
				timers.Discard()
				overlay = maps.Clone(committed)
			},
			"": func(t *rapid.T) {
				now := base.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "now")) * time.Second)
				var due []string
				var next time.Time
				for k, at := range committed {
					if !at.After(now) {
						due = append(due, k)
					}
					if next.IsZero() || at.Before(next) {
						next = at
					}
				}
				slices.SortFunc(due, func(a, b string) int {
					if c := committed[a].Compare(committed[b]); c != 0 {
						return c
					}
					return slices.Index([]string{"a", "b", "c", "d"}, a) - slices.Index([]string{"a", "b", "c", "d"}, b)
				})
				for range 2 { // what is due stays due
					if got := timers.Due(now); !slices.Equal(got, due) {
						t.Fatalf("due %v, want %v", got, due)
					}
				}
				if got, ok := timers.Next(); ok != (len(committed) > 0) || !got.Equal(next) {
					t.Fatalf("next %v %v, want %v", got, ok, next)
				}
			},
		})
	})
}

// TestWindow: a key is kept for at least the window, and not for ever.
func TestWindow(t *testing.T) {
	t.Parallel()
	const keep = 10 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		w := es.NewWindow[int, int](keep)
		now := time.Unix(1_000_000, 0)
		set := map[int]time.Time{}
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "passed")) * time.Millisecond)
				next++
				w.Set(next, 2*next, now)
				if v, ok := w.Get(next); !ok || v != 2*next {
					t.Fatalf("overlay: %v %v", v, ok)
				}
				w.Commit()
				set[next] = now
			},
			"discard": func(t *rapid.T) {
				w.Set(-1, 1, now)
				w.Discard()
				if _, ok := w.Get(-1); ok {
					t.Fatal("discarded key is there")
				}
			},
			"": func(t *rapid.T) {
				for k, at := range set {
					v, ok := w.Committed(k)
					switch age := now.Sub(at); {
					case age <= keep && (!ok || v != 2*k):
						t.Fatalf("key of age %v is gone", age)
					case age > 2*keep && ok && next > k+1:
						t.Fatalf("key of age %v is kept", age)
					}
				}
			},
		})
	})
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("outer: %w", es.Invalid("live_id", "must not be %q", "a b"))
	if !errors.Is(err, es.Refuse(es.ReasonInvalidArgument, "")) || errors.Is(err, es.Refuse("OTHER", "")) {
		t.Fatal("refusals are compared by their reason")
	}
	if got, want := err.Error(), `outer: INVALID_ARGUMENT: live_id: must not be "a b"`; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}
