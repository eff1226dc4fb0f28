package check

import (
	"maps"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// waiting is a round that has ended with another one to follow. Values are replaced, never changed.
type waiting struct {
	lives  map[string]bool
	nextAt int64
}

// after is what is still to come of battles that have ended.
type after struct {
	punished map[string]int64    // until when
	rounds   map[string]waiting  // rounds with another one to follow
	next     map[string][]string // of a round that is to begin in this decision, its lives
}

func (a after) clone() after {
	return after{maps.Clone(a.punished), maps.Clone(a.rounds), map[string][]string{}}
}

// waits reports whether a live waits for a round.
func (a after) waits(live string) bool {
	for _, r := range a.rounds {
		if r.lives[live] {
			return true
		}
	}
	return false
}

// follows notes what is to follow the end of a battle.
func (a after) follows(b fight, e *battlev1.Entry_BattleEnded, wrong func(Class, string, ...any)) {
	id, s := e.GetBattleId(), e.GetSeries()
	if at := e.GetPunishmentEndsAtMs(); at > 0 {
		if e.GetResult() == nil || e.GetResult().GetDraw() {
			wrong(Violation, "a punishment follows battle %s, which nobody has won: %v", id, e)
		}
		a.punished[id] = at
	}
	if s == nil || s.GetNextRoundAtMs() == 0 {
		return
	}
	r := waiting{map[string]bool{}, s.GetNextRoundAtMs()}
	sides := map[string]bool{}
	for _, live := range s.GetWaitingLiveIds() {
		if !b.holds[live] {
			wrong(Violation, "live %s has left battle %s and waits for the next round", live, id)
		}
		r.lives[live], sides[b.sideOf(live)] = true, true
	}
	for _, w := range s.GetWins() {
		if 2*w.GetRounds() > s.GetBestOf() {
			wrong(Violation, "another round follows battle %s, and %s has won %d of %d", id, w.GetSide(), w.GetRounds(), s.GetBestOf())
		}
	}
	if len(sides) < 2 || s.GetRound() >= s.GetBestOf() || s.GetEndReason() != 0 {
		wrong(Violation, "another round follows battle %s: %v", id, s)
	}
	a.rounds[id] = r
}

// apply follows what comes after the end of a battle.
func (a after) apply(at int64, entry *battlev1.Entry, wrong func(Class, string, ...any)) {
	round := func(id string) (waiting, bool) {
		r, ok := a.rounds[id]
		if !ok {
			wrong(Duplicated, "no round is to follow battle %s: %v", id, entry)
		}
		return r, ok
	}
	switch e := entry.GetEntry().(type) {
	case *battlev1.Entry_PunishmentEnded_:
		id := e.PunishmentEnded.GetBattleId()
		until, on := a.punished[id]
		if timeOver := e.PunishmentEnded.GetReason() == battlev1.PunishmentEnded_TIME_OVER; !on {
			wrong(Duplicated, "the punishment of battle %s ends and is not on", id)
		} else if timeOver != (at >= until) {
			wrong(Violation, "the punishment of battle %s ends by %v at %d; its time is over at %d", id, e.PunishmentEnded.GetReason(), at, until)
		}
		delete(a.punished, id)
	case *battlev1.Entry_SeriesExited_:
		x := e.SeriesExited
		if r, ok := round(x.GetBattleId()); ok {
			if !r.lives[x.GetLiveId()] {
				wrong(Duplicated, "live %s does not wait for the round after battle %s and leaves", x.GetLiveId(), x.GetBattleId())
			}
			r.lives = maps.Clone(r.lives)
			delete(r.lives, x.GetLiveId())
			a.rounds[x.GetBattleId()] = r
		}
	case *battlev1.Entry_SeriesEnded_:
		round(e.SeriesEnded.GetBattleId())
		delete(a.rounds, e.SeriesEnded.GetBattleId())
	case *battlev1.Entry_SeriesContinued_:
		id := e.SeriesContinued.GetBattleId()
		r, ok := round(id)
		if _, on := a.punished[id]; ok && (on || at < r.nextAt) {
			wrong(Violation, "the round after battle %s begins at %d, in its punishment: %v; its time is %d", id, at, on, r.nextAt)
		}
		for live := range r.lives {
			a.next[e.SeriesContinued.GetNextBattleId()] = append(a.next[e.SeriesContinued.GetNextBattleId()], live)
		}
		delete(a.rounds, id)
	}
}

// begins checks that a round that nobody has requested is the one that is to follow, with all lives that wait for it.
func (a after) begins(e *battlev1.Entry_BattleRequested, lives map[string]bool, wrong func(Class, string, ...any)) {
	if !byItself(e) {
		return
	}
	next := map[string]bool{}
	for _, live := range a.next[e.GetBattleId()] {
		next[live] = true
	}
	if !maps.Equal(next, lives) {
		wrong(Violation, "round %s begins by itself with %v; waiting for it are %v", e.GetBattleId(), lives, next)
	}
}

// byItself: the battle is a round after the first one, which begins without a request.
func byItself(e *battlev1.Entry_BattleRequested) bool { return e.GetSeries().GetRound() > 1 }
