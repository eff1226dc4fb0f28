package battle

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// lastMoment is how long before its end a battle can no longer be extended: by then score partitions may have gifts waiting
// for the end, and audiences count down.
const lastMoment = time.Second

// extendBattle decides that a battle takes longer: when all lives in it have consented, or at an admin's word.
func (d *draft) extendBattle(c ExtendBattle) error {
	b, err := d.find(c.BattleID)
	if c.LiveID != "" {
		b, err = d.findRunning(c.BattleID, c.LiveID)
	}
	if err != nil {
		return err
	}
	if err := d.extensible(b, c.By); err != nil {
		return err
	}
	if c.LiveID == "" {
		d.extend(b, c.By)
		return nil
	}
	return d.propose(b, c.LiveID, Subject{ProposalExtend, c.By}, "")
}

// extensible returns why a battle cannot take so much longer now, or nil.
func (d *draft) extensible(b Battle, by time.Duration) error {
	left := d.state.settings.MaxDuration - b.EndsAt.Sub(b.StartsAt)
	switch {
	case by < time.Second || by%time.Second != 0:
		return es.Invalid("extend_seconds", "a battle is extended by whole seconds, one or more")
	case b.Phase < PhaseRunning:
		return es.Refuse(ReasonBattleNotStarted, "battle %s has not started", b.ID)
	case b.Phase > PhaseRunning:
		return es.Refuse(ReasonBattleEnded, "the time of battle %s is over", b.ID)
	case !d.now.Before(b.EndsAt.Add(-lastMoment)):
		return es.Refuse(ReasonBattleEnded, "battle %s is in its last second", b.ID)
	case by > left:
		return es.Invalid("extend_seconds", "a battle takes at most %d seconds in all, of which this one has %d left",
			d.state.settings.MaxDuration/time.Second, left/time.Second)
	}
	return nil
}

func (d *draft) extend(b Battle, by time.Duration) {
	d.add(BattleExtended{BattleID: b.ID, EndsAt: b.EndsAt.Add(by), By: by})
}
