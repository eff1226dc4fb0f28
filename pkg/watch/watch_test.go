package watch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/watch"
)

func next(t *testing.T, sub *watch.Subscription[string]) string {
	t.Helper()
	n, e, err := sub.Next(t.Context())
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return fmt.Sprintf("%d:%s", n, e)
}

func TestNumbersAreDensePerKey(t *testing.T) {
	t.Parallel()
	h := watch.New[string](2)
	for want := int64(1); want <= 5; want++ {
		if got := h.Publish("a", "x"); got != want {
			t.Fatalf("number %d, want %d", got, want)
		}
	}
	if got := h.Publish("b", "x"); got != 1 {
		t.Errorf("first of another key: %d, want 1", got)
	}
	if a, c := h.Number("a"), h.Number("c"); a != 5 || c != 0 {
		t.Errorf("Number: a %d, c %d; want 5, 0", a, c)
	}
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		published int
		after     int64
		recovered bool
		next      string // after one more event was published
	}{
		{"nothing yet, from the start", 0, 0, true, "1:e1"},
		{"asks for a snapshot", 2, -1, false, "3:e3"},
		{"has all", 2, 2, true, "3:e3"},
		{"has some", 2, 1, true, "2:e2"},
		{"has none, all kept", 3, 0, true, "1:e1"},
		{"the oldest kept is next", 7, 4, true, "5:e5"},
		{"the next is gone", 7, 3, false, "8:e8"},
		{"from the future", 2, 3, false, "3:e3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := watch.New[string](3)
			for i := range row.published {
				h.Publish("k", fmt.Sprintf("e%d", i+1))
			}
			sub, recovered := h.Subscribe("k", row.after)
			if recovered != row.recovered {
				t.Fatalf("recovered %v, want %v", recovered, row.recovered)
			}
			if !recovered && sub.After() != int64(row.published) {
				t.Errorf("After %d, want %d", sub.After(), row.published)
			}
			if row.recovered && row.published-int(row.after) == 3 {
				if got := next(t, sub); got != row.next { // one more event would push it out
					t.Fatalf("got %s, want %s", got, row.next)
				}
				return
			}
			h.Publish("k", fmt.Sprintf("e%d", row.published+1))
			if got := next(t, sub); got != row.next {
				t.Fatalf("got %s, want %s", got, row.next)
			}
		})
	}
}

func TestSlowReaderIsToldSo(t *testing.T) {
	t.Parallel()
	h := watch.New[string](2)
	sub, _ := h.Subscribe("k", 0)
	for range 3 {
		h.Publish("k", "x")
	}
	if _, _, err := sub.Next(t.Context()); !errors.Is(err, watch.ErrTooSlow) {
		t.Fatalf("got %v, want ErrTooSlow", err)
	}
}

func TestTrimKeepsTheNumber(t *testing.T) {
	t.Parallel()
	h := watch.New[string](2)
	h.Trim("k")
	for range 3 {
		h.Publish("k", "old")
	}
	has, _ := h.Subscribe("k", 3)
	late, _ := h.Subscribe("k", 2)
	h.Trim("k")
	if _, recovered := h.Subscribe("k", 2); recovered {
		t.Error("recovered events that were let go of")
	}
	for i, want := range []int64{4, 5, 6} {
		if got := h.Publish("k", fmt.Sprintf("new%d", i)); got != want {
			t.Fatalf("number %d, want %d", got, want)
		}
		if i < 2 {
			if got := next(t, has); got != fmt.Sprintf("%d:new%d", want, i) {
				t.Fatalf("got %s", got)
			}
		}
	}
	if got := next(t, has); got != "6:new2" {
		t.Fatalf("got %s", got)
	}
	if _, _, err := late.Next(t.Context()); !errors.Is(err, watch.ErrTooSlow) {
		t.Fatalf("got %v, want ErrTooSlow", err)
	}
}

