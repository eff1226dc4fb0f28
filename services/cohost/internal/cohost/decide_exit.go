package cohost

// exit decides whether a live may leave its connection.
func (s *State) exit(c ExitHostConnection) ([]Event, error) {
	live, _, err := s.connected(c.LiveID)
	if err != nil {
		return nil, err
	}
	return s.leave(live, LeftExited), nil
}

// leave takes a live out of its connection, if it is in one, and dissolves the connection if only one member would be
// left.
func (s *State) leave(live Live, reason Leaving) []Event {
	connection, ok := s.connections.Get(live.ConnectionID)
	if !ok {
		return nil
	}
	events := []Event{MemberLeft{ConnectionID: connection.ID, LiveID: live.ID, Reason: reason}}
	if len(connection.Members) > 2 {
		return events
	}
	for _, m := range connection.Members {
		if m.LiveID != live.ID {
			events = append(events, MemberLeft{ConnectionID: connection.ID, LiveID: m.LiveID, Reason: LeftDissolved})
		}
	}
	return append(events, ConnectionEnded{ConnectionID: connection.ID})
}
