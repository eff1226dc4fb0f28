package battle

import "github.com/faceoff-live/faceoff/pkg/es"

// exitBattle decides a host's wish to leave a battle that has started, or the series while it waits for the next round.
// Once the battle is settling it changes nothing.
func (d *draft) exitBattle(c ExitBattle) error {
	if b, _ := d.current(c.BattleID); b.Waits(c.LiveID) {
		d.exitSeries(b, c.LiveID, ExitByHost)
		return nil
	}
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

// reason is why a live that leaves its connection leaves its battle.
func (c LeaveBattle) reason() ExitReason {
	if c.Lost {
		return ExitLost
	}
	return ExitLeftConnection
}

// holder returns the battle that a live is taken by, as the decision so far leaves it: that may be that the next round begins. It reports
// false if there is none.
func (d *draft) holder(liveID string) (Battle, bool) {
	id, _ := d.state.holds.Get(liveID)
	b, _ := d.battle(id)
	if b.Series.Next != "" {
		b, _ = d.battle(b.Series.Next)
	}
	m, ok := b.Member(liveID)
	return b, ok && b.Holds(m)
}

// holderNow is holder after what is due in the battle.
func (d *draft) holderNow(liveID string) (Battle, bool) {
	if id, taken := d.state.holds.Get(liveID); taken {
		d.advance(id)
	}
	return d.holder(liveID)
}

// depart takes a live out of the battle that it is in, if it is in one, and decides what follows for the others.
func (d *draft) depart(liveID string, reason ExitReason) {
	b, taken := d.holderNow(liveID)
	if !taken || b.Phase == PhaseSettling {
		return
	}
	id := b.ID
	if b.Phase == PhaseEnded {
		d.exitSeries(b, liveID, reason)
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
