package cohost

import "time"

// Event is a fact in the log.
type Event interface{ isEvent() }

// LiveCreated opens a live.
type LiveCreated struct {
	LiveID string
	Kind   Kind
	Host   User
}

// LiveEnding ends a live. Its invitations and its membership have ended before, in the same decision.
type LiveEnding struct {
	LiveID string
	// Lost: its host was, and did not come back in time.
	Lost bool
}

// HostChanged shows the host of a live in another way.
type HostChanged struct {
	LiveID string
	Host   User
}

// InvitationSent makes an invitation pending.
type InvitationSent struct {
	InvitationID  string
	Inviter       string // live id
	Invitee       string // live id
	Layout        string // never empty
	ExtensionInfo string
	ExpiresAt     time.Time
}

// InvitationEnded ends a pending invitation.
type InvitationEnded struct {
	InvitationID string
	Inviter      string
	Invitee      string
	Ending       Ending
	// Reason holds the invitee's words if it rejected.
	Reason string
	// Code is 0 unless the invitee rejected, and in the log of versions that did not know it.
	Code RejectCode
	// Mutual: accepted by a request of the invitee's own.
	Mutual bool
	// ExtensionInfo came with the invitee's answer.
	ExtensionInfo string
}

// ConnectionStarted founds a connection; the MemberJoined of its two founders follow in the same decision.
type ConnectionStarted struct {
	ConnectionID string
	Layout       string
}

// MemberJoined takes a live into a connection.
type MemberJoined struct {
	ConnectionID string
	LiveID       string
	Host         User
}

// MemberLeft takes a live out of its connection.
type MemberLeft struct {
	ConnectionID string
	LiveID       string
	Reason       Leaving
}

// ConnectionEnded says that a connection has no members any more.
type ConnectionEnded struct {
	ConnectionID string
}

// LayoutSet changes the layout of a connection.
type LayoutSet struct {
	ConnectionID string
	LiveID       string // the member that did
	Layout       string
}

// RemoteMuteSet has a live and its audience hear another member, or not. It ends with the membership of either.
type RemoteMuteSet struct {
	ConnectionID string
	LiveID       string
	Target       string // live id
	Muted        bool
}

// PresenceBegan says that a live has shown its first sign of life. From now on its host can be lost.
type PresenceBegan struct{ LiveID string }

// HostUnreachable says that nothing was heard of a host for too long.
type HostUnreachable struct{ LiveID string }

// HostRecovered says that a host that was unreachable or lost is back.
type HostRecovered struct {
	LiveID string
	// RejoinUntil is until when it may rejoin the connection that it was lost from; zero if there is none.
	RejoinUntil time.Time
}

// HostLost says that a host has not come back in time. Its invitations end in the same decision. If it is in a connection, the
// MemberLeft follows in a decision of its own, once battle has let it leave.
type HostLost struct{ LiveID string }

// SessionTaken makes another session of a host the current one.
type SessionTaken struct {
	LiveID  string
	Session string
	Fence   int64 // one more than before
}

func (LiveCreated) isEvent()       {}
func (LiveEnding) isEvent()        {}
func (InvitationSent) isEvent()    {}
func (InvitationEnded) isEvent()   {}
func (ConnectionStarted) isEvent() {}
func (MemberJoined) isEvent()      {}
func (MemberLeft) isEvent()        {}
func (ConnectionEnded) isEvent()   {}
func (LayoutSet) isEvent()         {}
func (RemoteMuteSet) isEvent()     {}
func (HostChanged) isEvent()       {}
func (PresenceBegan) isEvent()     {}
func (HostUnreachable) isEvent()   {}
func (HostRecovered) isEvent()     {}
func (HostLost) isEvent()          {}
func (SessionTaken) isEvent()      {}

// Kind of a live. Only lives of the same kind connect.
type Kind int

// Kinds.
const (
	Video Kind = 1
	Voice Kind = 2
)

// User is a host as the platform knows it.
type User struct {
	ID        string
	Name      string
	AvatarURL string
}

// Ending says how an invitation ended.
type Ending int

// Endings.
const (
	Accepted  Ending = 1
	Rejected  Ending = 2
	Cancelled Ending = 3
	TimedOut  Ending = 4
	// EndedWithLive: one of the two lives ended.
	EndedWithLive Ending = 5
	// Withdrawn: the two can no longer connect.
	Withdrawn Ending = 6
)

// RejectCode is why an invitee said no, for programs.
type RejectCode int

// Reject codes.
const (
	RejectBusy     RejectCode = 1
	RejectDeclined RejectCode = 2
	// RejectCustom: the words say why.
	RejectCustom RejectCode = 3
)

// Leaving says why a live left its connection.
type Leaving int

// Reasons for leaving.
const (
	LeftExited    Leaving = 1
	LeftLiveEnded Leaving = 2
	LeftLost      Leaving = 3
	LeftRemoved   Leaving = 4
	// LeftDissolved: the connection had two members and the other one left.
	LeftDissolved Leaving = 5
)
