package score

import "time"

// Command asks a partition for a decision.
type Command interface{ isCommand() }

// CountGifts decides gifts of one live. Gifts without an event afterwards were known before, or found no battle.
type CountGifts struct {
	LiveID string
	Gifts  []Gift
	// Fresh: to be decided only after the battle service's log has been read up to its present head.
	Fresh bool
}

// ReadBattle brings the facts that concern this partition from a group of the battle service's log: from all of it, or
// from its entries after those that have been read up to Position.Entries.
type ReadBattle struct {
	Position
	Facts []Fact
}

// Advance: a deadline of the live has come.
type Advance struct{ LiveID string }

// Grows reports whether a command adds what no open battle needs: gifts of a live that is in none. Overlay included.
func (s *State) Grows(c Command) bool {
	gifts, ok := c.(CountGifts)
	if !ok {
		return false
	}
	r, ok := s.open.Get(gifts.LiveID)
	return !ok || r.Phase != Open
}

func (CountGifts) isCommand() {}
func (ReadBattle) isCommand() {}
func (Advance) isCommand()    {}

// Commands has one of each kind.
var Commands = []Command{CountGifts{}, ReadBattle{}, Advance{}}

// Fact is something that the battle service has decided.
type Fact interface{ isFact() }

// BattleStarting fixes the times and rules of a battle: its lives open.
type BattleStarting struct {
	BattleID         string
	StartsAt, EndsAt time.Time
	RuleSet          string
	Participants     []Participant
}

// BattleRuns: all lives are open and the start has come.
type BattleRuns struct{ BattleID string }

// UserExited: the live leaves the battle and closes alone.
type UserExited struct{ BattleID, LiveID string }

// UserRejoined: a live that had left is back, and opens again.
type UserRejoined struct {
	BattleID, LiveID string
	// EndsAt is the battle's end, as it stands now.
	EndsAt time.Time
	// Rejoins is how often the live has come back, this time included.
	Rejoins int32
}

// BattleExtended: the battle takes longer.
type BattleExtended struct {
	BattleID string
	// EndsAt is the new end.
	EndsAt time.Time
}

// TotalRecorded: the battle service has recorded the live's total.
type TotalRecorded struct{ BattleID, LiveID string }

// BattleEnding: all lives of the battle that are open close.
type BattleEnding struct {
	BattleID string
	// TimeOver: a live closes when its own log time has reached EndsAt. Otherwise at once.
	TimeOver bool
	EndsAt   time.Time
}

// BattleEnded is the last fact of a battle.
type BattleEnded struct {
	BattleID string
	// Settled: there is a result. Otherwise the battle never started, or was voided.
	Settled bool
}

func (BattleStarting) isFact() {}
func (BattleRuns) isFact()     {}
func (UserExited) isFact()     {}
func (UserRejoined) isFact()   {}
func (BattleExtended) isFact() {}
func (TotalRecorded) isFact()  {}
func (BattleEnding) isFact()   {}
func (BattleEnded) isFact()    {}

// Facts has one of each kind.
var Facts = []Fact{BattleStarting{}, BattleRuns{}, UserExited{}, UserRejoined{}, BattleExtended{}, TotalRecorded{}, BattleEnding{}, BattleEnded{}}
