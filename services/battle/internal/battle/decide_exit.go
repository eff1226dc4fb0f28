package battle

import "github.com/faceoff-live/faceoff/pkg/es"

// exitBattle decides a host's wish to leave a battle that has started. Once the battle is settling it changes nothing.
func (d *draft) exitBattle(c ExitBattle) error {
	b, m, err := d.findFor(c.BattleID, c.LiveID)
	switch {
	case err != nil:
		return err
	case b.Phase == PhaseRequested:
		return es.Refuse(ReasonBattleNotStarted, "battle %s has not started", c.BattleID)
	case !m.Plays:
		return es.Refuse(ReasonNotInBattle, "live %s has not joined battle %s", c.LiveID, c.BattleID)
	case !m.Present():
		return nil
	}
	d.depart(c.LiveID, ExitByHost)
	return nil
}

// depart takes a live out of the battle that it is in, if it is in one, and decides what follows for the others.
func (d *draft) depart(liveID string, reason ExitReason) {
	id, _ := d.state.holds.Get(liveID)
	b, _ := d.current(id)
	m, ok := b.Member(liveID)
	if !ok || !b.Holds(m) || b.Phase == PhaseSettling {
		return
	}
	if b.Phase == PhaseRequested && liveID == b.Inviter().LiveID {
		d.neverStart(id, NeverCancelled)
		return
	}
	d.add(UserExited{BattleID: id, LiveID: liveID, Reason: reason})
	b, _ = d.battle(id)
	switch left := b.sides(); {
	case b.Phase == PhaseRequested:
		d.conclude(id)
	case b.Phase == PhaseStarting && left < 2:
		d.neverStart(id, NeverAborted)
	case b.Phase == PhaseStarting:
		d.begin(id)
	case left < 2 && reason == ExitLiveEnded:
		d.end(id, EndLiveEnded, "")
	case left < 2:
		d.end(id, EndForfeit, "")
	default:
		d.carry(id) // all who are left may have consented
	}
}
