package cohost

import "time"

// Command asks for a decision. Ids that a decision may need come with it.
type Command interface{ isCommand() }

// CreateLive opens a live.
type CreateLive struct {
	LiveID string
	Kind   Kind
	Host   User
}

// EndLive ends a live.
type EndLive struct {
	LiveID string
}

// RequestHostConnection invites a live, or accepts that live's pending invitation.
type RequestHostConnection struct {
	LiveID string // the inviter
	Target string // live id
	// Layout of the shared view; empty stands for the kind's own.
	Layout string
	// Timeout of the invitation, in whole milliseconds, more than 0.
	Timeout         time.Duration
	ExtensionInfo   string
	NewInvitationID string
	NewConnectionID string
}

// CancelHostConnection takes an invitation back.
type CancelHostConnection struct {
	LiveID string // the inviter
	To     string // the invitee's live id
}

// AcceptHostConnection accepts an invitation.
type AcceptHostConnection struct {
	LiveID          string // the invitee
	From            string // the inviter's live id
	NewConnectionID string
}

// RejectHostConnection rejects an invitation.
type RejectHostConnection struct {
	LiveID string // the invitee
	From   string // the inviter's live id
	Reason string // passed on to the inviter
}

// ExitHostConnection leaves the connection.
type ExitHostConnection struct {
	LiveID string
}

// ExpireInvitation ends an invitation whose deadline has come.
type ExpireInvitation struct {
	InvitationID string
}

// Grows reports whether a command begins something new, rather than going on with or ending what there is.
func Grows(c Command) bool {
	switch c.(type) {
	case CreateLive, RequestHostConnection, AcceptHostConnection:
		return true
	default:
		return false
	}
}

func (CreateLive) isCommand()            {}
func (EndLive) isCommand()               {}
func (RequestHostConnection) isCommand() {}
func (CancelHostConnection) isCommand()  {}
func (AcceptHostConnection) isCommand()  {}
func (RejectHostConnection) isCommand()  {}
func (ExitHostConnection) isCommand()    {}
func (ExpireInvitation) isCommand()      {}
