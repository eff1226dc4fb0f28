package view

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Frozen is what Battles hold at one moment, but for the battles themselves, which are those of the state.
type Frozen struct {
	of *Battles
	// all in the order of the requests, ended in that of the ends. An ended battle that is not there is forgotten.
	all, ended []*record
	// Settling says since when battles have waited for their settlement.
	Settling map[string]time.Time
	// Numbers of the last events of lives.
	Numbers iter.Seq2[string, int64]
}

// Freeze has what follows from the log stand still until Thaw is done. Whoever ranges over it needs no lock.
func (v *Battles) Freeze() *Frozen {
	return &Frozen{
		of: v, all: slices.Clone(v.all), ended: slices.Clone(v.ended), Settling: maps.Clone(v.settling), Numbers: v.hub.Freeze(),
	}
}

// Thaw lets it change again.
func (f *Frozen) Thaw() (done bool) { return f.of.hub.Thaw() }

// All ranges over the battles in the order of their requests, with the places of these. Some may be forgotten.
func (f *Frozen) All() iter.Seq2[string, es.Place] {
	return func(yield func(string, es.Place) bool) {
		for _, r := range f.all {
			if !yield(r.id, r.place) {
				return
			}
		}
	}
}

// Ended ranges over the ids of ended battles in the order of the ends.
func (f *Frozen) Ended() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range f.ended {
			if !yield(r.id) {
				return
			}
		}
	}
}

// Restoring makes the Battles that a Frozen was taken from.
type Restoring struct {
	*Battles
	all   []*record
	ended []string
}

// Restore begins to make Battles with the same settings.
func (v *Battles) Restore() *Restoring { return &Restoring{Battles: New(v.keep, 1)} }

// List adds a battle behind all others.
func (x *Restoring) List(id string, at es.Place) { x.all = append(x.all, &record{id: id, place: at}) }

// End adds an ended battle behind all others.
func (x *Restoring) End(id string) { x.ended = append(x.ended, id) }

// Settle has a battle wait for its settlement.
func (x *Restoring) Settle(id string, since time.Time) { x.settling[id] = since }

// Number has the events of a live go on after a number.
func (x *Restoring) Number(liveID string, n int64) { x.hub.Restore(liveID, n) }

// Done completes what was added with the battles themselves.
func (x *Restoring) Done(battleOf func(id string) (battle.Battle, bool)) error {
	ended := make(map[string]bool, len(x.ended))
	for _, id := range x.ended {
		ended[id] = true
	}
	for _, r := range x.all {
		b, ok := battleOf(r.id)
		if !ok || !b.Open() && !ended[r.id] {
			continue // it was forgotten
		}
		r.battle = b
		x.add(r)
	}
	for _, id := range x.ended {
		r, ok := x.byID[id]
		if !ok {
			return fmt.Errorf("battle %s has ended, and was not requested", id)
		}
		x.Battles.ended = append(x.Battles.ended, r)
	}
	return nil
}

// Become takes over what was restored, which is not used any more. Whoever reads events goes on.
func (v *Battles) Become(restored *Restoring) {
	hub, told := v.hub, v.told
	hub.Become(restored.hub)
	*v = *restored.Battles
	v.hub, v.told = hub, told
}
