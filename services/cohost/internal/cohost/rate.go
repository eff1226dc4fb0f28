package cohost

import "time"

// Sender is who sends invitations: a live, or a host with all its lives. One of the two is set.
type Sender struct{ LiveID, UserID string }

// ratePeriod is the length of log time in which invitations are counted, and sentKept how many of a sender's are known: the
// greatest limit that can be set.
const (
	ratePeriod = time.Minute
	sentKept   = 600
)

// pace refuses when the inviter, or its host with all its lives, has sent as many invitations in the last minute as it may.
func (s *State) pace(now time.Time, inviter Live) error {
	if sent := s.senders.Times(Sender{LiveID: inviter.ID}, now); len(sent) >= s.rules.LiveRate {
		return tooFast("live "+inviter.ID, sent, s.rules.LiveRate, now)
	}
	if sent := s.senders.Times(Sender{UserID: inviter.Host.ID}, now); len(sent) >= s.rules.UserRate {
		return tooFast("user "+inviter.Host.ID, sent, s.rules.UserRate, now)
	}
	return nil
}
