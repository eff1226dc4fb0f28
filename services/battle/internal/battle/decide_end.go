package battle

import (
	"slices"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// endAtTime ends a running battle whose time is over, and reports whether it is.
func (d *draft) endAtTime(b Battle) bool {
	over := !d.now.Before(b.EndsAt)
	if over {
		d.end(b.ID, EndTimeOver, "")
	}
	return over
}

// end has all lives closed that are still open; the battle settles when their totals are known.
func (d *draft) end(battleID string, reason EndReason, detail string) {
	b, _ := d.battle(battleID)
	d.add(BattleEnding{BattleID: battleID, Reason: reason, EndsAt: b.EndsAt, Detail: detail})
}

// reportClosed records a live's final total. The last one settles a battle that has ended.
func (d *draft) reportClosed(c ReportClosed) error {
	b, ok := d.current(c.BattleID)
	if !ok {
		return es.Refuse(ReasonBattleNotFound, "there is no battle %s", c.BattleID)
	}
	m, ok := b.Member(c.LiveID)
	switch {
	case !ok:
		return es.Refuse(ReasonNotInBattle, "live %s is not in battle %s", c.LiveID, c.BattleID)
	case c.Rejoins < m.Rejoins:
		return nil // it has rejoined since: this total is not the final one
	case m.Closing != nil && m.Closing.Total != c.Closing.Total:
		return es.Refuse(es.ReasonPayloadMismatch, "live %s closed battle %s with %d points, now %d are reported",
			c.LiveID, c.BattleID, m.Closing.Total, c.Closing.Total)
	case m.Closing != nil || b.Phase == PhaseEnded:
		return nil
	case !m.Plays:
		return es.Refuse(ReasonBattleNotStarted, "battle %s has not started with live %s", c.BattleID, c.LiveID)
	case m.Present() && b.Phase != PhaseSettling:
		return es.Refuse(ReasonBattleAlreadyRunning, "live %s is in battle %s, which goes on: it cannot be closed", c.LiveID, c.BattleID)
	}
	d.add(LiveClosed{BattleID: c.BattleID, LiveID: c.LiveID, Closing: c.Closing})
	b, _ = d.battle(c.BattleID)
	if b.Phase == PhaseSettling && b.closed() {
		result := settle(b, d.now)
		d.finish(BattleEnded{BattleID: b.ID, Reason: b.Reason, Result: &result, Detail: b.Detail})
	}
	return nil
}

// finish ends a battle, and says what follows it: a punishment, the next round of its series.
func (d *draft) finish(e BattleEnded) {
	b, _ := d.battle(e.BattleID)
	staying, next := d.staying(b), d.now
	if !e.stopped() && b.punishes(e.Result, staying) {
		e.PunishmentEndsAt = d.now.Add(b.Terms.Punishment)
		next = e.PunishmentEndsAt
	}
	if b.Series.ID != "" {
		e.Series = b.seriesAfter(e, staying, next.Add(d.state.settings.RoundInterval))
	}
	d.add(e)
}

// staying are the members that have played to the end and are still connected.
func (d *draft) staying(b Battle) []Member {
	return slices.DeleteFunc(slices.Clone(b.Members), func(m Member) bool {
		return !m.Plays || m.State != Joined || !d.connected(m.LiveID, b.ConnectionID)
	})
}

// connected reports whether a live is in a connection, as the decision so far leaves it.
func (d *draft) connected(liveID, connectionID string) bool {
	for _, e := range d.events {
		if left, ok := e.(ConnectionLeft); ok && left.LiveID == liveID {
			return false
		}
	}
	c, ok := d.state.connected.Get(liveID)
	return ok && c.connectionID == connectionID
}
