package battle

// sessions are the events of what the sessions of hosts tell here: not the ends of lives that had none.
func (d *draft) sessions(facts []SessionFact) (events []Event) {
	began := make(map[string]bool)
	for _, f := range facts {
		switch {
		case f.Session != "":
			began[f.LiveID] = true
			events = append(events, SessionTaken(f))
		case began[f.LiveID] || d.state.sessions.Has(f.LiveID):
			events = append(events, LiveEnded{LiveID: f.LiveID})
		}
	}
	return events
}

// readCohost records the facts of one group of COHOST_00, and in the same decision what follows from them: a live that
// has left its connection has left its battle. Groups that were read before change nothing.
func (d *draft) readCohost(c ReadCohost) {
	if c.Sequence <= d.state.cohostRead.Get() {
		return
	}
	sessions := d.sessions(c.Sessions)
	if len(c.Sessions) > 0 && len(c.Facts)+len(sessions) == 0 {
		return
	}
	d.add(CohostRead{Sequence: c.Sequence})
	for _, e := range sessions {
		d.add(e)
	}
	for _, f := range c.Facts {
		if f.Left == 0 {
			d.add(ConnectionJoined{ConnectionID: f.ConnectionID, Live: f.Live})
			continue
		}
		d.add(ConnectionLeft{ConnectionID: f.ConnectionID, LiveID: f.Live.LiveID})
		d.depart(f.Live.LiveID, f.Left)
		d.leavePunishment(f.Live.LiveID)
	}
}
