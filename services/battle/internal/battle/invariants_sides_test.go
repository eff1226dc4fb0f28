package battle_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// consent is a proposal as the events tell of it.
type consent struct {
	by     map[string]bool
	lapses time.Time
}

// foldProposal follows proposals from their events alone: nothing is carried out without the consent of all.
func (w *world) foldProposal(b battle.Battle, event battle.Event) {
	open := w.proposals[b.ID]
	agreed := func(s battle.Subject) bool {
		p := open[s]
		return p != nil && !slices.ContainsFunc(b.Members, func(m battle.Member) bool { return m.Present() && !p.by[m.LiveID] })
	}
	switch e := event.(type) {
	case battle.ProposalMade:
		if open[e.Subject] != nil || b.Phase != battle.PhaseRunning || !e.ExpiresAt.Equal(w.now.Add(settings().ProposalTimeout)) {
			w.t.Fatalf("%+v in phase %d, open are %v", e, b.Phase, open)
		}
		if open == nil {
			open = map[battle.Subject]*consent{}
			w.proposals[b.ID] = open
		}
		open[e.Subject] = &consent{map[string]bool{e.LiveID: true}, e.ExpiresAt}
	case battle.ProposalConsented:
		p := open[e.Subject]
		if m, _ := b.Member(e.LiveID); p == nil || p.by[e.LiveID] || !m.Present() || !w.now.Before(p.lapses) {
			w.t.Fatalf("%+v at %v to %+v", e, w.now, p)
		}
		p.by[e.LiveID] = true
	case battle.ProposalLapsed:
		if p := open[e.Subject]; p == nil || w.now.Before(p.lapses) {
			w.t.Fatalf("%+v at %v of %+v", e, w.now, p)
		}
		delete(open, e.Subject)
	case battle.BattleExtended:
		c, ok := w.deciding.(battle.ExtendBattle)
		if byAdmin := ok && c.LiveID == ""; !byAdmin && !agreed(battle.Subject{Kind: battle.ProposalExtend, By: e.By}) {
			w.t.Fatalf("%+v by %+v, consented are %v", e, w.deciding, open)
		}
		if !e.EndsAt.Equal(b.EndsAt.Add(e.By)) || e.EndsAt.Sub(b.StartsAt) > settings().MaxDuration || b.EndsAt.Sub(w.now) <= time.Second {
			w.t.Fatalf("%+v at %v of a battle from %v to %v", e, w.now, b.StartsAt, b.EndsAt)
		}
		delete(open, battle.Subject{Kind: battle.ProposalExtend, By: e.By})
	case battle.BattleEnding:
		if (e.Reason == battle.EndCutShort) && !agreed(battle.Subject{Kind: battle.ProposalEnd}) {
			w.t.Fatalf("%+v, consented are %v", e, open)
		}
		delete(w.proposals, b.ID)
	case battle.BattleEnded:
		delete(w.proposals, b.ID)
	}
}

// sideOf is the side of a live by the terms of its battle.
func sideOf(b battle.Battle, live string) string {
	switch b.Terms.Mode {
	case battle.Teams:
		for _, t := range b.Terms.Teams {
			if slices.Contains(t.LiveIDs, live) {
				return t.ID
			}
		}
	case battle.OneVsMany:
		if live == b.Members[0].LiveID {
			return "one"
		}
		return "many"
	}
	return live
}

// checkTeams compares teams with the sums of their lives, and their order with every pair's.
func (w *world) checkTeams(b battle.Battle, r battle.Result) {
	if (len(r.Teams) > 0) != (b.Terms.Mode != battle.FreeForAll) {
		w.t.Fatalf("mode %d has the teams %+v", b.Terms.Mode, r.Teams)
	}
	for i, x := range r.Teams {
		sum, left, rank := int64(0), true, int32(1)
		for _, l := range r.Lives {
			if sideOf(b, l.LiveID) == x.ID {
				sum, left = sum+l.Score, left && l.Exited
			}
		}
		for j, y := range r.Teams {
			better := !y.Exited && x.Exited || x.Exited == y.Exited && y.Score > x.Score
			equal := x.Exited == y.Exited && x.Score == y.Score
			if better {
				rank++
			}
			if i < j && (better || equal && x.ID >= y.ID) {
				w.t.Fatalf("order of %+v", r.Teams)
			}
		}
		if x.Score != sum || x.Exited != left || x.Rank != rank || slices.Contains(r.WinnerTeams, x.ID) != (rank == 1) {
			w.t.Fatalf("team %+v has %d points, has left: %v, and is of rank %d; winners %v", x, sum, left, rank, r.WinnerTeams)
		}
	}
	for _, l := range r.Lives {
		won := l.Rank == 1
		if len(r.Teams) > 0 {
			won = !l.Exited && slices.Contains(r.WinnerTeams, sideOf(b, l.LiveID))
		}
		if won != slices.Contains(r.Winners, l.LiveID) {
			w.t.Fatalf("live %+v has won: %v; winners %v, teams %v", l, won, r.Winners, r.WinnerTeams)
		}
	}
}

// randomRequest asks for a battle of any mode; the teams are made of the inviter and the targets.
func (w *world) randomRequest(inviter string, targets ...string) battle.RequestBattle {
	w.requests++
	c := battle.RequestBattle{
		BattleID: fmt.Sprint("battle", w.requests), Inviter: inviter,
		TargetLives: rapid.SliceOfNDistinct(rapid.SampledFrom(targets), 1, 4, rapid.ID[string]).Draw(w.t, "targets"),
		Terms:       w.terms(),
	}
	if c.Terms.Mode != battle.Teams {
		return c
	}
	c.Terms.Teams = []battle.Team{{ID: "t0"}, {ID: "t1"}, {ID: "t2"}}
	for _, live := range append([]string{inviter}, c.TargetLives...) {
		t := &c.Terms.Teams[rapid.IntRange(0, 2).Draw(w.t, "team")]
		t.LiveIDs = append(t.LiveIDs, live)
	}
	c.Terms.Teams = slices.DeleteFunc(c.Terms.Teams, func(t battle.Team) bool { return len(t.LiveIDs) == 0 })
	return c
}

// run has a battle of some lives run, so that more of the commands find one.
func (w *world) run() {
	c := w.randomRequest(names[0], names[1:]...)
	c.Terms.NeedResponse, c.Terms.Duration = false, time.Minute
	if w.do(c) != nil {
		return // all are in one team
	}
	w.reportAll()
	w.now = w.now.Add(settings().StartDelay)
	w.due()
}

// agree has the lives of an open battle propose the same and consent to it, maybe all of them.
func (w *world) agree() {
	ids := w.openBattles()
	if len(ids) == 0 {
		return
	}
	id := rapid.SampledFrom(ids).Draw(w.t, "battle")
	end, all := rapid.IntRange(0, 3).Draw(w.t, "end") == 0, rapid.Bool().Draw(w.t, "all")
	for _, m := range w.battles[id].Members {
		if !all && rapid.Bool().Draw(w.t, "abstains") {
			continue
		}
		if end {
			_ = w.do(battle.EndBattle{BattleID: id, LiveID: m.LiveID})
		} else {
			_ = w.do(battle.ExtendBattle{BattleID: id, LiveID: m.LiveID, By: time.Minute})
		}
	}
}
