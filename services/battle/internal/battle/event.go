package battle

import "time"

// Event is a fact of the log BATTLE_00.
type Event interface{ isEvent() }

// CohostRead says how far the log COHOST_00 has been read.
type CohostRead struct{ Sequence uint64 }

// ConnectionJoined copies a fact of COHOST_00: a live has joined a connection.
type ConnectionJoined struct {
	ConnectionID string
	Live         Participant
}

// ConnectionLeft copies a fact of COHOST_00: a live has left its connection.
type ConnectionLeft struct{ ConnectionID, LiveID string }

// SessionTaken copies a fact of COHOST_00: another session of a host has taken a live over.
type SessionTaken struct {
	LiveID, Session string
	Fence           int64
}

// LiveEnded copies a fact of COHOST_00: a live that had sessions has ended.
type LiveEnded struct{ LiveID string }

// BattleRequested opens a battle.
type BattleRequested struct {
	BattleID     string
	ConnectionID string
	Terms        Terms
	Inviter      Participant
	// Invitees in the order of the request.
	Invitees []Participant
	// Refused are the targets that were left out.
	Refused []RefusedTarget
	// ExpiresAt is when the request times out; zero when no response is needed.
	ExpiresAt time.Time
	// TargetsAreUsers: the request named hosts, not lives.
	TargetsAreUsers bool
	// RematchOf is the battle that this one repeats; empty if it is none.
	RematchOf string
	// Series is zero for a single battle. From the second round on nobody has requested the battle: its members are those of
	// the round before that are left.
	Series Series
}

// InviteeAnswered is an invitee's answer, or that it gave none in time or is not asked any more.
type InviteeAnswered struct {
	BattleID, LiveID string
	Answer           Answer
	// Reason is what the invitee said when it rejected.
	Reason string
}

// BattleStarting fixes times and rules; score partitions open the lives.
type BattleStarting struct {
	BattleID         string
	StartsAt, EndsAt time.Time
	RuleSet          string
	// Participants are the inviter and those who accepted.
	Participants []Participant
}

// LiveOpened is a score partition's word that it counts gifts for a live.
type LiveOpened struct {
	BattleID, LiveID string
	Partition        int32
	Sequence         uint64
	Index            uint32
}

// BattleStarted announces the start: all lives are open and the start has come.
type BattleStarted struct{ BattleID string }

// UserExited takes a live out of its battle; its score so far stays.
type UserExited struct {
	BattleID, LiveID string
	Reason           ExitReason
}

// UserRejoined takes a live back into its battle, which it left because its host was lost; its score goes on.
type UserRejoined struct {
	BattleID, LiveID string
	// EndsAt is the battle's, as it stands now.
	EndsAt time.Time
	// Rejoins is how often the live has rejoined the battle, this time included.
	Rejoins int32
}

// BattleEnding has all lives closed that still count gifts.
type BattleEnding struct {
	BattleID string
	Reason   EndReason
	// EndsAt is the end that was planned. For TimeOver no live closes before it.
	EndsAt time.Time
	// Detail is what whoever ended the battle said.
	Detail string
}

// LiveClosed is a live's final total, as its score partition reports it.
type LiveClosed struct {
	BattleID, LiveID string
	Closing          Closing
}

// BattleEnded makes a battle and its result final.
type BattleEnded struct {
	BattleID string
	Reason   EndReason
	// Never says why the battle never started; zero for every other Reason.
	Never Never
	// Result is nil for a battle that never started, or was voided.
	Result *Result
	// Detail is what whoever ended or voided the battle said.
	Detail string
	// PunishmentEndsAt is zero when no punishment follows.
	PunishmentEndsAt time.Time
	// Series is what becomes of the series; zero for a single battle.
	Series Series
}

// ProposalMade is a host's proposal to the others.
type ProposalMade struct {
	BattleID string
	Subject
	// LiveID proposes, and says the Reason.
	LiveID, Reason string
	// ExpiresAt is when it lapses.
	ExpiresAt time.Time
}

// ProposalConsented is one more live's consent.
type ProposalConsented struct {
	BattleID string
	Subject
	LiveID string
}

// ProposalLapsed takes a proposal away that not all have consented to in time.
type ProposalLapsed struct {
	BattleID string
	Subject
}

// BattleExtended moves the end.
type BattleExtended struct {
	BattleID string
	// EndsAt is the new end, By later than the one before.
	EndsAt time.Time
	By     time.Duration
}

// PunishmentEnded ends the punishment that followed a battle.
type PunishmentEnded struct {
	BattleID string
	Reason   PunishmentEnd
}

// SeriesExited takes a live out that waits for the next round of a series.
type SeriesExited struct {
	BattleID, LiveID string
	Reason           ExitReason
}

// SeriesEnded ends a series between two rounds.
type SeriesEnded struct {
	BattleID string
	End      SeriesEnd
	// Winner is the side that wins; empty if nobody does.
	Winner string
	// Detail is what the admin who ended it said.
	Detail string
}

// SeriesContinued says that the next round of a series begins.
type SeriesContinued struct{ BattleID, NextBattleID string }

func (CohostRead) isEvent()        {}
func (ConnectionJoined) isEvent()  {}
func (ConnectionLeft) isEvent()    {}
func (SessionTaken) isEvent()      {}
func (LiveEnded) isEvent()         {}
func (BattleRequested) isEvent()   {}
func (InviteeAnswered) isEvent()   {}
func (BattleStarting) isEvent()    {}
func (LiveOpened) isEvent()        {}
func (BattleStarted) isEvent()     {}
func (UserExited) isEvent()        {}
func (UserRejoined) isEvent()      {}
func (BattleEnding) isEvent()      {}
func (LiveClosed) isEvent()        {}
func (BattleEnded) isEvent()       {}
func (ProposalMade) isEvent()      {}
func (ProposalConsented) isEvent() {}
func (ProposalLapsed) isEvent()    {}
func (BattleExtended) isEvent()    {}
func (PunishmentEnded) isEvent()   {}
func (SeriesExited) isEvent()      {}
func (SeriesEnded) isEvent()       {}
func (SeriesContinued) isEvent()   {}

// Events lists one of each kind, for tests that must know them all.
func Events() []Event {
	return []Event{
		CohostRead{},
		ConnectionJoined{},
		ConnectionLeft{},
		SessionTaken{},
		LiveEnded{},
		BattleRequested{},
		InviteeAnswered{},
		BattleStarting{},
		LiveOpened{},
		BattleStarted{},
		UserExited{},
		UserRejoined{},
		BattleEnding{},
		LiveClosed{},
		BattleEnded{},
		ProposalMade{},
		ProposalConsented{},
		ProposalLapsed{},
		BattleExtended{},
		PunishmentEnded{},
		SeriesExited{},
		SeriesEnded{},
		SeriesContinued{},
	}
}
