package battle

import (
	"cmp"
	"slices"
	"time"
)

// Closing is what a score partition counted for a live.
type Closing struct {
	Total int64
	// TopGifters, best first.
	TopGifters []Gifter
	Proof      Proof
}

// Gifter is a member of the audience with the points of its gifts.
type Gifter struct {
	User   User
	Points int64
}

// Proof names the part of the score log that a total was counted from; see faceoff.battle.v1.ClosingProof.
type Proof struct {
	Partition      int32
	OpenedSequence uint64
	OpenedIndex    uint32
	ClosedSequence uint64
	ClosedIndex    uint32
	ChainHash      []byte
	Gifts          int64
}

// Result is the settlement of a battle.
type Result struct {
	// Lives by rank, then live id.
	Lives []LiveResult
	// Draw: the best scores are equal, of the lives or, if there are teams, of the teams.
	Draw bool
	// Winners are the lives of rank 1 or, if there are teams, those of the teams of rank 1 that have not exited.
	Winners   []string
	SettledAt time.Time
	// Teams by rank, then id; none in FreeForAll.
	Teams       []TeamResult
	WinnerTeams []string
}

// LiveResult is what one live reached.
type LiveResult struct {
	LiveID, UserID string
	Score          int64
	// Rank from 1; equal scores share it and the next rank is skipped (1, 1, 3).
	Rank       int32
	TopGifters []Gifter
	// MVP is the best gifter's user id; empty when nobody gave.
	MVP    string
	Exited bool
	Proof  Proof
}

// settle ranks the lives of a battle whose totals are all known. Those that stayed rank by score; after them, by score,
// those that exited: a live that left never wins against one that stayed. The order of reports does not matter.
func settle(b Battle, now time.Time) Result {
	r := Result{SettledAt: now}
	for _, m := range b.Members {
		if m.Plays {
			r.Lives = append(r.Lives, liveResult(m))
		}
	}
	slices.SortFunc(r.Lives, func(x, y LiveResult) int {
		return cmp.Or(standing(x.Exited, x.Score, y.Exited, y.Score), cmp.Compare(x.LiveID, y.LiveID))
	})
	for i := range r.Lives {
		l := &r.Lives[i]
		l.Rank = int32(i + 1)
		if i > 0 && standing(r.Lives[i-1].Exited, r.Lives[i-1].Score, l.Exited, l.Score) == 0 {
			l.Rank = r.Lives[i-1].Rank
		}
	}
	r.settleTeams(b)
	for _, l := range r.Lives {
		if m, _ := b.Member(l.LiveID); r.won(m, l) {
			r.Winners = append(r.Winners, l.LiveID)
		}
	}
	r.Draw = len(r.Winners) > 1
	if len(r.Teams) > 0 {
		r.Draw = len(r.WinnerTeams) > 1
	}
	return r
}

// won reports whether a live is among the winners.
func (r Result) won(m Member, l LiveResult) bool {
	if m.Team == "" {
		return l.Rank == 1
	}
	return !l.Exited && slices.Contains(r.WinnerTeams, m.Team)
}

// standing compares two lives, or two teams: the better one is less, equals share a rank.
func standing(xExited bool, xScore int64, yExited bool, yScore int64) int {
	if xExited != yExited {
		if yExited {
			return -1
		}
		return 1
	}
	return cmp.Compare(yScore, xScore)
}

func liveResult(m Member) LiveResult {
	l := LiveResult{
		LiveID:     m.LiveID,
		UserID:     m.Host.ID,
		Score:      m.Closing.Total,
		TopGifters: m.Closing.TopGifters,
		Exited:     m.State == Exited,
		Proof:      m.Closing.Proof,
	}
	if len(l.TopGifters) > 0 {
		l.MVP = l.TopGifters[0].User.ID
	}
	return l
}
