package battle

import "time"

// deadline returns the next deadline that a battle has in its phase: the request's timeout; the start, or the last moment for
// the lives to open; the end, or before it the lapse of a proposal; once it has ended, the end of its punishment, and then the
// next round. While it settles it has none.
func (s *State) deadline(b Battle) (time.Time, bool) {
	switch b.Phase {
	case PhaseRequested:
		return b.ExpiresAt, !b.ExpiresAt.IsZero()
	case PhaseStarting:
		if b.opened() {
			return b.StartsAt, true
		}
		return b.StartsAt.Add(s.settings.OpenWithin), true
	case PhaseRunning:
		next := b.EndsAt
		for _, p := range b.Proposals {
			if p.ExpiresAt.Before(next) {
				next = p.ExpiresAt
			}
		}
		return next, true
	case PhaseEnded:
		if b.Punishing() {
			return b.PunishmentEndsAt, true
		}
		return b.Series.NextAt, b.Series.Awaits()
	}
	return time.Time{}, false
}

// advance decides what a battle's deadline brings. Before its time, and after the phase, it brings nothing.
func (d *draft) advance(battleID string) {
	b, _ := d.battle(battleID)
	switch b.Phase {
	case PhaseRequested:
		d.expireRequest(b)
	case PhaseStarting:
		d.beginOrAbort(b)
		if b, _ = d.battle(battleID); b.Phase == PhaseRunning {
			d.endAtTime(b) // a log that stood still may begin a battle when its time is over
		}
	case PhaseRunning:
		if !d.endAtTime(b) {
			d.lapse(b)
		}
	case PhaseEnded:
		d.endPunishmentAtTime(b)
		d.beginRound(b)
	}
}

// Due returns an Advance for every battle whose deadline has come.
func (s *State) Due(now time.Time) []Command {
	var due []Command
	for _, id := range s.timers.Due(now) {
		due = append(due, Advance{BattleID: id})
	}
	return due
}

// Overdue is a battle whose deadline has passed.
type Overdue struct {
	Battle
	Deadline time.Time
}

// Overdue returns the battles whose committed deadline was before a time, in no order.
func (s *State) Overdue(before time.Time) []Overdue {
	var overdue []Overdue
	for id, at := range s.timers.All() {
		if b, ok := s.open.Committed(id); ok && at.Before(before) {
			overdue = append(overdue, Overdue{b, at})
		}
	}
	return overdue
}

// NextDue returns the earliest deadline.
func (s *State) NextDue() (time.Time, bool) { return s.timers.Next() }
