package ledger

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// ErrFull is Append's answer when the log has no room left for the group: it is certainly not stored, and this copy of it
// never will be. Another may be, once the operator has raised the limit.
var ErrFull = errors.New("the log is full")

// Sized is a Log that knows how much of its room is taken.
type Sized interface {
	// Size returns the bytes that are taken and the most there may be, 0 for no limit.
	Size(ctx context.Context) (used, limit uint64, err error)
}

const (
	// nearlyFull is the part of its limit, in percent, from which on a log takes only what ends things.
	nearlyFull = 90
	// sizeEvery is how often a writer asks how large its log is.
	sizeEvery = 3 * time.Second
)

// noRoomFor is how long a log counts as nearly full after it has refused a group, whatever its size.
const noRoomFor = 10 * time.Second

// growth knows whether a log is nearly full.
type growth struct {
	full    atomic.Bool
	refused atomic.Pointer[time.Time] // when the log had no room last
}

// grow looks how large the log is while this replica writes, until ctx ends.
func (l *Ledger[C, E]) grow(ctx context.Context) {
	log, ok := l.cfg.Log.(Sized)
	if !ok {
		return
	}
	measure := func(ctx context.Context) {
		used, limit, err := log.Size(ctx)
		if err != nil {
			return // asked again; until then what was known holds
		}
		at := l.growth.refused.Load()
		full := limit > 0 && used >= limit/100*nearlyFull || at != nil && time.Since(*at) < noRoomFor
		l.cfg.Metrics.Size(l.cfg.Name, used, limit, full)
		l.setFull(full, "bytes", used, "limit", limit)
	}
	first, cancel := context.WithTimeout(ctx, appendTimeout)
	measure(first)
	cancel()
	repeat(ctx, sizeEvery, measure)
}

// noRoom notes that the log has refused a group.
func (l *Ledger[C, E]) noRoom() {
	now := time.Now()
	l.growth.refused.Store(&now)
	l.setFull(true)
}

// setFull notes whether the log is nearly full, and says so when that changes.
func (l *Ledger[C, E]) setFull(full bool, why ...any) {
	if l.growth.full.Swap(full) == full {
		return
	}
	if full {
		l.log.Error("the log is nearly full: it takes only what ends things; continue it in a new stream or raise its max_bytes (faceoff streams)", why...)
	} else {
		l.log.Info("the log has room again", why...)
	}
}

// refuseGrowth is the refusal of a command that would add business to a log that is nearly full, nil if it would not.
func (l *Ledger[C, E]) refuseGrowth(c C) error {
	if l.cfg.Grows == nil || !l.growth.full.Load() || !l.cfg.Grows(c) {
		return nil
	}
	return es.Refuse(es.ReasonRateLimited, "the log %s is nearly full, so nothing new can begin until its operator makes room", l.cfg.Name)
}

// refuseFull is the refusal of a command whose events the log cannot take any more.
func (l *Ledger[C, E]) refuseFull() error {
	return es.Refuse(es.ReasonRateLimited, "the log %s is full until its operator makes room", l.cfg.Name)
}
