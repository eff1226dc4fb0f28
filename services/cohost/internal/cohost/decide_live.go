package cohost

import "time"

// createLive decides whether a live may be opened.
func (s *State) createLive(c CreateLive) ([]Event, error) {
	if s.lives.Has(c.LiveID) {
		return nil, liveExists(c.LiveID)
	}
	return []Event{LiveCreated(c)}, nil
}

// updateLive decides whether a host may be shown in another way.
func (s *State) updateLive(c UpdateLive) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	if !ok {
		return nil, liveNotFound(c.LiveID)
	}
	host := live.Host
	if c.UserID != "" && c.UserID != host.ID {
		return nil, anotherHost(live.ID)
	}
	if c.Name != nil {
		host.Name = *c.Name
	}
	if c.AvatarURL != nil {
		host.AvatarURL = *c.AvatarURL
	}
	if host == live.Host {
		return nil, nil
	}
	return []Event{HostChanged{LiveID: live.ID, Host: host}}, nil
}

// endLive ends a live with everything that it takes part in.
func (s *State) endLive(now time.Time, c EndLive) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	if !ok {
		if _, ended := s.ended.Get(c.LiveID); ended {
			return nil, nil
		}
		return nil, liveNotFound(c.LiveID)
	}
	events := s.endInvitations(now, live.Sent, EndedWithLive)
	events = append(events, s.endInvitations(now, live.Received, EndedWithLive)...)
	events = append(events, s.leave(live, LeftLiveEnded)...)
	return append(events, LiveEnding{LiveID: live.ID}), nil
}

// endInvitations ends pending invitations; those whose deadline has passed have timed out.
func (s *State) endInvitations(now time.Time, ids []string, ending Ending) []Event {
	var events []Event
	for _, id := range ids {
		i, ok := s.invitations.Get(id)
		switch {
		case !ok:
		case now.Before(i.ExpiresAt):
			events = append(events, i.ended(ending))
		default:
			events = append(events, i.ended(TimedOut))
		}
	}
	return events
}

// ended is the event that ends the invitation.
func (i Invitation) ended(ending Ending) InvitationEnded {
	return InvitationEnded{InvitationID: i.ID, Inviter: i.Inviter.LiveID, Invitee: i.Invitee.LiveID, Ending: ending}
}
