package cohost

import "time"

// rejoin decides whether a live whose host was lost and is back may have its place in the connection again: without asking
// anybody, for a while, as long as the connection goes on and has room.
func (s *State) rejoin(now time.Time, c RejoinHostConnection) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	if !ok {
		return nil, liveNotFound(c.LiveID)
	}
	p := live.Presence
	switch {
	case p.Stage == Lost:
		return nil, lostNow(live.ID)
	case p.Departs != "":
		return nil, departing(live.ID)
	case live.ConnectionID != "" && live.ConnectionID == p.LostFrom:
		return nil, nil
	case live.ConnectionID != "":
		return nil, connectedWithOthers(live.ID)
	case p.LostFrom == "":
		return nil, notLostFrom(live.ID)
	case !s.connections.Has(p.LostFrom):
		return nil, goneMeanwhile(live.ID)
	case !now.Before(p.RejoinUntil):
		return nil, tooLateToRejoin(live.ID, p.RejoinUntil)
	}
	if err := s.room(Live{ConnectionID: p.LostFrom}); err != nil {
		return nil, err
	}
	events := []Event{MemberJoined{ConnectionID: p.LostFrom, LiveID: live.ID, Host: live.Host}}
	return append(events, s.withdrawReceived(now, live, "")...), nil
}
