package battle

import "slices"

// Punishment is on for a while after a battle that has ended with a winner and losers. The battle and its result are final
// all the same, and its lives are free for other battles.

// PunishmentEnd is why a punishment has ended.
type PunishmentEnd int32

// Ends of a punishment.
const (
	PunishmentTimeOver PunishmentEnd = iota + 1
	// PunishmentNewBattle: a battle with one of the lives starts.
	PunishmentNewBattle
	// PunishmentMembersLeft: no winner, or no loser, is left in the connection.
	PunishmentMembersLeft
)

// punishes reports whether the result asks for a punishment and there is somebody to be punished by somebody: among those
// who have stayed to the end and are still connected, a winner and a loser. A draw, a forfeit of the only other one, a
// battle that never started, and one that an admin has stopped bring none.
func (b Battle) punishes(r *Result, staying []Member) bool {
	if b.Terms.Punishment == 0 || r == nil || r.Draw {
		return false
	}
	won := func(m Member) bool { return slices.Contains(r.Winners, m.LiveID) }
	lost := func(m Member) bool { return !won(m) }
	return slices.ContainsFunc(staying, won) && slices.ContainsFunc(staying, lost)
}

// endPunishmentAtTime ends a punishment whose time is over.
func (d *draft) endPunishmentAtTime(b Battle) {
	if b.Punishing() && !d.now.Before(b.PunishmentEndsAt) {
		d.add(PunishmentEnded{BattleID: b.ID, Reason: PunishmentTimeOver})
	}
}

// punishmentOf returns the battle whose punishment a live takes part in, after what is due in it.
func (d *draft) punishmentOf(liveID string) (Battle, bool) {
	id, _ := d.state.punished.Get(liveID)
	b, _ := d.current(id)
	return b, b.Punishing()
}

// pardon ends the punishment that a live takes part in, since a new battle with it starts.
func (d *draft) pardon(liveID string) {
	if b, on := d.punishmentOf(liveID); on {
		d.add(PunishmentEnded{BattleID: b.ID, Reason: PunishmentNewBattle})
	}
}

// leavePunishment ends the punishment that a live took part in which has left its connection, if it was the last of its kind.
func (d *draft) leavePunishment(liveID string) {
	if b, on := d.punishmentOf(liveID); on && !b.punishes(b.Result, d.staying(b)) {
		d.add(PunishmentEnded{BattleID: b.ID, Reason: PunishmentMembersLeft})
	}
}
