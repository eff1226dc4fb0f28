package score

import "time"

// Event is one fact of a partition's log.
type Event interface{ isEvent() }

// GiftDecided keeps the verdict of a gift: Counted, Late or Rejected.
type GiftDecided struct {
	LiveID  string
	Gift    Gift
	Verdict Verdict
	// Points scored; 0 unless Counted.
	Points int64
	// BattleID the gift counted for or came too late for; empty when Rejected outside battles.
	BattleID string
	Reason   Reason
}

// BattleRead says how far the battle service's log has been read.
type BattleRead struct{ Position }

// Position in the battle service's log: all groups before Sequence have been read, and of the group at Sequence the
// first Entries; 0 stands for all.
type Position struct {
	Sequence uint64
	Entries  uint32
}

// Covers reports whether all that q covers has been read at p.
func (p Position) Covers(q Position) bool {
	return q.Sequence < p.Sequence || q.Sequence == p.Sequence && (p.Entries == 0 || q.Entries != 0 && q.Entries <= p.Entries)
}

// LiveOpened: from here on the live's gifts may count for the battle.
type LiveOpened struct {
	BattleID, LiveID string
	// Gifts count from StartsAt until before EndsAt, by log time.
	StartsAt, EndsAt time.Time
	RuleSet          string
	// All lives of the battle, this one included.
	Participants []Participant
}

// Participant is a live in a battle.
type Participant struct {
	LiveID string
	Host   User
}

// BattleStarted: the battle has gone on from the live's opening, which needs no report any more.
type BattleStarted struct{ BattleID, LiveID string }

// LiveExtended: gifts of the live count until before another end.
type LiveExtended struct {
	BattleID, LiveID string
	EndsAt           time.Time
}

// LiveReopened: the live is back in its battle, and its gifts count again on top of what it had.
type LiveReopened struct {
	BattleID, LiveID string
	EndsAt           time.Time
	// Rejoins is how often the live has been opened again, this time included.
	Rejoins int32
}

// CloseScheduled: the battle's time is over by the battle service's clock, and not yet by this log's; the live closes at
// At.
type CloseScheduled struct {
	BattleID, LiveID string
	At               time.Time
}

// LiveClosed: nothing counts for the live in the battle after this.
type LiveClosed struct {
	BattleID, LiveID string
	Total            int64
	// Top gifters, best first, at most MaxTop.
	Top   []Gifter
	Gifts int64
}

// Gifter is a member of the audience with the points of its gifts.
type Gifter struct {
	User   User
	Points int64
}

// LiveTombstoned: the live was to close, or could not open, and must not open for this battle any more.
type LiveTombstoned struct {
	BattleID, LiveID string
	// Plays: the live takes part in the battle, which waits for its total: 0.
	Plays bool
}

// LiveVoided: the battle never started, or was voided, so what was counted for the live is void.
type LiveVoided struct{ BattleID, LiveID string }

// BattleSettled: the result stands, nothing is left to report.
type BattleSettled struct{ BattleID, LiveID string }

// LiveReported: the battle service has the live's total, or does not wait for it any more.
type LiveReported struct{ BattleID, LiveID string }

func (GiftDecided) isEvent()    {}
func (BattleRead) isEvent()     {}
func (LiveOpened) isEvent()     {}
func (BattleStarted) isEvent()  {}
func (LiveExtended) isEvent()   {}
func (LiveReopened) isEvent()   {}
func (CloseScheduled) isEvent() {}
func (LiveClosed) isEvent()     {}
func (LiveTombstoned) isEvent() {}
func (LiveVoided) isEvent()     {}
func (BattleSettled) isEvent()  {}
func (LiveReported) isEvent()   {}

// Events has one of each kind.
var Events = []Event{
	GiftDecided{},
	BattleRead{},
	LiveOpened{},
	BattleStarted{},
	LiveExtended{},
	LiveReopened{},
	CloseScheduled{},
	LiveClosed{},
	LiveTombstoned{},
	LiveVoided{},
	BattleSettled{},
	LiveReported{},
}
