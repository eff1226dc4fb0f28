package cohost

import (
	"slices"
	"time"
)

// Notice tells one live what happened. A live's notices, counted from 1, are its public events.
type Notice struct {
	To   string // live id
	At   time.Time
	News News
}

// News is what a live is told.
type News interface{ isNews() }

type (
	// RequestSent goes to the inviter.
	RequestSent struct{ Invitation Invitation }
	// RequestReceived goes to the invitee.
	RequestReceived struct{ Invitation Invitation }
	// RequestCancelled goes to both sides, as does every end of an invitation: each has viewers that did not bring it about.
	RequestCancelled struct {
		Invitation Invitation
		Ending     Ending // Cancelled, EndedWithLive or Withdrawn
	}
	// RequestAccepted goes to both.
	RequestAccepted struct {
		Invitation    Invitation
		Mutual        bool
		ExtensionInfo string // the invitee's
	}
	// RequestRejected goes to both.
	RequestRejected struct {
		Invitation    Invitation
		Reason        string
		Code          RejectCode
		ExtensionInfo string // the invitee's
	}
	// RequestTimedOut goes to both.
	RequestTimedOut struct{ Invitation Invitation }
	// UserJoined goes to every member, the joining live included. Before it, the joining live is told the same of every
	// member that was there, so that it knows all.
	UserJoined struct {
		ConnectionID string
		Member       Member
		Layout       string // of the connection
	}
	// UserLeft goes to every member, the leaving live included.
	UserLeft struct {
		ConnectionID string
		Member       Member
		Reason       Leaving
	}
	// LayoutChanged goes to every member, the one that changed it included.
	LayoutChanged struct {
		ConnectionID string
		Layout       string
		By           Member
	}
	// RemoteMuteChanged goes to the live that muted another, or let it be heard again.
	RemoteMuteChanged struct {
		ConnectionID string
		Target       Member
		Muted        bool
	}
	// HostShown goes to the live itself, to the other members of its connection, and to the other sides of its pending
	// invitations.
	HostShown struct {
		LiveID string
		Host   User
	}
	// Ended goes to the live itself.
	Ended struct {
		LiveID string
		Lost   bool
	}
	// Silent goes to the live itself and to the other members of its connection.
	Silent struct {
		LiveID string
		Host   User
		Lost   bool // not only unreachable
	}
	// Back goes to the live itself and to the other members of its connection.
	Back struct {
		LiveID  string
		Host    User
		WasLost bool
		// RejoinUntil is zero if there is no connection to rejoin.
		RejoinUntil time.Time
	}
	// Superseded goes to the live itself, unless the session is its first.
	Superseded struct {
		LiveID  string
		Session string // the one before
		Fence   int64  // of the new one
	}
)

func (RequestSent) isNews()       {}
func (RequestReceived) isNews()   {}
func (RequestCancelled) isNews()  {}
func (RequestAccepted) isNews()   {}
func (RequestRejected) isNews()   {}
func (RequestTimedOut) isNews()   {}
func (UserJoined) isNews()        {}
func (UserLeft) isNews()          {}
func (LayoutChanged) isNews()     {}
func (RemoteMuteChanged) isNews() {}
func (HostShown) isNews()         {}
func (Ended) isNews()             {}
func (Silent) isNews()            {}
func (Back) isNews()              {}
func (Superseded) isNews()        {}

