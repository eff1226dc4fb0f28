package presence

import (
	"errors"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// Settings are the times of presence.
type Settings struct {
	// Renew is how often a host is to give a sign of life, 100 ms to 1 min.
	Renew time.Duration
	// UnreachableAfter is the silence after which it is unreachable: more than two renewals, up to 10 min.
	UnreachableAfter time.Duration
	// Grace is the silence from then on after which it is lost: a renewal at least, up to 10 min.
	Grace time.Duration
	// EndAfter is the silence from then on after which its live ends: a renewal at least, up to 24 h.
	EndAfter time.Duration
	// RejoinWithin is how long a host that was lost and is back may rejoin its connection: a renewal at least, up to 24 h.
	RejoinWithin time.Duration
}

// Validate reports everything that is wrong with the settings, by the names of their flags.
func (s Settings) Validate() error {
	var errs []error
	within := func(name string, value, least, most time.Duration) {
		if value < least || value > most {
			errs = append(errs, fmt.Errorf("%s: must be %v to %v, is %v", name, least, most, value))
		}
		if value%time.Millisecond != 0 {
			errs = append(errs, fmt.Errorf("%s: must be whole milliseconds, is %v", name, value))
		}
	}
	within("presence-renew", s.Renew, 100*time.Millisecond, time.Minute)
	within("presence-unreachable-after", s.UnreachableAfter, 0, 10*time.Minute)
	if s.UnreachableAfter <= 2*s.Renew {
		errs = append(errs, fmt.Errorf("presence-unreachable-after: must be more than two of presence-renew (%v), is %v", s.Renew, s.UnreachableAfter))
	}
	within("presence-grace", s.Grace, s.Renew, 10*time.Minute)
	within("presence-end-after", s.EndAfter, s.Renew, 24*time.Hour)
	within("presence-rejoin-within", s.RejoinWithin, s.Renew, 24*time.Hour)
	return errors.Join(errs...)
}

// Tick is how often silence is looked at.
func (s Settings) Tick() time.Duration { return s.Renew / 12 }

// Deaf is how long a replica may be held up or cut off before that counts: a sign of life that was missed in less is made
// up for by the next one, with time to spare.
func (s Settings) Deaf() time.Duration { return s.Renew / 3 }

// Last returns how long a stage lasts in silence.
func (s Settings) Last(stage cohost.Stage) time.Duration {
	switch stage {
	case cohost.Unreachable:
		return s.Grace
	case cohost.Lost:
		return s.EndAfter
	default:
		return s.UnreachableAfter
	}
}
