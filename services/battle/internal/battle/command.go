package battle

import "time"

// Command asks for a decision.
type Command interface{ isCommand() }

// RequestBattle asks lives of the inviter's connection to a battle.
type RequestBattle struct {
	// BattleID is the id that the battle gets.
	BattleID string
	Inviter  string
	// TargetLives or TargetUsers (hosts), never both.
	TargetLives, TargetUsers []string
	Terms                    Terms
	// Timeout of the request, 1 s to 300 s; 0 stands for the default. Not used when no response is needed.
	Timeout time.Duration
}

// Rematch requests an ended battle again.
type Rematch struct {
	// BattleID is the id that the battle gets.
	BattleID string
	// Of is the battle that has ended.
	Of, LiveID string
	// Terms are nil for those of the battle.
	Terms *Terms
	// Timeout as in RequestBattle.
	Timeout time.Duration
}

// AcceptBattle is an invitee's yes.
type AcceptBattle struct{ BattleID, LiveID string }

// RejectBattle is an invitee's no.
type RejectBattle struct{ BattleID, LiveID, Reason string }

// CancelBattleRequest takes a request back, from the targets or from all.
type CancelBattleRequest struct {
	BattleID, LiveID string
	// TargetLives or TargetUsers name some invitees; none stands for all.
	TargetLives, TargetUsers []string
}

// ExitBattle leaves a battle that has started.
type ExitBattle struct{ BattleID, LiveID string }

// RejoinBattle takes a live back into a battle that it left because its host was lost.
type RejoinBattle struct{ BattleID, LiveID string }

// EndBattle proposes for a live that a battle ends now, or consents to that. Without a live it is an admin's word.
type EndBattle struct{ BattleID, LiveID, Reason string }

// ExtendBattle proposes for a live that a battle takes longer, or consents to that. Without a live it is an admin's word.
type ExtendBattle struct {
	BattleID, LiveID string
	// By is how much longer, in whole seconds.
	By time.Duration
}

// VoidBattle is an admin's word that a battle has no result.
type VoidBattle struct{ BattleID, Reason string }

// LeaveBattle takes a live out of whatever battle it is in, because it leaves its connection.
type LeaveBattle struct {
	LiveID string
	// Lost: because its host is.
	Lost bool
}

// ReportOpened tells that a score partition counts gifts for a live.
type ReportOpened struct {
	BattleID, LiveID string
	Partition        int32
	Sequence         uint64
	Index            uint32
}

// ReportClosed tells a live's final total.
type ReportClosed struct {
	BattleID, LiveID string
	Closing          Closing
	// Rejoins is how often the live had rejoined the battle before.
	Rejoins int32
}

// ReadCohost hands over the facts of one group of COHOST_00.
type ReadCohost struct {
	Sequence uint64
	// Facts are ConnectionFacts in the order of the log.
	Facts []ConnectionFact
	// Sessions are SessionFacts in the order of the log. What they say does not depend on the other facts, nor these on them.
	Sessions []SessionFact
}

// SessionFact is that another session of a host has taken a live over, or that the live has ended.
type SessionFact struct {
	LiveID string
	// Session is empty when the live has ended.
	Session string
	Fence   int64
}

// ConnectionFact is that a live joined a connection, or left it.
type ConnectionFact struct {
	ConnectionID string
	// Live joined, or left (then without its host).
	Live Participant
	// Left is zero when the live joined, else why it left.
	Left ExitReason
}

// Advance says that a battle's deadline may have come.
type Advance struct{ BattleID string }

// AsHost is a command of one session of a live's host: of a device or a tab.
type AsHost struct {
	LiveID, Session string
	Command         Command
}

// Grows reports whether a command begins something new, rather than going on with or ending what there is.
func Grows(c Command) bool {
	switch c := c.(type) {
	case AsHost:
		return Grows(c.Command)
	case RequestBattle, Rematch:
		return true
	}
	return false
}

func (RequestBattle) isCommand()       {}
func (Rematch) isCommand()             {}
func (AcceptBattle) isCommand()        {}
func (RejectBattle) isCommand()        {}
func (CancelBattleRequest) isCommand() {}
func (ExitBattle) isCommand()          {}
func (RejoinBattle) isCommand()        {}
func (EndBattle) isCommand()           {}
func (ExtendBattle) isCommand()        {}
func (VoidBattle) isCommand()          {}
func (LeaveBattle) isCommand()         {}
func (ReportOpened) isCommand()        {}
func (ReportClosed) isCommand()        {}
func (ReadCohost) isCommand()          {}
func (Advance) isCommand()             {}
func (AsHost) isCommand()              {}

// Commands lists one of each kind, for tests that must know them all.
func Commands() []Command {
	return []Command{
		RequestBattle{},
		Rematch{},
		AcceptBattle{},
		RejectBattle{},
		CancelBattleRequest{},
		ExitBattle{},
		RejoinBattle{},
		EndBattle{},
		ExtendBattle{},
		VoidBattle{},
		LeaveBattle{},
		ReportOpened{},
		ReportClosed{},
		ReadCohost{},
		Advance{},
		AsHost{LiveID: "l", Session: "s", Command: ExitBattle{}},
	}
}
