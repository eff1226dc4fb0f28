package battle

import (
	"slices"
	"time"
)

// User is a host or a member of the audience.
type User struct{ ID, Name, Avatar string }

// Participant is a live with its host.
type Participant struct {
	LiveID string
	Host   User
}

// Mode says who fights whom.
type Mode int32

// Modes.
const (
	// FreeForAll: every live for itself.
	FreeForAll Mode = iota + 1
	// Teams: as the terms say.
	Teams
	// OneVsMany: the inviter against all the others.
	OneVsMany
)

// Terms say how a battle is fought.
type Terms struct {
	Duration      time.Duration
	NeedResponse  bool
	ExtensionInfo string
	Mode          Mode
	// Teams of mode Teams.
	Teams []Team
	// RuleSet as the request named it; see pin.
	RuleSet string
	// Punishment is how long the punishment takes; 0 for none.
	Punishment time.Duration
	// BestOf is how many rounds there are at most; 0 and 1: a single battle.
	BestOf int32
}

// Team is a side of a battle in mode Teams.
type Team struct {
	ID      string
	LiveIDs []string
}

// RefusedTarget is a target that was left out of a request, as it was named there, and why.
type RefusedTarget struct{ Target, Reason, Detail string }

// Phase is how far a battle has come.
type Phase int32

// Phases in their order.
const (
	PhaseRequested Phase = iota + 1
	PhaseStarting
	PhaseRunning
	PhaseSettling
	PhaseEnded
)

// MemberState is where a live stands in a battle.
type MemberState int32

// States of a member. Invited and Joined are in the battle, the others are not, or no longer.
const (
	Invited MemberState = iota + 1
	Joined
	Rejected
	TimedOut
	Exited
	Cancelled
)

// Answer to a request.
type Answer int32

// Answers.
const (
	AnswerAccepted Answer = iota + 1
	AnswerRejected
	AnswerTimedOut
	// AnswerCancelled: the inviter took the request back from this invitee before it answered.
	AnswerCancelled
)

// ExitReason is why a live left a battle.
type ExitReason int32

// Exit reasons.
const (
	ExitByHost ExitReason = iota + 1
	ExitLeftConnection
	ExitLiveEnded
	ExitLost
)

// EndReason is why a battle ended.
type EndReason int32

// End reasons.
const (
	EndTimeOver EndReason = iota + 1
	// EndForfeit: all others exited, or all of the other sides.
	EndForfeit
	EndNeverStarted
	// EndLiveEnded: one side is left, and the last live of the others to go had ended.
	EndLiveEnded
	// EndCutShort: all lives in it consented to end it.
	EndCutShort
	// EndTerminated: an admin ended it.
	EndTerminated
	// EndVoided: an admin voided it; it has no result, also when it had started.
	EndVoided
)

// Never is why a battle never started.
type Never int32

// Reasons for never starting.
const (
	NeverRejected Never = iota + 1
	NeverTimedOut
	// NeverCancelled: the inviter took the request back, or left.
	NeverCancelled
	// NeverAborted: not all lives were open in time, or fewer than two sides were left before the start.
	NeverAborted
)

// Battle is one battle, and immutable: After makes a changed copy.
type Battle struct {
	ID           string
	ConnectionID string
	Terms        Terms
	// Members are the inviter, then the invitees in the order of the request.
	Members     []Member
	Phase       Phase
	RequestedAt time.Time
	// ExpiresAt is zero when no response is needed.
	ExpiresAt time.Time
	// StartsAt, EndsAt and RuleSet are fixed when the battle is starting.
	StartsAt, EndsAt time.Time
	RuleSet          string
	// Reason is zero before PhaseSettling.
	Reason EndReason
	// Detail is what whoever ended or voided the battle said.
	Detail string
	// Never is zero unless the battle ended with EndNeverStarted.
	Never   Never
	EndedAt time.Time
	// Result is nil unless the battle ended after having started, and was not voided.
	Result *Result
	// Proposals that not all have consented to, in the order in which they were made; none unless running.
	Proposals []Proposal
	// PunishmentEndsAt is zero if no punishment follows the battle. It moves when the punishment ends early.
	PunishmentEndsAt time.Time
	PunishmentOver   bool
	// Series is zero for a single battle.
	Series Series
	// RematchOf is the battle that this one repeats; empty if it is none.
	RematchOf string
}

// Member is a live that was asked to a battle, and the inviter.
type Member struct {
	Participant
	State MemberState
	// Team is empty in FreeForAll.
	Team string
	// Plays: the live is one of those that the battle started with; it is closed before the battle ends, also when it
	// has exited.
	Plays bool
	// Opened: a score partition counts gifts for the live.
	Opened bool
	// Closing is nil until the live's final total is known.
	Closing *Closing
	// Lost: the live has exited because its host was lost. Rejoins is how often it has come back.
	Lost    bool
	Rejoins int32
}

// Present reports whether the live is in the battle: asked to it, or joined and not exited.
func (m Member) Present() bool { return m.State == Invited || m.State == Joined }

// Inviter returns the first member.
func (b Battle) Inviter() Member { return b.Members[0] }

// Invitees returns all members but the inviter.
func (b Battle) Invitees() []Member { return b.Members[1:] }

// Member returns the member with the given live.
func (b Battle) Member(liveID string) (Member, bool) {
	i := slices.IndexFunc(b.Members, func(m Member) bool { return m.LiveID == liveID })
	if i < 0 {
		return Member{}, false
	}
	return b.Members[i], true
}

// Has tells whether a live is a member of the battle.
func (b Battle) Has(liveID string) bool {
	_, ok := b.Member(liveID)
	return ok
}

// Open reports whether the battle has not ended.
func (b Battle) Open() bool { return b.Phase != PhaseEnded }

// Punishing reports whether the battle's punishment is on.
func (b Battle) Punishing() bool { return !b.PunishmentEndsAt.IsZero() && !b.PunishmentOver }

// Punishes reports whether a live takes part in the punishment: it has stayed to the end.
func (b Battle) Punishes(m Member) bool { return b.Punishing() && m.Plays && m.State == Joined }

// Waits reports whether a live waits for the next round of the battle's series.
func (b Battle) Waits(liveID string) bool { return slices.Contains(b.Series.Waiting, liveID) }

// Lingers reports whether the battle has ended and something is still to come of it: the end of its punishment, or the
// next round.
func (b Battle) Lingers() bool { return b.Punishing() || b.Series.Awaits() }

// Holds reports whether a live is taken by this battle and can be in no other one.
func (b Battle) Holds(m Member) bool { return b.Open() && m.Present() || b.Waits(m.LiveID) }

func (b Battle) count(is func(Member) bool) int {
	n := 0
	for _, m := range b.Members {
		if is(m) {
			n++
		}
	}
	return n
}

func invited(m Member) bool { return m.State == Invited }

// opened reports whether every live that is to play is open.
func (b Battle) opened() bool {
	return !slices.ContainsFunc(b.Members, func(m Member) bool { return m.Present() && !m.Opened })
}

// closed reports whether the total of every live that plays is known.
func (b Battle) closed() bool {
	return !slices.ContainsFunc(b.Members, func(m Member) bool { return m.Plays && m.Closing == nil })
}
