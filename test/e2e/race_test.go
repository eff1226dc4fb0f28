package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// Races aim many calls at one moment and have the logs themselves checked. `go test` runs a few of each, `make races` all.
var full = flag.Bool("full", false, "run races in full and print a line of JSON for each")

// size is how much of a race to run.
func size(some, all int) int {
	if *full {
		return all
	}
	return some
}

// figures prints what a race has measured.
func figures(t testing.TB, race string, of map[string]any) {
	t.Helper()
	of["race"] = race
	line, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	if *full {
		fmt.Println(string(line))
	} else {
		t.Log(string(line))
	}
}

// wait waits for a while, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// until returns at a moment, more exactly than a timer does.
func until(ctx context.Context, at time.Time) {
	if d := time.Until(at) - time.Millisecond; d > 0 {
		wait(ctx, d)
	}
	for time.Now().Before(at) && ctx.Err() == nil {
		runtime.Gosched()
	}
}

// aim has calls decided at moments of a server's clock.
type aim struct {
	ahead time.Duration // the server's clock, of ours

	mu   sync.Mutex
	lead time.Duration // from sending a call to its decision
}

// takeAim asks a server what time it is, many times.
func takeAim(t testing.TB, ask func(context.Context) (*timestamppb.Timestamp, error)) *aim {
	t.Helper()
	const samples = 101
	var ahead, trips []time.Duration
	for range samples {
		sent := time.Now()
		at, err := ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		trip := time.Since(sent)
		trips = append(trips, trip)
		// The server cuts its time to milliseconds.
		ahead = append(ahead, at.AsTime().Add(time.Millisecond/2).Sub(sent.Add(trip/2)))
	}
	return &aim{ahead: quantile(ahead, 0.5), lead: quantile(trips, 0.5) / 2}
}

// send is when to send what is to be decided at a moment.
func (a *aim) send(at time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return at.Add(-a.ahead - a.lead)
}

// arrives is when what was sent at that time is decided, as far as is known.
func (a *aim) arrives(sent time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return sent.Add(a.ahead + a.lead)
}

// learn takes what a decision tells of when it was taken: too early by so much, or, negative, too late. A little of each
// is enough, since there are many.
func (a *aim) learn(early time.Duration) {
	const most = 20 * time.Millisecond // what takes longer is not a matter of aim
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lead = min(max(a.lead-early, 0), most)
}

// quantile is the value that the share q of all is not above; 0 of none.
func quantile[T int64 | time.Duration](all []T, q float64) T {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// ms is a duration as figures show it.
func ms(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// spread is what figures show of many durations.
func spread(all []time.Duration) map[string]float64 {
	return map[string]float64{
		"min": ms(quantile(all, 0)), "p1": ms(quantile(all, 0.01)), "p50": ms(quantile(all, 0.5)),
		"p99": ms(quantile(all, 0.99)), "max": ms(quantile(all, 1)),
	}
}
