// Package view is the readers' side of the battle log: battles as callers see them, and what each live is told. It is
// folded in the ledger's OnCommit, the same on every replica, and read in ledger.View; both lock it, so it has no lock of
// its own.
package view

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/watch"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Battles holds all open battles, and the ended ones for some log time.
type Battles struct {
	keep   time.Duration
	byID   map[string]*record
	byLive map[string][]*record // oldest first
	all    []*record            // in the order of the requests
	ended  []*record            // in the order of the ends
	// settling says since when (log time) a battle has waited for its settlement.
	settling map[string]time.Time
	hub      *watch.Hub[*battlev1.Event]
	told     func(liveID string, e *battlev1.Event)
}

// record is a battle with the place of its request.
type record struct {
	id        string
	place     es.Place // sequence and index
	battle    battle.Battle
	forgotten bool
}

// New makes an empty Battles that keeps ended battles for `keep`, and the last keptEvents events of each live.
func New(keep time.Duration, keptEvents int) *Battles {
	return &Battles{
		keep: keep, byID: make(map[string]*record), byLive: make(map[string][]*record),
		settling: make(map[string]time.Time), hub: watch.New[*battlev1.Event](keptEvents),
	}
}

// Tell has every event given to told, in the order in which they are numbered.
func (v *Battles) Tell(told func(liveID string, e *battlev1.Event)) { v.told = told }

// Apply folds a committed group.
func (v *Battles) Apply(g ledger.Group[battle.Event]) {
	for _, e := range g.Events {
		if id := battle.BattleOf(e.Event); id != "" {
			v.apply(id, e)
		}
	}
	if n := len(g.Events); n > 0 {
		v.forget(g.Events[n-1].At.Add(-v.keep))
	}
}

func (v *Battles) apply(id string, e ledger.Placed[battle.Event]) {
	r := v.byID[id]
	if r == nil {
		r = &record{id: id, place: es.Place{Seq: e.Seq, Index: e.Index}}
	}
	before := r.battle
	r.battle = before.After(e.At, e.Event)
	if _, isNew := e.Event.(battle.BattleRequested); isNew {
		v.add(r)
	}
	switch e.Event.(type) {
	case battle.BattleEnding:
		v.settling[id] = e.At
	case battle.BattleEnded:
		delete(v.settling, id)
		v.ended = append(v.ended, r)
	}
	for _, t := range tell(before, r.battle, e.Event, e.At) {
		event := &battlev1.Event{Number: v.hub.Number(t.liveID) + 1, At: timestamppb.New(e.At), Event: t.event.GetEvent()}
		v.hub.Publish(t.liveID, event)
		if v.told != nil {
			v.told(t.liveID, event)
		}
	}
}

// add adds a battle that was requested after all others.
func (v *Battles) add(r *record) {
	v.byID[r.id] = r
	v.all = append(v.all, r)
	for _, m := range r.battle.Members {
		v.byLive[m.LiveID] = append(v.byLive[m.LiveID], r)
	}
}

// forget lets go of the battles that ended before a time, and of the events of lives that were in no later one. One that
// something is still to come of is kept, and so are those after it.
func (v *Battles) forget(before time.Time) {
	for len(v.ended) > 0 && v.ended[0].battle.EndedAt.Before(before) && !v.ended[0].battle.Lingers() {
		r := v.ended[0]
		v.ended[0] = nil
		v.ended = v.ended[1:]
		members := r.battle.Members
		delete(v.byID, r.id)
		r.forgotten, r.battle = true, battle.Battle{}
		for _, m := range members {
			if left := drop(v.byLive[m.LiveID]); len(left) > 0 {
				v.byLive[m.LiveID] = left
			} else {
				delete(v.byLive, m.LiveID)
				v.hub.Trim(m.LiveID)
			}
		}
	}
	v.all = drop(v.all)
}

// drop cuts off the forgotten records at the front.
func drop(records []*record) []*record {
	for len(records) > 0 && records[0].forgotten {
		records[0] = nil
		records = records[1:]
	}
	return records
}

// Get returns a battle that is open or has ended not too long ago.
func (v *Battles) Get(id string) (battle.Battle, bool) {
	r, ok := v.byID[id]
	if !ok {
		return battle.Battle{}, false
	}
	return r.battle, true
}

// Current returns the battle that a live is in or was asked to, or that it waits for the next round of, or whose punishment
// it takes part in.
func (v *Battles) Current(liveID string) (battle.Battle, bool) {
	// A live is asked to a battle only when no other one holds it, and one that it plays ends the punishment of the one before.
	for _, r := range slices.Backward(v.byLive[liveID]) {
		m, _ := r.battle.Member(liveID)
		if r.battle.Holds(m) || r.battle.Punishes(m) {
			return r.battle, true
		}
		if m.Plays {
			break
		}
	}
	return battle.Battle{}, false
}

// Settling returns the battles that have waited for their settlement since before a time, and since when.
func (v *Battles) Settling(before time.Time) map[string]time.Time {
	late := make(map[string]time.Time)
	for id, since := range v.settling {
		if since.Before(before) {
			late[id] = since
		}
	}
	return late
}

// Subscribe reads what a live is told; see watch.Hub.Subscribe.
func (v *Battles) Subscribe(liveID string, after int64) (sub *watch.Subscription[*battlev1.Event], recovered bool) {
	return v.hub.Subscribe(liveID, after)
}
