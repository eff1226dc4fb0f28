package cohost

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Evolve implements es.Machine.
func (s *State) Evolve(at es.Place, event Event) {
	s.tell(at.At, event) // sees the state before the event
	switch e := event.(type) {
	case LiveCreated:
		s.lives.Set(e.LiveID, Live{ID: e.LiveID, Kind: e.Kind, Host: e.Host, CreatedAt: at.At})
	case LiveEnding:
		s.evolveLiveEnding(at, e)
	case InvitationSent:
		s.evolveInvitationSent(at, e)
	case InvitationEnded:
		s.evolveInvitationEnded(e)
	case ConnectionStarted:
		s.connections.Set(e.ConnectionID, Connection{ID: e.ConnectionID, Layout: e.Layout})
	case MemberJoined:
		s.evolveMemberJoined(at, e)
	case MemberLeft:
		s.evolveMemberLeft(e)
	case ConnectionEnded:
		s.connections.Delete(e.ConnectionID)
	case LayoutSet:
		c, _ := s.connections.Get(e.ConnectionID)
		c.Layout = e.Layout
		s.connections.Set(e.ConnectionID, c)
	case RemoteMuteSet:
		s.change(e.LiveID, func(l *Live) {
			if l.Muted = without(l.Muted, e.Target); e.Muted {
				l.Muted = with(l.Muted, e.Target)
			}
		})
	case HostChanged:
		s.evolveHostChanged(e)
	case PresenceBegan:
		s.evolveStage(at, e.LiveID, Present)
	case HostUnreachable:
		s.evolveStage(at, e.LiveID, Unreachable)
	case HostRecovered:
		s.evolveStage(at, e.LiveID, Present)
		if !e.RejoinUntil.IsZero() {
			s.change(e.LiveID, func(l *Live) { l.Presence.RejoinUntil = e.RejoinUntil })
		}
	case HostLost:
		s.evolveStage(at, e.LiveID, Lost)
	case SessionTaken:
		s.evolveSessionTaken(at, e)
	}
}

func (s *State) evolveLiveEnding(at es.Place, e LiveEnding) {
	live, ok := s.lives.Get(e.LiveID)
	if !ok {
		return
	}
	live.EndedAt = at.At
	s.lives.Delete(e.LiveID)
	s.ended.Set(e.LiveID, live, at.At)
}

func (s *State) evolveInvitationSent(at es.Place, e InvitationSent) {
	inviter, _ := s.lives.Get(e.Inviter)
	invitee, _ := s.lives.Get(e.Invitee)
	s.invitations.Set(e.InvitationID, e.invitation(at.At, inviter, invitee))
	s.byPair.Set(pair{e.Inviter, e.Invitee}, e.InvitationID)
	s.timeouts.Set(e.InvitationID, e.ExpiresAt)
	s.change(e.Inviter, func(l *Live) { l.Sent = with(l.Sent, e.InvitationID) })
	s.change(e.Invitee, func(l *Live) { l.Received = with(l.Received, e.InvitationID) })
	for _, sender := range []Sender{{LiveID: e.Inviter}, {UserID: inviter.Host.ID}} {
		s.senders.Add(sender, at.At)
	}
}

// invitation is what the event makes pending.
func (e InvitationSent) invitation(at time.Time, inviter, invitee Live) Invitation {
	return Invitation{
		ID:            e.InvitationID,
		Inviter:       Member{LiveID: e.Inviter, Host: inviter.Host},
		Invitee:       Member{LiveID: e.Invitee, Host: invitee.Host},
		Layout:        e.Layout,
		ExtensionInfo: e.ExtensionInfo,
		CreatedAt:     at,
		ExpiresAt:     e.ExpiresAt,
	}
}

func (s *State) evolveInvitationEnded(e InvitationEnded) {
	s.invitations.Delete(e.InvitationID)
	s.byPair.Delete(pair{e.Inviter, e.Invitee})
	s.timeouts.Clear(e.InvitationID)
	s.change(e.Inviter, func(l *Live) { l.Sent = without(l.Sent, e.InvitationID) })
	s.change(e.Invitee, func(l *Live) { l.Received = without(l.Received, e.InvitationID) })
}

func (s *State) evolveMemberJoined(at es.Place, e MemberJoined) {
	c, _ := s.connections.Get(e.ConnectionID)
	c.Members = with(c.Members, Member{LiveID: e.LiveID, Host: e.Host, JoinedAt: at.At})
	s.connections.Set(e.ConnectionID, c)
	s.change(e.LiveID, func(l *Live) {
		l.ConnectionID, l.Presence.RejoinUntil = e.ConnectionID, time.Time{}
		if l.Presence.LostFrom != e.ConnectionID {
			l.Presence.LostFrom = ""
		}
	})
}

func (s *State) evolveMemberLeft(e MemberLeft) {
	c, _ := s.connections.Get(e.ConnectionID)
	c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(m Member) bool { return m.LiveID == e.LiveID })
	s.connections.Set(e.ConnectionID, c)
	s.change(e.LiveID, func(l *Live) {
		l.ConnectionID, l.Muted, l.Presence.Departs = "", nil, ""
		if e.Reason != LeftLost { // it did not want to stay, or there is nothing to stay in
			l.Presence.LostFrom, l.Presence.RejoinUntil = "", time.Time{}
		}
	})
	for _, m := range c.Members {
		s.change(m.LiveID, func(l *Live) { l.Muted = without(l.Muted, e.LiveID) })
	}
}

// evolveHostChanged changes all copies of the host.
func (s *State) evolveHostChanged(e HostChanged) {
	s.change(e.LiveID, func(l *Live) { l.Host = e.Host })
	live, _ := s.lives.Get(e.LiveID)
	if c, ok := s.connections.Get(live.ConnectionID); ok {
		c.Members = slices.Clone(c.Members)
		for i := range c.Members {
			if c.Members[i].LiveID == e.LiveID {
				c.Members[i].Host = e.Host
			}
		}
		s.connections.Set(c.ID, c)
	}
	for _, id := range slices.Concat(live.Sent, live.Received) {
		if i, ok := s.invitations.Get(id); ok {
			for _, side := range []*Member{&i.Inviter, &i.Invitee} {
				if side.LiveID == e.LiveID {
					side.Host = e.Host
				}
			}
			s.invitations.Set(id, i)
		}
	}
}

// change replaces an active live by a changed copy.
func (s *State) change(id string, change func(*Live)) {
	if l, ok := s.lives.Get(id); ok {
		change(&l)
		s.lives.Set(id, l)
	}
}

// with returns a copy of list with x at its end.
func with[T any](list []T, x T) []T {
	return append(slices.Clip(list), x)
}

// without returns a copy of list without x, nil if nothing is left.
func without(list []string, x string) []string {
	if len(list) == 1 && list[0] == x {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(list), func(y string) bool { return y == x })
}
