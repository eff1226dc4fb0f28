package es

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestFrozenMap: whatever is committed while a Map is frozen, and while it thaws in steps, everybody sees as ever, and
// who ranges over the frozen contents sees what was there when it was frozen.
func TestFrozenMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m Map[int, int]
		want := map[int]int{}
		var still map[int]int
		var frozen func(func(int, int) bool)
		ready := true
		key := rapid.IntRange(0, 20)
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "changes") {
					k := key.Draw(t, "k")
					if rapid.Bool().Draw(t, "delete") {
						m.Delete(k)
						delete(want, k)
					} else {
						v := rapid.Int().Draw(t, "v")
						m.Set(k, v)
						want[k] = v
					}
				}
				m.Commit()
			},
			"freeze": func(*rapid.T) {
				if ready {
					frozen, still, ready = m.Freeze(), maps.Clone(want), false
				}
			},
			"thaw": func(t *rapid.T) {
				n := rapid.IntRange(0, 4).Draw(t, "most")
				merged := m.thaw(n)
				frozen = nil
				if ready = merged < n; ready && len(m.delta) > 0 {
					t.Fatalf("thawed, and %d changes are left", len(m.delta))
				}
			},
			"": func(t *rapid.T) {
				if got := maps.Collect(m.All()); !maps.Equal(got, want) || m.Len() != len(want) {
					t.Fatalf("committed %v (%d), want %v", got, m.Len(), want)
				}
				for k := range 21 {
					got, ok := m.Get(k)
					if v, there := want[k]; got != v || ok != there {
						t.Fatalf("%d is %v %v, want %v %v", k, got, ok, v, there)
					}
				}
				if frozen != nil {
					if got := maps.Collect(frozen); !maps.Equal(got, still) {
						t.Fatalf("frozen %v, want %v", got, still)
					}
				}
			},
		})
	})
}

// TestFrozenWindow compares a Window that is frozen, thawed and restored now and then with one that never is.
func TestFrozenWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const keep = 10 * time.Second
		plain, w := NewWindow[int, int](keep), NewWindow[int, int](keep)
		now := time.Unix(1_000_000, 0)
		var frozen, still []Part[int, int]
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "passed")) * time.Millisecond)
				for _, k := range rapid.SliceOfN(rapid.IntRange(0, 20), 1, 4).Draw(t, "keys") {
					v := rapid.Int().Draw(t, "v")
					plain.Set(k, v, now)
					w.Set(k, v, now)
				}
				plain.Commit()
				w.Commit()
			},
			"freeze": func(*rapid.T) {
				if frozen == nil && w.frozen == nil {
					frozen, still = w.Freeze(), copied(plain)
				}
			},
			"restore": func(t *rapid.T) {
				if frozen == nil {
					return
				}
				after := NewWindow[int, int](keep)
				for i, p := range frozen {
					after.RestorePart(p.Start, p.Last, p.Len)
					for k, v := range p.Values {
						if !after.Restore(i, k, v) {
							t.Fatalf("no part %d", i)
						}
					}
				}
				same(t, copied(after), still)
			},
			"thaw": func(t *rapid.T) {
				w.thaw(rapid.IntRange(0, 4).Draw(t, "most"))
				frozen = nil
			},
			"": func(t *rapid.T) {
				same(t, copied(w), copied(plain))
				for k := range 21 {
					got, ok := w.Get(k)
					if want, there := plain.Get(k); got != want || ok != there {
						t.Fatalf("%d is %v %v, want %v %v", k, got, ok, want, there)
					}
				}
				if w.Len() != plain.Len() {
					t.Fatalf("%d keys, want %d", w.Len(), plain.Len())
				}
				if frozen != nil {
					same(t, frozen, still)
				}
			},
		})
	})
}

// copied is what a window's parts hold now.
func copied(w *Window[int, int]) (parts []Part[int, int]) {
	for _, p := range w.parts {
		values := maps.Collect(p.values.All())
		parts = append(parts, Part[int, int]{p.start, p.last, len(values), maps.All(values)})
	}
	return parts
}

func same(t *rapid.T, got, want []Part[int, int]) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d parts, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if !g.Start.Equal(w.Start) || !g.Last.Equal(w.Last) || g.Len != w.Len || !maps.Equal(maps.Collect(g.Values), maps.Collect(w.Values)) {
			t.Fatalf("part %d: %+v %v, want %+v %v", i, g, maps.Collect(g.Values), w, maps.Collect(w.Values))
		}
	}
}

// TestFrozenTimers: deadlines move on while they are frozen, and are due as ever after a restore.
func TestFrozenTimers(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	var timers Timers[string]
	timers.Set("a", at(10))
	timers.Set("b", at(20))
	timers.Commit()
	frozen := timers.Freeze()
	timers.Set("a", at(30))
	timers.Clear("b")
	timers.Commit()
	var after Timers[string]
	for k, at := range frozen {
		after.Restore(k, at)
	}
	if due := after.Due(at(25)); len(due) != 2 || due[0] != "a" {
		t.Errorf("restored: due %v, want a and b", due)
	}
	if due := timers.Due(at(25)); len(due) != 0 {
		t.Errorf("while frozen: due %v, want none", due)
	}
	if !Thaw(&timers) {
		t.Error("one change takes more than a step")
	}
	if next, ok := timers.Next(); !ok || !next.Equal(at(30)) {
		t.Errorf("thawed: next %v", next)
	}
}
