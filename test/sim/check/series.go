package check

import (
	"maps"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// waiting is a round that has ended with another one to follow. Values are replaced, never changed.
type waiting struct {
	lives  map[string]bool
	nextAt int64
	round  fight
	series *battlev1.Entry_Series
}

// after is what is still to come of battles that have ended.
type after struct {
	punished map[string]int64    // until when
	rounds   map[string]waiting  // rounds with another one to follow
	next     map[string][]string // of a round that is to begin in this decision, its lives
	before   map[string]string   // and the round before it
}

func (a after) clone() after {
	return after{maps.Clone(a.punished), maps.Clone(a.rounds), map[string][]string{}, map[string]string{}}
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

// follows notes what is to follow the end of a battle: a punishment where somebody has won over somebody who is still there, and another
// round while a series is not decided.
func (s *fights) follows(now int64, b fight, e *battlev1.Entry_BattleEnded, wrong func(Class, string, ...any)) {
	id, stays := e.GetBattleId(), s.staying(b)
	next := now
	if at := e.GetPunishmentEndsAtMs(); at > 0 != s.punishes(b, e.GetReason(), e.GetResult()) || at > 0 && at != now+int64(b.GetConfig().GetPunishmentSeconds())*1000 && b.GetConfig() != nil {
		wrong(Violation, "the punishment of battle %s, played by %v, of whom %v are there, is to end at %d: %v", id, b.plays, stays, at, e)
	} else if at > 0 {
		s.after.punished[id], next = at, at
	}
	x := e.GetSeries()
	if x == nil {
		if b.GetSeries() != nil {
			wrong(Violation, "battle %s is a round of a series, and its end does not say what becomes of that", id)
		}
		return
	}
	want := b.seriesAfter(e.GetReason(), e.GetResult(), stays)
	if x.GetEndReason() != want.GetEndReason() || x.GetWinner() != want.GetWinner() || !maps.Equal(winsOf(x), winsOf(want)) || x.GetRound() != want.GetRound() ||
		!slices.Equal(slices.Sorted(slices.Values(x.GetWaitingLiveIds())), want.GetWaitingLiveIds()) {
		wrong(Violation, "after battle %s by %v with %v there its series is %v, should be %v", id, e.GetReason(), stays, x, want)
	}
	if x.GetNextRoundAtMs() == 0 {
		return
	}
	if x.GetNextRoundAtMs() < next {
		wrong(Violation, "the round after battle %s is to begin at %d, before %d", id, x.GetNextRoundAtMs(), next)
	}
	r := waiting{map[string]bool{}, x.GetNextRoundAtMs(), b, x}
	for _, live := range x.GetWaitingLiveIds() {
		r.lives[live] = true
	}
	s.after.rounds[id] = r
}

// staying are the lives that have played a battle to its end and are still connected.
func (s *fights) staying(b fight) (lives []string) {
	for live := range b.plays {
		if b.holds[live] && s.member[live] != "" && (b.GetConnectionId() == "" || s.member[live] == b.GetConnectionId()) {
			lives = append(lives, live)
		}
	}
	slices.Sort(lives)
	return lives
}

// punishes reports whether a punishment is on after a battle that ended so: a winner and a loser are there.
func (s *fights) punishes(b fight, reason battlev1.Battle_EndReason, r *battlev1.BattleResult) bool {
	if b.GetConfig().GetPunishmentSeconds() == 0 || r == nil || r.GetDraw() || stopped(reason) {
		return false
	}
	won, lost := false, false
	for _, live := range s.staying(b) {
		if slices.Contains(r.GetWinnerLiveIds(), live) {
			won = true
		} else {
			lost = true
		}
	}
	return won && lost
}

// stopped: an admin has ended the battle.
func stopped(reason battlev1.Battle_EndReason) bool {
	return reason == battlev1.Battle_TERMINATED || reason == battlev1.Battle_VOIDED
}

func winsOf(s *battlev1.Entry_Series) map[string]int32 {
	wins := map[string]int32{}
	for _, w := range s.GetWins() {
		wins[w.GetSide()] = w.GetRounds()
	}
	return wins
}

// ahead is the one of some sides that has won most rounds; empty if several have won as many.
func ahead(wins map[string]int32, sides map[string]bool) (side string) {
	most, tie := int32(-1), false
	for x := range sides {
		switch n := wins[x]; {
		case n > most:
			side, most, tie = x, n, false
		case n == most:
			tie = true
		}
	}
	if tie {
		return ""
	}
	return side
}

// seriesAfter is the series as a round leaves it that has ended so, with those that are still there.
func (b fight) seriesAfter(reason battlev1.Battle_EndReason, r *battlev1.BattleResult, stays []string) *battlev1.Entry_Series {
	out := &battlev1.Entry_Series{Round: b.GetSeries().GetRound()}
	wins, sides, winner := winsOf(b.GetSeries()), map[string]bool{}, ""
	for _, live := range stays {
		sides[b.sideOf(live)] = true
	}
	if r != nil && !r.GetDraw() && !stopped(reason) {
		winner = b.sideOf(append(r.GetWinnerLiveIds(), "")[0])
		if teams := r.GetWinnerTeamIds(); len(teams) > 0 {
			winner = teams[0]
		}
		wins[winner]++
	}
	for side, n := range wins {
		out.Wins = append(out.Wins, &battlev1.SeriesWins{Side: side, Rounds: n})
	}
	switch {
	case stopped(reason), r == nil && (out.GetRound() == 1 || len(sides) > 1):
		out.EndReason = battlev1.Series_STOPPED
	case winner != "" && 2*wins[winner] > b.GetSeries().GetBestOf():
		out.EndReason, out.Winner = battlev1.Series_MAJORITY, winner
	case len(sides) < 2:
		out.EndReason, out.Winner = battlev1.Series_SIDES_LEFT, ahead(wins, sides)
	case out.GetRound() == b.GetSeries().GetBestOf():
		out.EndReason, out.Winner = battlev1.Series_ALL_PLAYED, ahead(wins, sides)
	default:
		out.WaitingLiveIds = stays
	}
	return out
}

// sides that wait.
func (w waiting) sides() map[string]bool {
	in := map[string]bool{}
	for live := range w.lives {
		in[w.round.sideOf(live)] = true
	}
	return in
}

// seriesEnded: between two rounds a series is stopped by an admin, or ends when fewer than two sides are left.
func (l *battleLog) seriesEnded(s *fights, d decision[*battlev1.Entry], e *battlev1.Entry_SeriesEnded, wrong func(Class, string, ...any)) {
	r := s.after.rounds[e.GetBattleId()]
	sides, winner := r.sides(), ""
	right := l.byAdmin(d, EndBattle, e.GetBattleId())
	if e.GetReason() == battlev1.Series_SIDES_LEFT {
		right, winner = len(sides) < 2, ahead(winsOf(r.series), sides)
	}
	if !right || e.GetWinner() != winner {
		wrong(Violation, "the series of battle %s ends by %v, won by %q; waiting are %v", e.GetBattleId(), e.GetReason(), e.GetWinner(), r.lives)
	}
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
		a.before[e.SeriesContinued.GetNextBattleId()] = id
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
