package battle

import "github.com/faceoff-live/faceoff/pkg/es"

// endBattle decides that a battle ends before its time: when all lives in it have consented, or at an admin's word, which
// ends one that has not started, too. Once the battle is settling it changes nothing.
func (d *draft) endBattle(c EndBattle) error {
	if c.LiveID == "" {
		return d.terminate(c)
	}
	b, err := d.findRunning(c.BattleID, c.LiveID)
	if err != nil || b.Phase == PhaseSettling {
		return err
	}
	return d.propose(b, c.LiveID, Subject{Kind: ProposalEnd}, c.Reason)
}

// terminate ends a battle for an admin or, between two rounds, its series.
func (d *draft) terminate(c EndBattle) error {
	if b, _ := d.current(c.BattleID); b.Series.Awaits() {
		d.add(SeriesEnded{BattleID: b.ID, End: SeriesStopped, Detail: c.Reason})
		return nil
	}
	b, err := d.find(c.BattleID)
	switch {
	case err != nil:
		return err
	case b.Phase == PhaseRunning:
		d.end(b.ID, EndTerminated, c.Reason)
	case b.Phase != PhaseSettling:
		d.finish(BattleEnded{BattleID: b.ID, Reason: EndTerminated, Detail: c.Reason})
	}
	return nil
}

// findRunning returns a battle that runs or settles, for a live that must be in it.
func (d *draft) findRunning(id, liveID string) (Battle, error) {
	b, m, err := d.findFor(id, liveID)
	switch {
	case err != nil:
		return b, err
	case b.Phase < PhaseRunning:
		return b, es.Refuse(ReasonBattleNotStarted, "battle %s has not started", id)
	case !m.Present():
		return b, es.Refuse(ReasonNotInBattle, "live %s is not in battle %s, or not any more", liveID, id)
	}
	return b, nil
}
