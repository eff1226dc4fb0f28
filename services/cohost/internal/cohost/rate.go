package cohost

import "time"

// Sender is who is held to a rate: a live that sends invitations, or a host with all its lives, or the sessions that take a live
// over. One of the three is set.
type Sender struct{ LiveID, UserID, TakenLiveID string }

// ratePeriod is the length of log time in which invitations and sessions are counted, and sentKept how many of a sender's are known:
// the greatest limit that can be set.
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

// paceSessions refuses when as many sessions have taken the live over in the last minute as may: each is an entry here and one in
// battle's log, and one that was replaced is known for so many others only.
func (s *State) paceSessions(now time.Time, live string) error {
	if taken := s.senders.Times(Sender{TakenLiveID: live}, now); len(taken) >= s.rules.SessionRate {
		return tooManySessions(live, taken, s.rules.SessionRate, now)
	}
	return nil
}
