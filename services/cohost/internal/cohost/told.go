package cohost

import "time"

// Notice tells one live what happened. A live's notices, counted from 1, are its public events.
type Notice struct {
	To   string // live id
	At   time.Time
	News News
}

// News is what a live is told.
type News interface{ isNews() }

type (
	// RequestReceived goes to the invitee.
	RequestReceived struct{ Invitation Invitation }
	// RequestCancelled goes to the invitee, and to the inviter unless that cancelled it.
	RequestCancelled struct {
		Invitation Invitation
		Ending     Ending // Cancelled, EndedWithLive or Withdrawn
	}
	// RequestAccepted goes to the inviter.
	RequestAccepted struct {
		Invitation Invitation
		Mutual     bool
	}
	// RequestRejected goes to the inviter.
	RequestRejected struct {
		Invitation Invitation
		Reason     string
	}
	// RequestTimedOut goes to both.
	RequestTimedOut struct{ Invitation Invitation }
	// UserJoined goes to every member, the joining live included. Before it, the joining live is told the same of every
	// member that was there, so that it knows all.
	UserJoined struct {
		ConnectionID string
		Member       Member
	}
	// UserLeft goes to every member, the leaving live included.
	UserLeft struct {
		ConnectionID string
		Member       Member
		Reason       Leaving
	}
	// Ended goes to the live itself.
	Ended struct{ LiveID string }
)

func (RequestReceived) isNews()  {}
func (RequestCancelled) isNews() {}
func (RequestAccepted) isNews()  {}
func (RequestRejected) isNews()  {}
func (RequestTimedOut) isNews()  {}
func (UserJoined) isNews()       {}
func (UserLeft) isNews()         {}
func (Ended) isNews()            {}

// tell notes who is told what of an event, given the state before it.
func (s *State) tell(at time.Time, event Event) {
	to := func(live string, news News) { s.told.add(Notice{To: live, At: at, News: news}) }
	switch e := event.(type) {
	case InvitationSent:
		inviter, _ := s.lives.Get(e.Inviter)
		invitee, _ := s.lives.Get(e.Invitee)
		to(e.Invitee, RequestReceived{e.invitation(at, inviter, invitee)})
	case InvitationEnded:
		if i, ok := s.invitations.Get(e.InvitationID); ok {
			tellInvitationEnded(to, i, e)
		}
	case MemberJoined:
		c, _ := s.connections.Get(e.ConnectionID)
		for _, m := range c.Members {
			to(e.LiveID, UserJoined{e.ConnectionID, m})
		}
		joined := Member{LiveID: e.LiveID, Host: e.Host, JoinedAt: at}
		for _, m := range with(c.Members, joined) {
			to(m.LiveID, UserJoined{e.ConnectionID, joined})
		}
	case MemberLeft:
		c, _ := s.connections.Get(e.ConnectionID)
		for _, left := range c.Members {
			if left.LiveID != e.LiveID {
				continue
			}
			for _, m := range c.Members {
				to(m.LiveID, UserLeft{e.ConnectionID, left, e.Reason})
			}
		}
	case LiveEnding:
		to(e.LiveID, Ended(e))
	}
}

func tellInvitationEnded(to func(string, News), i Invitation, e InvitationEnded) {
	switch e.Ending {
	case Accepted:
		to(e.Inviter, RequestAccepted{i, e.Mutual})
	case Rejected:
		to(e.Inviter, RequestRejected{i, e.Reason})
	case Cancelled:
		to(e.Invitee, RequestCancelled{i, e.Ending})
	case TimedOut:
		to(e.Inviter, RequestTimedOut{i})
		to(e.Invitee, RequestTimedOut{i})
	case EndedWithLive, Withdrawn:
		to(e.Inviter, RequestCancelled{i, e.Ending})
		to(e.Invitee, RequestCancelled{i, e.Ending})
	}
}

// told collects notices: those of the overlay, and those of the last commit.
type told struct {
	overlay, committed []Notice
}

func (t *told) add(n Notice) { t.overlay = append(t.overlay, n) }
func (t *told) commit()      { t.committed, t.overlay = t.overlay, nil }
func (t *told) discard()     { t.overlay = nil }