// TestNumbersOutliveTheHub: a hub that is made of another's numbers goes on as that would, whoever reads it already.
func TestNumbersOutliveTheHub(t *testing.T) {
	t.Parallel()
	before := watch.New[string](2)
	for range 3 {
		before.Publish("k", "old")
	}
	numbers := before.Freeze()
	before.Publish("k", "too late for it")
	fresh := watch.New[string](2)
	for key, number := range numbers {
		fresh.Restore(key, number)
	}
	if !before.Thaw() || before.Number("k") != 4 {
		t.Errorf("thawed: %d", before.Number("k"))
	}
	h := watch.New[string](2)
	early, _ := h.Subscribe("k", 0)
	h.Become(fresh)
	if n := h.Number("k"); n != 3 {
		t.Fatalf("number %d, want 3", n)
	}
	if _, _, err := early.Next(t.Context()); !errors.Is(err, watch.ErrTooSlow) {
		t.Errorf("a reader from before: %v, want ErrTooSlow", err)
	}
	has, recovered := h.Subscribe("k", 3)
	if _, misses := h.Subscribe("k", 2); !recovered || misses {
		t.Errorf("has all: recovered %v; has not: recovered %v", recovered, misses)
	}
	if n := h.Publish("k", "new"); n != 4 {
		t.Errorf("number %d, want 4", n)
	}
	if got := next(t, has); got != "4:new" {
		t.Errorf("got %s", got)
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := watch.New[string](2)
	sub, _ := h.Subscribe("k", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := sub.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

// Readers that come at any moment see every event after their snapshot, in order, once.
func TestNoGapBetweenSnapshotAndEvents(t *testing.T) {
	t.Parallel()
	const events, readers = 500, 16
	h := watch.New[int](events)
	var state sync.RWMutex // stands for the ledger's lock on committed state
	sum := 0

	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			state.RLock()
			sub, _ := h.Subscribe("k", -1)
			seen := sum // the snapshot
			state.RUnlock()
			for sub.After() < events {
				before := sub.After()
				n, e, err := sub.Next(t.Context())
				if err != nil || n != before+1 {
					t.Errorf("after %d: number %d, %v", before, n, err)
					return
				}
				seen += e
			}
			if want := events * (events + 1) / 2; seen != want {
				t.Errorf("a reader added up %d, want %d", seen, want)
			}
		})
	}
	for i := range events {
		state.Lock()
		sum += i + 1
		h.Publish("k", i+1)
		state.Unlock()
	}
	wg.Wait()
}

// Keys that somebody has made up leave nothing behind; events and readers are never lost by that.
func TestMadeUpKeys(t *testing.T) {
	t.Parallel()
	h := watch.New[string](2)
	before := allocated()
	for i := range 100_000 {
		sub, _ := h.Subscribe(fmt.Sprintf("made up %d", i), 0)
		sub.Close()
		sub.Close()
	}
	if grown := allocated() - before; grown > 4<<20 {
		t.Errorf("100000 keys without events hold %d bytes", grown)
	}
	stays, _ := h.Subscribe("k", 0)
	goes, _ := h.Subscribe("k", 0)
	goes.Close()
	h.Publish("k", "x")
	if got := next(t, stays); got != "1:x" {
		t.Errorf("got %s", got)
	}
	stays.Close()
	if n := h.Number("k"); n != 1 {
		t.Errorf("after the last reader the number is %d", n)
	}
}

func allocated() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Readers come and go while the first event of their key is published: whoever has subscribed before it gets it.
func TestFirstEventReachesWhoReads(t *testing.T) {
	t.Parallel()
	h := watch.New[string](2)
	for i := range 2000 {
		key := fmt.Sprintf("k%d", i)
		var wg sync.WaitGroup
		wg.Go(func() {
			sub, _ := h.Subscribe(key, 0)
			sub.Close()
		})
		sub, _ := h.Subscribe(key, 0)
		wg.Go(func() { h.Publish(key, "x") })
		if got := next(t, sub); got != "1:x" {
			t.Fatalf("got %s", got)
		}
		wg.Wait()
		sub.Close()
		if n := h.Number(key); n != 1 {
			t.Fatalf("the number is %d", n)
		}
	}
}
