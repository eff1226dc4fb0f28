package partition

import (
	"context"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// parkedRetry is how long a parked call waits before it asks again though nothing has happened to its live.
const parkedRetry = 50 * time.Millisecond

// parked keeps calls with gifts for lives that are past their end and not closed: only the battle service's log tells
// whether they are late.
type parked struct {
	most int

	mu    sync.Mutex
	count int
	lives map[string]chan struct{} // closed when something happens to the live
}

func newParked(most int) *parked {
	return &parked{most: most, lives: make(map[string]chan struct{})}
}

// wait returns when something has happened to the live, or after a while. The error is a refusal when too many wait, or
// ctx's.
func (k *parked) wait(ctx context.Context, live string) error {
	k.mu.Lock()
	if k.count >= k.most {
		k.mu.Unlock()
		return es.Refuse("RATE_LIMITED", "%d calls wait already for lives that are past their end to close", k.most)
	}
	k.count++
	happened, ok := k.lives[live]
	if !ok {
		happened = make(chan struct{})
		k.lives[live] = happened
	}
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.count--
		if k.count == 0 {
			clear(k.lives)
		}
		k.mu.Unlock()
	}()
	timer := time.NewTimer(parkedRetry)
	defer timer.Stop()
	select {
	case <-happened:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// wake lets the live's gifts try again.
func (k *parked) wake(live string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if happened, ok := k.lives[live]; ok {
		close(happened)
		delete(k.lives, live)
	}
}
