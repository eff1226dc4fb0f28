package battle

// beginRound begins the next round of a series once its time has come, without asking anybody again. It is counted by the
// rules of the one before, and its sides are the same: in OneVsMany the one still waits, as long as there are two sides.
func (d *draft) beginRound(b Battle) {
	if !b.Series.Awaits() || d.now.Before(b.Series.NextAt) {
		return
	}
	s, terms := b.Series.next(), b.Terms
	terms.RuleSet = b.RuleSet
	e := BattleRequested{BattleID: s.roundID(), ConnectionID: b.ConnectionID, Terms: terms, Series: s}
	for i, m := range b.waiting() {
		if i == 0 {
			e.Inviter = m.Participant
			continue
		}
		e.Invitees = append(e.Invitees, m.Participant)
	}
	d.add(SeriesContinued{BattleID: b.ID, NextBattleID: e.BattleID})
	d.add(e)
	d.start(e.BattleID)
}

// exitSeries takes out a live that waits for the next round. With fewer than two sides left there is none.
func (d *draft) exitSeries(b Battle, liveID string, reason ExitReason) {
	d.add(SeriesExited{BattleID: b.ID, LiveID: liveID, Reason: reason})
	b, _ = d.battle(b.ID)
	if sides := sidesOf(b.waiting()); len(sides) < 2 {
		d.add(SeriesEnded{BattleID: b.ID, End: SeriesSidesLeft, Winner: b.Series.ahead(sides)})
	}
}
