package score

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// decideRead applies a group of the battle service's log: lives open, close, and are done with.
func (s *State) decideRead(now time.Time, c ReadBattle) ([]Event, error) {
	if s.read.Get().Covers(c.Position) {
		return nil, nil // read before
	}
	d := draft{State: s, now: now, events: []Event{BattleRead{c.Position}}}
	for _, fact := range c.Facts {
		switch f := fact.(type) {
		case BattleStarting:
			d.start(f)
		case BattleRuns:
			for _, r := range d.battle(f.BattleID).rooms() {
				if r.Phase == Open && !r.Started {
					d.add(r, BattleStarted{r.BattleID, r.LiveID})
				}
			}
		case UserExited:
			d.exit(f)
		case UserRejoined:
			d.rejoin(f)
		case BattleExtended:
			d.extend(f)
		case TotalRecorded:
			if r := d.battle(f.BattleID).Room(f.LiveID); r != nil && r.OwesTotal() {
				d.add(r, LiveReported{f.BattleID, f.LiveID})
			}
		case BattleEnding:
			d.end(f)
		case BattleEnded:
			d.ended(f)
		}
	}
	return d.events, nil
}

// start opens the lives of this partition, once each.
func (d *draft) start(f BattleStarting) {
	rules, known := d.set.Rules(f.RuleSet)
	for _, p := range f.Participants {
		if !d.owns(p.LiveID) || d.battle(f.BattleID).Room(p.LiveID) != nil {
			continue
		}
		if !known || d.openElsewhere(p.LiveID) {
			// Rules of a newer version, or a live that another battle still holds: the battle service hears of no
			// opening and gives this battle up, or goes on without this live when it leaves.
			d.add(nil, LiveTombstoned{BattleID: f.BattleID, LiveID: p.LiveID, Plays: true})
			continue
		}
		d.add(nil, LiveOpened{
			BattleID: f.BattleID, LiveID: p.LiveID, StartsAt: f.StartsAt, EndsAt: f.EndsAt, RuleSet: rules.Version(),
			Participants: f.Participants,
		})
	}
}

// exit closes one live at once.
func (d *draft) exit(f UserExited) {
	if !d.owns(f.LiveID) {
		return
	}
	switch r := d.battle(f.BattleID).Room(f.LiveID); {
	case r == nil:
		d.add(nil, LiveTombstoned{BattleID: f.BattleID, LiveID: f.LiveID})
	case r.Phase == Open:
		d.close(r)
	}
}

// rejoin opens a live again that had closed.
func (d *draft) rejoin(f UserRejoined) {
	if r := d.battle(f.BattleID).Room(f.LiveID); r != nil && r.Phase == Closed && !r.Settled && !d.openElsewhere(f.LiveID) {
		d.add(d.withBoard(r), LiveReopened{BattleID: f.BattleID, LiveID: f.LiveID, EndsAt: f.EndsAt, Rejoins: f.Rejoins})
	}
}

// extend moves the end of all lives that are open. It never comes nearer, and after the battle has ended it stays.
func (d *draft) extend(f BattleExtended) {
	for _, r := range d.battle(f.BattleID).rooms() {
		if r.Phase == Open && r.CloseAt.IsZero() && f.EndsAt.After(r.EndsAt) {
			d.add(r, LiveExtended{r.BattleID, r.LiveID, f.EndsAt})
		}
	}
}

// end closes all lives that are open: for time over not before their own log time says so, too.
func (d *draft) end(f BattleEnding) {
	for _, r := range d.battle(f.BattleID).rooms() {
		if r.Phase != Open {
			continue
		}
		at := f.EndsAt
		if at.IsZero() {
			at = r.EndsAt
		}
		switch {
		case !f.TimeOver || !d.now.Before(at):
			d.close(r)
		case !r.CloseAt.Equal(at):
			d.add(r, CloseScheduled{r.BattleID, r.LiveID, at})
		}
	}
}

// ended is done with the battle: settled, or void because it never started or was voided.
func (d *draft) ended(f BattleEnded) {
	for _, r := range d.battle(f.BattleID).rooms() {
		switch {
		case r.finished():
		case r.Phase == Tombstoned:
			d.add(r, LiveReported{r.BattleID, r.LiveID})
		case !f.Settled:
			d.add(r, LiveVoided{r.BattleID, r.LiveID})
		case r.Phase == Open:
			d.add(d.close(r), BattleSettled{r.BattleID, r.LiveID})
		default:
			d.add(r, BattleSettled{r.BattleID, r.LiveID})
		}
	}
}

func (d *draft) close(r *Room) *Room {
	return d.add(r, closing(r))
}

// closing is the close of an open room with what has been counted so far.
func closing(r *Room) LiveClosed {
	t := r.board.tally.Get()
	return LiveClosed{BattleID: r.BattleID, LiveID: r.LiveID, Total: t.Total, Gifts: t.Gifts, Top: r.board.top()}
}

// draft is a decision of several facts, each seeing what followed from those before it.
type draft struct {
	*State
	now     time.Time
	events  []Event
	changed []*Battle
}

// battle returns a battle as the draft has it.
func (d *draft) battle(id string) *Battle {
	for _, b := range d.changed {
		if b.ID == id {
			return b
		}
	}
	return d.State.battle(id)
}

// openElsewhere reports whether a live that the battle at hand does not have is open in another.
func (d *draft) openElsewhere(liveID string) bool {
	for _, b := range d.changed {
		if r := b.Room(liveID); r != nil && r.Phase == Open {
			return true
		}
	}
	r, ok := d.open.Get(liveID)
	return ok && d.battle(r.BattleID).Room(liveID).Phase == Open
}

// add appends an event about a room, nil for a new one, and returns what becomes of it.
func (d *draft) add(r *Room, e Event) *Room {
	d.events = append(d.events, e)
	next := r.after(es.Place{At: d.now}, e, d.set.Rules)
	b := d.battle(next.BattleID).with(next)
	d.changed = append(slices.DeleteFunc(d.changed, func(x *Battle) bool { return x.ID == b.ID }), b)
	return next
}

func (b *Battle) rooms() []*Room {
	if b == nil {
		return nil
	}
	return b.Rooms
}
