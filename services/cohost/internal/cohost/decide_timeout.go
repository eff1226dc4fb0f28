package cohost

import "time"

// Due implements es.Machine: invitations whose deadline has come time out.
func (s *State) Due(now time.Time) []Command {
	var due []Command
	for _, id := range s.timeouts.Due(now) {
		due = append(due, ExpireInvitation{InvitationID: id})
	}
	return due
}

// NextDue implements es.Machine.
func (s *State) NextDue() (time.Time, bool) {
	return s.timeouts.Next()
}

// expire ends an invitation in time. A stale or early timer changes nothing.
func (s *State) expire(now time.Time, c ExpireInvitation) ([]Event, error) {
	i, ok := s.invitations.Get(c.InvitationID)
	if !ok || now.Before(i.ExpiresAt) {
		return nil, nil
	}
	return []Event{i.ended(TimedOut)}, nil
}
