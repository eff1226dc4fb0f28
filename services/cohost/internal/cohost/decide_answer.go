package cohost

import "time"

// accept decides whether the invitee may join.
func (s *State) accept(now time.Time, c AcceptHostConnection) ([]Event, error) {
	i, err := s.answerable(now, c.LiveID, pair{inviter: c.From, invitee: c.LiveID})
	if err != nil {
		return nil, err
	}
	accepted := i.ended(Accepted)
	accepted.ExtensionInfo = c.ExtensionInfo
	return s.join(now, i, accepted, c.NewConnectionID)
}

// reject decides whether the invitee may say no.
func (s *State) reject(now time.Time, c RejectHostConnection) ([]Event, error) {
	i, err := s.answerable(now, c.LiveID, pair{inviter: c.From, invitee: c.LiveID})
	if err != nil {
		return nil, err
	}
	e := i.ended(Rejected)
	e.Reason, e.Code, e.ExtensionInfo = c.Reason, c.Code, c.ExtensionInfo
	switch {
	case e.Code != 0:
	case e.Reason != "":
		e.Code = RejectCustom
	default:
		e.Code = RejectDeclined
	}
	return []Event{e}, nil
}

// cancel decides whether the inviter may take its invitation back.
func (s *State) cancel(now time.Time, c CancelHostConnection) ([]Event, error) {
	i, err := s.answerable(now, c.LiveID, pair{inviter: c.LiveID, invitee: c.To})
	if err != nil {
		return nil, err
	}
	return []Event{i.ended(Cancelled)}, nil
}

// answerable returns the invitation that a live wants to end.
func (s *State) answerable(now time.Time, live string, p pair) (Invitation, error) {
	if !s.lives.Has(live) {
		return Invitation{}, liveNotFound(live)
	}
	i, ok := s.pending(now, p.inviter, p.invitee)
	if !ok {
		return Invitation{}, invitationEnded(p.inviter, p.invitee)
	}
	return i, nil
}

// join accepts an invitation: the invitee joins the inviter's connection, or the two found one.
func (s *State) join(now time.Time, i Invitation, accepted InvitationEnded, newConnectionID string) ([]Event, error) {
	inviter, invitee, err := s.both(i.Inviter.LiveID, i.Invitee.LiveID)
	if err != nil {
		return nil, err
	}
	if invitee.ConnectionID != "" {
		return nil, connectedWithOthers(invitee.ID)
	}
	if err := s.room(inviter); err != nil {
		return nil, err
	}
	events := []Event{accepted}
	joining := []Live{invitee}
	connection := inviter.ConnectionID
	if connection == "" {
		connection = newConnectionID
		events = append(events, ConnectionStarted{ConnectionID: connection, Layout: i.Layout})
		joining = []Live{inviter, invitee}
	}
	for _, live := range joining {
		events = append(events, MemberJoined{ConnectionID: connection, LiveID: live.ID, Host: live.Host})
	}
	for _, live := range joining {
		events = append(events, s.withdrawReceived(now, live, i.ID)...)
	}
	return events, nil
}

// withdrawReceived ends every invitation that a joining live has received, but for the one it accepts.
func (s *State) withdrawReceived(now time.Time, live Live, accepted string) []Event {
	var events []Event
	for _, e := range s.endInvitations(now, live.Received, Withdrawn) {
		if e.(InvitationEnded).InvitationID != accepted {
			events = append(events, e)
		}
	}
	return events
}
