package battle

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Series is a chain of battles, its rounds, between the same lives: until one side has won more than half of them. Each
// round has the series as it leaves it.
type Series struct {
	// ID of the first round; empty for a single battle.
	ID     string
	BestOf int32
	// Round from 1.
	Round int32
	// Wins of the sides that have won any, this round included once it has ended; by side.
	Wins []Wins
	// End is zero while the series goes on.
	End SeriesEnd
	// Winner is the side that has won the series; empty if nobody has, or not yet.
	Winner string
	// NextAt is when the next round begins, and Waiting are the lives that wait for it, in the order of the request: zero
	// unless this round has ended and another one is to follow.
	NextAt  time.Time
	Waiting []string
	// Next is the next round once it has begun.
	Next string
}

// Wins is how many rounds a side has won.
type Wins struct {
	Side   string
	Rounds int32
}

// SeriesEnd is why a series has ended.
type SeriesEnd int32

// Ends of a series.
const (
	// SeriesMajority: a side has won more than half of the rounds.
	SeriesMajority SeriesEnd = iota + 1
	// SeriesAllPlayed: there are no more rounds; of the sides still there the one that has won most wins.
	SeriesAllPlayed
	// SeriesSidesLeft: fewer than two sides are left; the one that is left wins.
	SeriesSidesLeft
	// SeriesStopped: a round never started, or was stopped by an admin; nobody wins.
	SeriesStopped
)

// newSeries is the series that a battle opens; the zero one if the battle is single.
func newSeries(battleID string, bestOf int32) Series {
	if bestOf < 2 {
		return Series{}
	}
	return Series{ID: battleID, BestOf: bestOf, Round: 1}
}

// Awaits reports whether the round has ended and another one is to follow.
func (s Series) Awaits() bool { return len(s.Waiting) > 0 }

// next is the series as the next round begins with it.
func (s Series) next() Series {
	return Series{ID: s.ID, BestOf: s.BestOf, Round: s.Round + 1, Wins: s.Wins}
}

// roundID follows from the first round's id, 26 characters, so that the same log gives the same rounds. No id that is
// made at a door has a dash.
func (s Series) roundID() string { return s.ID + "-" + strconv.Itoa(int(s.Round)) }

// won counts a round for a side.
func (s Series) won(side string) []Wins {
	wins := slices.Clone(s.Wins)
	i, found := slices.BinarySearchFunc(wins, side, func(w Wins, side string) int { return cmp.Compare(w.Side, side) })
	if !found {
		wins = slices.Insert(wins, i, Wins{Side: side})
	}
	wins[i].Rounds++
	return wins
}

func (s Series) winsOf(side string) int32 {
	for _, w := range s.Wins {
		if w.Side == side {
			return w.Rounds
		}
	}
	return 0
}

// ahead is the side that has won more rounds than any other of these; empty if several have won as many.
func (s Series) ahead(sides []string) string {
	ahead, most := "", int32(-1)
	for _, side := range sides {
		switch wins := s.winsOf(side); {
		case wins > most:
			ahead, most = side, wins
		case wins == most:
			ahead = ""
		}
	}
	return ahead
}

// seriesAfter is the series as a round's end leaves it, with the members that could go on, the next round to begin at nextAt.
// A round that an admin has stopped counts for nobody.
func (b Battle) seriesAfter(e BattleEnded, staying []Member, nextAt time.Time) Series {
	s, sides := b.Series, sidesOf(staying)
	if e.stopped() {
		s.End = SeriesStopped
		return s
	}
	winner := e.Result.side()
	if winner != "" {
		s.Wins = s.won(winner)
	}
	switch {
	case e.Result == nil && (s.Round == 1 || len(sides) > 1):
		s.End = SeriesStopped
	case winner != "" && 2*s.winsOf(winner) > s.BestOf:
		s.End, s.Winner = SeriesMajority, winner
	case len(sides) < 2:
		s.End, s.Winner = SeriesSidesLeft, s.ahead(sides)
	case s.Round == s.BestOf:
		s.End, s.Winner = SeriesAllPlayed, s.ahead(sides)
	default:
		s.NextAt = nextAt
		for _, m := range staying {
			s.Waiting = append(s.Waiting, m.LiveID)
		}
	}
	return s
}

// stopped reports whether an admin has ended or voided the battle.
func (e BattleEnded) stopped() bool { return e.Reason == EndTerminated || e.Reason == EndVoided }

// sidesOf some members, in their order.
func sidesOf(members []Member) []string {
	var sides []string
	for _, m := range members {
		if side := m.side(); !slices.Contains(sides, side) {
			sides = append(sides, side)
		}
	}
	return sides
}

// side is the one that has won; empty for a draw, and if there is no result.
func (r *Result) side() string {
	switch {
	case r == nil || r.Draw:
		return ""
	case len(r.WinnerTeams) > 0:
		return r.WinnerTeams[0]
	}
	return r.Winners[0]
}

// waiting are the members that wait for the next round.
func (b Battle) waiting() []Member {
	return slices.DeleteFunc(slices.Clone(b.Members), func(m Member) bool { return !b.Waits(m.LiveID) })
}
