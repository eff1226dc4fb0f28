package ledger

import (
	"context"
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

const (
	// clockEvery is how often this replica's wall clock is compared with that of where the log is kept.
	clockEvery = 2 * time.Second
	// maxOff is how far apart they may be before it is an alarm.
	maxOff = time.Second
)

// compareClock compares this replica's wall clock with that of where the log is kept, as Cristian does: the other was read
// in the middle of the call, give or take half the call's time. It raises an alarm when they are too far apart for
// certain, and ends it when they are not for certain. A call that takes too long says nothing.
func (l *Ledger[C, E]) compareClock(ctx context.Context) {
	if l.cfg.Clock == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxOff)
	defer cancel()
	asked := time.Now()
	here := l.cfg.Wall()
	there, err := l.cfg.Clock.Time(ctx)
	trip := time.Since(asked)
	if err != nil || trip > maxOff {
		return
	}
	by := here.Add(trip / 2).Round(0).Sub(there.Round(0))
	l.cfg.Metrics.ClockOff(l.cfg.Name, by)
	l.clockAhead.Store(int64(by))
	switch far, doubt := by.Abs(), trip/2; {
	case far-doubt > maxOff && l.clockOff.CompareAndSwap(false, true):
		l.log.Error("this replica's clock is off", "ahead by", by, "give or take", doubt)
	case far+doubt < maxOff && l.clockOff.CompareAndSwap(true, false):
		l.log.Info("this replica's clock is right again", "ahead by", by, "give or take", doubt)
	}
}
