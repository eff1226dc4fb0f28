package score

import "time"

// Due implements es.Machine: the closes whose time has come.
func (s *State) Due(now time.Time) []Command {
	var due []Command
	for _, live := range s.closes.Due(now) {
		due = append(due, Advance{live})
	}
	return due
}

// NextDue implements es.Machine.
func (s *State) NextDue() (time.Time, bool) { return s.closes.Next() }

// decideAdvance closes a live whose scheduled close has come; a timer that is early or stale changes nothing.
func (s *State) decideAdvance(now time.Time, c Advance) ([]Event, error) {
	r, ok := s.open.Get(c.LiveID)
	if !ok || r.CloseAt.IsZero() || now.Before(r.CloseAt) {
		return nil, nil
	}
	return []Event{closing(r)}, nil
}
