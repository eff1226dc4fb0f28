package battle

// readCohost records the facts of one group of COHOST_00, and in the same decision what follows from them: a live that
// has left its connection has left its battle. Groups that were read before change nothing.
func (d *draft) readCohost(c ReadCohost) {
	if c.Sequence <= d.state.cohostRead.Get() {
		return
	}
	d.add(CohostRead{Sequence: c.Sequence})
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
