package partition

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What happens to a live while its gift is about to wait is not missed, and nothing else ends the wait of a live that is
// past its end.
func TestParkedWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newParked(1)
		began := time.Now()
		if err := k.wait(t.Context(), "l", func() bool { k.wake("l"); return true }); err != nil || time.Since(began) > 0 {
			t.Errorf("woken at once, it waited %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := k.wait(ctx, "l", func() bool { return true }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it gave up waiting after %v: %v", time.Since(began), err)
		}
		began = time.Now()
		if err := k.wait(t.Context(), "l", func() bool { return false }); err != nil || time.Since(began) != parkedRetry {
			t.Errorf("for a live that is not past its end it waited %v: %v", time.Since(began), err)
		}
	})
}
