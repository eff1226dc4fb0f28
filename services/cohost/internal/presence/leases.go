// Package presence knows how long each host has been silent. A host is only silent while this replica writes the log, runs
// and hears the others: what it could not hear is its own silence, and starts every count anew.
package presence

import (
	"slices"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// Leases are the counts of silence of the hosts that have shown a sign of life. They follow committed state, and are not a
// part of it: each replica has its own. All times given are monotonic. Its methods may be called from any goroutine.
type Leases struct {
	settings Settings

	mu     sync.Mutex
	counts bool      // this replica writes
	from   time.Time // nobody's silence began before it
	lives  map[string]lease
}

// lease is one host's. Silence in a stage counts from the latest of its entry, the last sign of life, and Leases.from.
type lease struct {
	stage   cohost.Stage
	entered time.Time
	heard   time.Time // zero if not heard here
	back    bool      // heard in a stage that says it is not there
}

// NewLeases makes Leases of nobody, that do not count.
func NewLeases(s Settings) *Leases {
	return &Leases{settings: s, lives: make(map[string]lease)}
}

// Settings returns the times of presence.
func (l *Leases) Settings() Settings { return l.settings }

// Place has a live's lease follow its stage in the log, as of now; stage 0 takes it away.
func (l *Leases) Place(live string, stage cohost.Stage, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.lives[live]
	switch {
	case stage == 0:
		delete(l.lives, live)
	case stage != was.stage:
		// A sign of life that came between the decision and now is of somebody who is there: the one before the decision is
		// older than the stage could last.
		after := !was.heard.IsZero() && now.Sub(was.heard) < l.settings.Last(was.stage)
		l.lives[live] = lease{stage: stage, entered: now, heard: was.heard, back: stage != cohost.Present && after}
	}
}

// Become has the leases be those of a state that was read at once: the lives by their stages.
func (l *Leases) Become(stages map[string]cohost.Stage, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lives = make(map[string]lease, len(stages))
	for live, stage := range stages {
		l.lives[live] = lease{stage: stage, entered: now}
	}
}

// Heard takes a sign of life. Of a live without a lease it is nothing yet: presence begins in the log.
func (l *Leases) Heard(live string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.lives[live]; ok {
		at.heard, at.back = now, at.stage != cohost.Present
		l.lives[live] = at
	}
}

// Restart starts every count anew at its stage.
func (l *Leases) Restart(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = now
}

// Count starts to count, from now on, or stops: only who writes the log does. That a host came back while another wrote may have
// been heard long after it was said: whoever is there says so again.
func (l *Leases) Count(counts bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts, l.from = counts, now
	for id, at := range l.lives {
		at.back = false
		l.lives[id] = at
	}
}

// Turn is what is to be decided of a live.
type Turn struct {
	LiveID string
	// Stage whose time is over; if Back, from which the host has come back.
	Stage cohost.Stage
	Back  bool
}

// Due returns what is to be decided: who has come back, and whose stage has lasted for its time.
func (l *Leases) Due(now time.Time) []Turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.counts {
		return nil
	}
	var due []Turn
	for id, at := range l.lives {
		if at.back || l.silent(at, now) {
			due = append(due, Turn{LiveID: id, Stage: at.stage, Back: at.back})
		}
	}
	return due
}

// Silent reports whether a live has been silent in a stage for as long as that lasts: the last word before the decision.
func (l *Leases) Silent(live string, stage cohost.Stage, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.lives[live]
	return ok && l.counts && at.stage == stage && !at.back && l.silent(at, now)
}

func (l *Leases) silent(at lease, now time.Time) bool {
	return now.Sub(latest(at.entered, at.heard, l.from)) >= l.settings.Last(at.stage)
}

// Overdue returns the hosts that count as present although this replica has not heard them for longer than that may last, and since
// when it is time. If they stay among them, whoever writes starts its counts anew again and again.
func (l *Leases) Overdue(now time.Time) map[string]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	overdue := make(map[string]time.Time)
	for id, at := range l.lives {
		due := latest(at.entered, at.heard).Add(l.settings.Last(cohost.Present))
		if at.stage == cohost.Present && due.Before(now) {
			overdue[id] = due
		}
	}
	return overdue
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// Len returns how many lives have a lease.
func (l *Leases) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lives)
}
