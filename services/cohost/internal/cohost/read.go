package cohost

import "time"

// Live returns a live, active or ended within Rules.EndedKept.
func (s *State) Live(id string) (Live, bool) {
	if l, ok := s.lives.Committed(id); ok {
		return l, true
	}
	return s.ended.Committed(id)
}

// EndedLive returns the last ended live of this id, whether or not a new one has begun.
func (s *State) EndedLive(id string) (Live, bool) {
	return s.ended.Committed(id)
}

// Connection returns a connection that has not ended.
func (s *State) Connection(id string) (Connection, bool) {
	return s.connections.Committed(id)
}

// Invitations returns pending invitations by their ids, in the same order.
func (s *State) Invitations(ids []string) []Invitation {
	var found []Invitation
	for _, id := range ids {
		if i, ok := s.invitations.Committed(id); ok {
			found = append(found, i)
		}
	}
	return found
}

// Overdue returns the pending invitations whose deadline was before a time, in no order.
func (s *State) Overdue(before time.Time) []Invitation {
	var overdue []Invitation
	for id, at := range s.timeouts.All() {
		if i, ok := s.invitations.Committed(id); ok && at.Before(before) {
			overdue = append(overdue, i)
		}
	}
	return overdue
}

// Gone returns the active lives whose hosts are unreachable or lost, in no order.
func (s *State) Gone() []Live {
	var gone []Live
	for _, live := range s.lives.All() {
		if live.Presence.Stage > Present || live.Presence.Departs != "" {
			gone = append(gone, live)
		}
	}
	return gone
}

// Candidates returns a function that returns a live if it is one that the given one can invite, of those that are active, of
// the same kind and in no connection: another one, whose host is not lost, without an invitation pending between the two, and
// with room for one more received.
func (s *State) Candidates(of Live) func(id string) (Live, bool) {
	not := map[string]bool{of.ID: true}
	for _, i := range s.Invitations(of.Sent) {
		not[i.Invitee.LiveID] = true
	}
	for _, i := range s.Invitations(of.Received) {
		not[i.Inviter.LiveID] = true
	}
	return func(id string) (Live, bool) {
		live, ok := s.lives.Committed(id)
		return live, ok && !not[id] && len(live.Received) < s.rules.MaxPending && live.Presence.Stage != Lost
	}
}

// Told returns what the last committed group made known, in order.
func (s *State) Told() []Notice {
	return s.told.committed
}
