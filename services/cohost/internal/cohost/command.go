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

// UpdateLive changes how the host of a live is shown.
type UpdateLive struct {
	LiveID string
	// UserID is empty, or the host's.
	UserID string
	// Name and AvatarURL stay as they are when nil.
	Name, AvatarURL *string
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
	ExtensionInfo   string // passed on to the inviter
	NewConnectionID string
}

// RejectHostConnection rejects an invitation.
type RejectHostConnection struct {
	LiveID string // the invitee
	From   string // the inviter's live id
	// What follows is passed on to the inviter. Code is 0 if none was given.
	Reason        string
	Code          RejectCode
	ExtensionInfo string
}

// ExitHostConnection leaves the connection.
type ExitHostConnection struct {
	LiveID string
}

// RejoinHostConnection takes a live back into the connection that its host was lost from.
type RejoinHostConnection struct {
	LiveID string
}

// SetLayoutTemplate changes the layout of a connection.
type SetLayoutTemplate struct {
	LiveID string // a member
	Layout string
}

// MuteRemoteHostAudio mutes another member for a live and its audience, or lets it be heard again.
type MuteRemoteHostAudio struct {
	LiveID string // the one that does not want to hear
	Target string // live id
	Muted  bool
}

// ExpireInvitation ends an invitation whose deadline has come.
type ExpireInvitation struct {
	InvitationID string
}

// AsHost is a command that a host itself gives, from its app.
type AsHost struct {
	LiveID string
	// Session names the device or the tab; empty if the host does not say.
	Session string
	// Command is of this live, and none of the presence of hosts.
	Command Command
}

// HearHost is a sign of life of a host that changes something: see Presence.Shows.
type HearHost struct {
	LiveID  string
	Session string // empty if the host does not say
}

// MissHost says that a host has been silent for as long as its stage may last. Only the replica that writes can know.
type MissHost struct {
	LiveID string
	Stage  Stage
}

// LeaveLost takes a live whose host was lost out of its connection, after battle has let it leave.
type LeaveLost struct{ LiveID string }

// Grows reports whether a command begins something new, rather than going on with or ending what there is.
func Grows(c Command) bool {
	switch c := c.(type) {
	case AsHost:
		return Grows(c.Command)
	case CreateLive, RequestHostConnection, AcceptHostConnection:
		return true
	default:
		return false
	}
}

func (CreateLive) isCommand()            {}
func (EndLive) isCommand()               {}
func (UpdateLive) isCommand()            {}
func (SetLayoutTemplate) isCommand()     {}
func (MuteRemoteHostAudio) isCommand()   {}
func (RequestHostConnection) isCommand() {}
func (CancelHostConnection) isCommand()  {}
func (AcceptHostConnection) isCommand()  {}
func (RejectHostConnection) isCommand()  {}
func (ExitHostConnection) isCommand()    {}
func (RejoinHostConnection) isCommand()  {}
func (ExpireInvitation) isCommand()      {}
func (AsHost) isCommand()                {}
func (HearHost) isCommand()              {}
func (MissHost) isCommand()              {}
func (LeaveLost) isCommand()             {}
