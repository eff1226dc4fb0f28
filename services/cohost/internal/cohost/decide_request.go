package cohost

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// request decides whether a live may invite another. If the other has invited it, it accepts.
func (s *State) request(now time.Time, c RequestHostConnection) ([]Event, error) {
	if c.LiveID == c.Target {
		return nil, es.Invalid("target_live_ids", "a live cannot invite itself")
	}
	inviter, invitee, err := s.both(c.LiveID, c.Target)
	if err != nil {
		return nil, err
	}
	if inviter.ConnectionID != "" && inviter.ConnectionID == invitee.ConnectionID {
		return nil, alreadyConnected(inviter.ID, invitee.ID)
	}
	layout := layoutOr(c.Layout, inviter.Kind)
	if err := layoutFits(layout, inviter); err != nil {
		return nil, err
	}
	if theirs, ok := s.pending(now, invitee.ID, inviter.ID); ok {
		accepted := theirs.ended(Accepted)
		accepted.Mutual, accepted.ExtensionInfo = true, c.ExtensionInfo
		return s.join(now, theirs, accepted, c.NewConnectionID)
	}
	if invitee.ConnectionID != "" {
		return nil, connectedWithOthers(invitee.ID)
	}
	if _, ok := s.pending(now, inviter.ID, invitee.ID); ok {
		return nil, invitationPending(inviter.ID, invitee.ID)
	}
	if err := s.room(inviter); err != nil {
		return nil, err
	}
	var events []Event
	sent, received := len(inviter.Sent), len(invitee.Received)
	if late, ok := s.invitation(inviter.ID, invitee.ID); ok {
		events = append(events, late.ended(TimedOut))
		sent, received = sent-1, received-1
	}
	if sent >= s.rules.MaxPending {
		return nil, tooManyPending(inviter.ID, s.rules.MaxPending)
	}
	if received >= s.rules.MaxPending {
		return nil, tooManyPending(invitee.ID, s.rules.MaxPending)
	}
	if err := s.pace(now, inviter); err != nil {
		return nil, err
	}
	return append(events, InvitationSent{
		InvitationID:  c.NewInvitationID,
		Inviter:       inviter.ID,
		Invitee:       invitee.ID,
		Layout:        layout,
		ExtensionInfo: c.ExtensionInfo,
		ExpiresAt:     now.Add(c.Timeout),
	}), nil
}

// both returns two active lives that may connect as far as their kinds go, and whose hosts are not lost.
func (s *State) both(a, b string) (Live, Live, error) {
	la, ok := s.lives.Get(a)
	if !ok {
		return Live{}, Live{}, liveNotFound(a)
	}
	lb, ok := s.lives.Get(b)
	if !ok {
		return Live{}, Live{}, liveNotFound(b)
	}
	if la.Kind != lb.Kind {
		return Live{}, Live{}, kindMismatch(a, b)
	}
	for _, live := range []Live{la, lb} {
		if live.Presence.Stage == Lost {
			return Live{}, Live{}, hostLost(live.ID)
		}
	}
	return la, lb, nil
}

// room refuses when the inviter's connection is full: it has as many members as any may have, or as its layout has seats.
func (s *State) room(inviter Live) error {
	c, ok := s.connections.Get(inviter.ConnectionID)
	if ok && len(c.Members) >= min(s.rules.MaxMembers, seats(c.Layout)) {
		return connectionFull(len(c.Members), c.Layout)
	}
	return nil
}

// invitation returns the invitation from one live to another, whether or not its deadline has passed.
func (s *State) invitation(inviter, invitee string) (Invitation, bool) {
	id, ok := s.byPair.Get(pair{inviter, invitee})
	if !ok {
		return Invitation{}, false
	}
	return s.invitations.Get(id)
}

// pending returns the invitation from one live to another, if it can still be answered.
func (s *State) pending(now time.Time, inviter, invitee string) (Invitation, bool) {
	i, ok := s.invitation(inviter, invitee)
	return i, ok && now.Before(i.ExpiresAt)
}
