package partition

import (
	"context"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// parkedRetry is how long a parked call waits whose live is not past its end here: the replica that writes knows more.
const parkedRetry = 10 * time.Millisecond

// parked keeps calls with gifts for lives that are past their end and not closed: only the battle service's log tells
// whether they are late.
type parked struct {
	most int

	mu    sync.Mutex
	count int
	lives map[string]*parkedLive
}

// parkedLive are the calls that wait for one live.
type parkedLive struct {
	happened chan struct{} // closed when something happens to the live
	count    int
}

func newParked(most int) *parked {
	return &parked{most: most, lives: make(map[string]*parkedLive)}
}

// wait returns when something has happened to the live since pastEnd was called, and soon if that says that the live is
// not past its end. The error is a refusal when too many wait, or ctx's.
func (k *parked) wait(ctx context.Context, live string, pastEnd func() bool) error {
	at, err := k.enter(live)
	if err != nil {
		return err
	}
	defer k.leave(live, at)
	var retry <-chan time.Time
	// Asked only now: what happens after the answer is heard of.
	if !pastEnd() {
		timer := time.NewTimer(parkedRetry)
		defer timer.Stop()
		retry = timer.C
	}
	select {
	case <-at.happened:
	case <-retry:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// enter takes a place among those who wait for the live.
func (k *parked) enter(live string) (*parkedLive, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count >= k.most {
		return nil, es.Refuse("RATE_LIMITED", "%d calls wait already for lives that are past their end to close", k.most)
	}
	at, ok := k.lives[live]
	if !ok {
		at = &parkedLive{happened: make(chan struct{})}
		k.lives[live] = at
	}
	k.count++
	at.count++
	return at, nil
}

func (k *parked) leave(live string, at *parkedLive) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count--
	if at.count--; at.count == 0 && k.lives[live] == at {
		delete(k.lives, live)
	}
}

// wake lets the live's gifts try again.
func (k *parked) wake(live string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at, ok := k.lives[live]; ok {
		close(at.happened)
		delete(k.lives, live)
	}
}

// waiting returns how many calls wait for each live.
func (k *parked) waiting() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	calls := make(map[string]int, len(k.lives))
	for live, at := range k.lives {
		calls[live] = at.count
	}
	return calls
}
