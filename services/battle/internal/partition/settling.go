package partition

import (
	"context"
	"maps"
	"slices"
	"time"
)

// A settlement waits without limit for the totals of all lives; operators are told of one that takes longer than this.
const (
	settlingAlarm = 5 * time.Second
	settlingEvery = time.Second
)

// watchSettling tells operators, once each, of battles that wait for their settlement. The function it returns ends it.
func (p *Partition) watchSettling(ctx context.Context, r *running) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(settlingEvery)
		defer tick.Stop()
		told := make(map[string]bool)
		for {
			select {
			case <-tick.C:
				told = p.tellLate(r, told)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// tellLate returns the battles that are late now, all of them told.
func (p *Partition) tellLate(r *running, told map[string]bool) map[string]bool {
	var late map[string]time.Time
	before := r.ledger.Now().Add(-settlingAlarm)
	r.ledger.View(func() { late = p.battles.Settling(before) })
	now := make(map[string]bool, len(late))
	for _, id := range slices.Sorted(maps.Keys(late)) {
		now[id] = true
		if !told[id] {
			p.o.Log.Error("battle waits for its settlement: a score partition has not reported the total of a live", "battle_id", id)
		}
	}
	return now
}
