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
	lives map[string]chan struct{} // closed when something happens to the live
}

func newParked(most int) *parked {
	return &parked{most: most, lives: make(map[string]chan struct{})}
}

// wait returns when something has happened to the live since pastEnd was called, and soon if that says that the live is
// not past its end. The error is a refusal when too many wait, or ctx's.
func (k *parked) wait(ctx context.Context, live string, pastEnd func() bool) error {
	happened, err := k.enter(live)
	if err != nil {
		return err
	}
	defer k.leave()
	var retry <-chan time.Time
	// Asked only now: what happens after the answer is heard of.
	if !pastEnd() {
		timer := time.NewTimer(parkedRetry)
		defer timer.Stop()
		retry = timer.C
	}
	select {
	case <-happened:
	case <-retry:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// enter takes a place and returns what is closed when something happens to the live.
func (k *parked) enter(live string) (<-chan struct{}, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count >= k.most {
		return nil, es.Refuse("RATE_LIMITED", "%d calls wait already for lives that are past their end to close", k.most)
	}
	k.count++
	happened, ok := k.lives[live]
	if !ok {
		happened = make(chan struct{})
		k.lives[live] = happened
	}
	return happened, nil
}

func (k *parked) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count--; k.count == 0 {
		clear(k.lives)
	}
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