// tell notes who is told what of an event, given the state before it.
func (s *State) tell(at time.Time, event Event) {
	to := func(live string, news News) { s.told.add(Notice{To: live, At: at, News: news}) }
	switch e := event.(type) {
	case InvitationSent:
		inviter, _ := s.lives.Get(e.Inviter)
		invitee, _ := s.lives.Get(e.Invitee)
		i := e.invitation(at, inviter, invitee)
		to(e.Inviter, RequestSent{i})
		to(e.Invitee, RequestReceived{i})
	case InvitationEnded:
		if i, ok := s.invitations.Get(e.InvitationID); ok {
			news := newsOf(i, e)
			to(e.Inviter, news)
			to(e.Invitee, news)
		}
	case MemberJoined:
		c, _ := s.connections.Get(e.ConnectionID)
		for _, m := range c.Members {
			to(e.LiveID, UserJoined{e.ConnectionID, m, c.Layout})
		}
		joined := Member{LiveID: e.LiveID, Host: e.Host, JoinedAt: at}
		for _, m := range with(c.Members, joined) {
			to(m.LiveID, UserJoined{e.ConnectionID, joined, c.Layout})
		}
	case MemberLeft:
		c, _ := s.connections.Get(e.ConnectionID)
		if left, ok := c.member(e.LiveID); ok {
			for _, m := range c.Members {
				to(m.LiveID, UserLeft{e.ConnectionID, left, e.Reason})
			}
		}
	case LayoutSet:
		c, _ := s.connections.Get(e.ConnectionID)
		by, _ := c.member(e.LiveID)
		for _, m := range c.Members {
			to(m.LiveID, LayoutChanged{e.ConnectionID, e.Layout, by})
		}
	case RemoteMuteSet:
		c, _ := s.connections.Get(e.ConnectionID)
		target, _ := c.member(e.Target)
		to(e.LiveID, RemoteMuteChanged{e.ConnectionID, target, e.Muted})
	case HostChanged:
		for _, live := range s.whoSee(e.LiveID) {
			to(live, HostShown(e))
		}
	case LiveEnding:
		to(e.LiveID, Ended(e))
	default:
		s.tellPresence(to, event)
	}
}

func (s *State) tellPresence(to func(string, News), event Event) {
	together := func(id string, news func(Live) News) {
		live, _ := s.lives.Get(id)
		to(id, news(live))
		connection, _ := s.connections.Get(live.ConnectionID)
		for _, m := range connection.Members {
			if m.LiveID != id {
				to(m.LiveID, news(live))
			}
		}
	}
	switch e := event.(type) {
	case HostUnreachable:
		together(e.LiveID, func(l Live) News { return Silent{LiveID: l.ID, Host: l.Host} })
	case HostLost:
		together(e.LiveID, func(l Live) News { return Silent{LiveID: l.ID, Host: l.Host, Lost: true} })
	case HostRecovered:
		together(e.LiveID, func(l Live) News {
			return Back{LiveID: l.ID, Host: l.Host, WasLost: l.Presence.Stage == Lost, RejoinUntil: e.RejoinUntil}
		})
	case SessionTaken:
		if live, _ := s.lives.Get(e.LiveID); live.Presence.Sessions.Current != "" {
			to(e.LiveID, Superseded{LiveID: e.LiveID, Session: live.Presence.Sessions.Current, Fence: e.Fence})
		}
	}
}

// newsOf is what the end of an invitation is to both sides.
func newsOf(i Invitation, e InvitationEnded) News {
	switch e.Ending {
	case Accepted:
		return RequestAccepted{i, e.Mutual, e.ExtensionInfo}
	case Rejected:
		return RequestRejected{i, e.Reason, e.Code, e.ExtensionInfo}
	case TimedOut:
		return RequestTimedOut{i}
	default:
		return RequestCancelled{i, e.Ending}
	}
}

// whoSee returns the lives whose state shows the host of a live, that one first, each once.
func (s *State) whoSee(id string) []string {
	live, _ := s.lives.Get(id)
	connection, _ := s.connections.Get(live.ConnectionID)
	seen := []string{id}
	add := func(other string) {
		if !slices.Contains(seen, other) {
			seen = append(seen, other)
		}
	}
	for _, m := range connection.Members {
		add(m.LiveID)
	}
	for _, i := range slices.Concat(live.Sent, live.Received) {
		invitation, _ := s.invitations.Get(i)
		add(invitation.Inviter.LiveID)
		add(invitation.Invitee.LiveID)
	}
	return seen
}

// told collects notices: those of the overlay, and those of the last commit.
type told struct {
	overlay, committed []Notice
}

func (t *told) add(n Notice) { t.overlay = append(t.overlay, n) }
func (t *told) commit()      { t.committed, t.overlay = t.overlay, nil }
func (t *told) discard()     { t.overlay = nil }
