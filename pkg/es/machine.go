package es

import "time"

// Machine is the state of one log together with its rules. The log's owner calls it from one goroutine at a time, in
// this order, again and again: Decide and Evolve for every command of a group, then Commit once the group is stored, or
// Discard if it was not. Readers use committed state only.
type Machine[C, E any] interface {
	// Decide says which events follow from a command at log time now, given committed state and overlay. It changes
	// nothing. No events and no error: the command is already fulfilled. The error is a *Refusal, or Later.
	Decide(now time.Time, command C) ([]E, error)
	// Evolve applies an event to the overlay. It never refuses: what Decide gave, Evolve can apply.
	Evolve(at Place, event E)
	// Due returns the commands whose time has come in committed state. Deciding one must change the state so that it is
	// not due any more.
	Due(now time.Time) []C
	// NextDue returns the earliest deadline in committed state.
	NextDue() (time.Time, bool)
	// Commit merges the overlay into committed state.
	Commit()
	// Discard throws the overlay away.
	Discard()
}

// Place is where and when in the log an event stands.
type Place struct {
	// Sequence of the group that holds the event, from 1.
	Seq uint64
	// Index of the event within its group, from 0.
	Index uint32
	// At is the log time of the decision, in whole milliseconds, UTC.
	At time.Time
	// Chain is the SHA-256 of the group before; zero for the first.
	Chain [32]byte
}

// Before reports whether p stands before q in the log.
func (p Place) Before(q Place) bool {
	return p.Seq < q.Seq || p.Seq == q.Seq && p.Index < q.Index
}
