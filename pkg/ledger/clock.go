package ledger

import (
	"sync"
	"time"
)

// maxSlew is the share of passing time by which log time may run fast or slow to come back to wall time.
const maxSlew = 10 // percent

// logClock tells log time: at first the wall's, then the monotonic clock, slewed towards the wall but never stepped by
// it, and never behind an entry of the log. So it never goes back, whatever the wall clock does.
type logClock struct {
	wall func() time.Time

	mu   sync.Mutex
	at   time.Time // log time at the last reading
	read time.Time // monotonic reading that belongs to it
}

// observe makes sure that the clock is not behind the time of an entry.
func (c *logClock) observe(last time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now(); last.After(c.at) {
		c.at = last
	}
}

// Now returns log time in whole milliseconds, UTC.
func (c *logClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Round(0).UTC().Truncate(time.Millisecond)
}

func (c *logClock) now() time.Time {
	now := time.Now()
	if c.read.IsZero() {
		c.at = c.wall().Round(0)
	} else {
		passed := now.Sub(c.read)
		c.at = c.at.Add(passed)
		limit := passed * maxSlew / 100
		c.at = c.at.Add(min(max(c.wall().Sub(c.at), -limit), limit))
	}
	c.read = now
	return c.at
}
