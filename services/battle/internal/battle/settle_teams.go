package battle

import (
	"cmp"
	"math"
	"slices"
)

// TeamResult is what one side reached.
type TeamResult struct {
	ID string
	// LiveIDs that the battle started with, in the order of the request.
	LiveIDs []string
	// Score of all its lives, those that exited included.
	Score int64
	// Rank from 1; equal scores share it and the next rank is skipped (1, 1, 3).
	Rank int32
	// Exited: all its lives did.
	Exited bool
}

// settleTeams ranks the teams by what their lives reached together. What was earned for a team stays with it when the live
// that earned it leaves; a team that all its lives have left never wins against one that somebody stayed in.
func (r *Result) settleTeams(b Battle) {
	at := make(map[string]int)
	for _, m := range b.Members {
		if m.Team == "" || !m.Plays {
			continue
		}
		i, known := at[m.Team]
		if !known {
			i = len(r.Teams)
			at[m.Team] = i
			r.Teams = append(r.Teams, TeamResult{ID: m.Team, Exited: true})
		}
		t := &r.Teams[i]
		t.LiveIDs = append(t.LiveIDs, m.LiveID)
		t.Score = add(t.Score, m.Closing.Total)
		t.Exited = t.Exited && m.State == Exited
	}
	slices.SortFunc(r.Teams, func(x, y TeamResult) int {
		return cmp.Or(standing(x.Exited, x.Score, y.Exited, y.Score), cmp.Compare(x.ID, y.ID))
	})
	for i := range r.Teams {
		t := &r.Teams[i]
		t.Rank = int32(i + 1)
		if i > 0 && standing(r.Teams[i-1].Exited, r.Teams[i-1].Score, t.Exited, t.Score) == 0 {
			t.Rank = r.Teams[i-1].Rank
		}
		if t.Rank == 1 {
			r.WinnerTeams = append(r.WinnerTeams, t.ID)
		}
	}
}

// add sums what lives reached. Each total is one that its partition could count, and all must be settled, so a sum past int64
// stays at its greatest value: it neither wraps nor is refused.
func add(x, y int64) int64 {
	if y > 0 && x > math.MaxInt64-y {
		return math.MaxInt64
	}
	return x + y
}
