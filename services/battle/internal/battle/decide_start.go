package battle

import "github.com/faceoff-live/faceoff/pkg/es"

// start fixes when the battle begins and ends, and has the lives opened.
func (d *draft) start(battleID string) {
	b, _ := d.battle(battleID)
	startsAt := d.now.Add(d.state.settings.StartDelay)
	rules, _ := pin(b.Terms.RuleSet)
	e := BattleStarting{BattleID: battleID, StartsAt: startsAt, EndsAt: startsAt.Add(b.Terms.Duration), RuleSet: rules}
	for _, m := range b.Members {
		if m.Present() {
			e.Participants = append(e.Participants, m.Participant)
			d.pardon(m.LiveID)
		}
	}
	d.add(e)
}

// reportOpened records that a live is open. The last one starts the battle if its time has come.
func (d *draft) reportOpened(c ReportOpened) error {
	b, ok := d.current(c.BattleID)
	if !ok {
		return es.Refuse(ReasonBattleNotFound, "there is no battle %s", c.BattleID)
	}
	m, ok := b.Member(c.LiveID)
	switch {
	case !ok:
		return es.Refuse(ReasonNotInBattle, "live %s is not in battle %s", c.LiveID, c.BattleID)
	case b.Phase == PhaseRequested:
		return es.Refuse(ReasonBattleNotStarted, "battle %s has not started", c.BattleID)
	case b.Phase != PhaseStarting || m.Opened || !m.Present():
		return nil
	}
	d.add(LiveOpened(c))
	d.begin(c.BattleID)
	return nil
}

// begin announces the start once all lives are open and the time has come.
func (d *draft) begin(battleID string) {
	b, _ := d.battle(battleID)
	if b.Phase == PhaseStarting && b.opened() && !d.now.Before(b.StartsAt) {
		d.add(BattleStarted{BattleID: battleID})
	}
}

// beginOrAbort decides what a starting battle's deadline brings.
func (d *draft) beginOrAbort(b Battle) {
	if !b.opened() && !d.now.Before(b.StartsAt.Add(d.state.settings.OpenWithin)) {
		d.neverStart(b.ID, NeverAborted)
		return
	}
	d.begin(b.ID)
}

// neverStart ends a battle that has not started.
func (d *draft) neverStart(battleID string, never Never) {
	d.finish(BattleEnded{BattleID: battleID, Reason: EndNeverStarted, Never: never})
}
