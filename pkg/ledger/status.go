package ledger

import (
	"sync/atomic"
	"time"
)

// Status is what a partition says of itself on one replica.
type Status struct {
	// Log is its name, Replica this replica as the lease has it.
	Log, Replica string
	// Applied is the last group of committed state.
	Applied uint64
	// Writes: this replica writes the log.
	Writes bool
	// Now is log time.
	Now time.Time
	// ClockAhead is how far this replica's wall clock was ahead of that of where the log is kept when they were last
	// compared.
	ClockAhead time.Duration
	// Storing is how long the group under way has been on its way into the log; 0 if none is.
	Storing time.Duration
}

// Status returns how the partition is now. It waits for nothing but the lock of committed state.
func (l *Ledger[C, E]) Status() Status {
	return Status{
		Log: l.cfg.Name, Replica: l.cfg.Lease.Self(),
		Applied: l.Applied(), Writes: l.Writes(), Now: l.Now(),
		ClockAhead: time.Duration(l.clockAhead.Load()), Storing: l.storing.took(),
	}
}

// stopwatch tells how long something has taken that may be under way.
type stopwatch struct{ began atomic.Pointer[time.Time] }

func (s *stopwatch) start() {
	now := time.Now()
	s.began.Store(&now)
}

func (s *stopwatch) stop() { s.began.Store(nil) }

// took is 0 if nothing is under way.
func (s *stopwatch) took() time.Duration {
	if began := s.began.Load(); began != nil {
		return time.Since(*began)
	}
	return 0
}
