package check

import (
	"cmp"
	"math"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// sidesOf returns the teams of the lives of a battle; none if every live fights for itself.
func sidesOf(b *battlev1.Entry_BattleRequested) map[string]string {
	side := map[string]string{}
	for _, t := range b.GetConfig().GetTeams() {
		for _, live := range t.GetLiveIds() {
			side[live] = t.GetTeamId()
		}
	}
	if b.GetConfig().GetMode() == battlev1.BattleConfig_ONE_VS_MANY {
		side[b.GetInviter().GetLiveId()] = "one"
		for _, p := range b.GetInvitees() {
			side[p.GetLiveId()] = "many"
		}
	}
	return side
}

// sides counts the sides that have a live in the battle.
func (b fight) sides() int {
	in := map[string]bool{}
	for live := range b.holds {
		in[b.sideOf(live)] = true
	}
	return len(in)
}

// sideOf is what a live fights for: its team, or itself.
func (b fight) sideOf(live string) string { return cmp.Or(b.side[live], live) }

// mayEnd reports whether a battle may end at log time at for a reason other than its time.
func (l *battleLog) mayEnd(d decision[*battlev1.Entry], id string, b fight, reason battlev1.Battle_EndReason) bool {
	switch reason {
	case battlev1.Battle_TERMINATED:
		return l.byAdmin(d, EndBattle, id)
	case battlev1.Battle_CUT_SHORT:
		return b.agreed(toEnd, d.at)
	case battlev1.Battle_FORFEIT, battlev1.Battle_LIVE_ENDED:
		return b.sides() < 2 && (b.left == battlev1.Entry_UserExited_LIVE_ENDED) == (reason == battlev1.Battle_LIVE_ENDED)
	}
	return false
}

// rankedTeams checks scores, ranks and winners of teams, and returns the lives of the winners that stayed.
func (b fight) rankedTeams(id string, r *battlev1.BattleResult, wrong func(Class, string, ...any)) (winners []string) {
	best, gone := map[string]int64{}, map[string]bool{}
	for live := range b.plays {
		team := b.side[live]
		if _, known := best[team]; !known {
			gone[team] = true
		}
		if total := b.closed[live]; best[team] > math.MaxInt64-total {
			best[team] = math.MaxInt64
		} else {
			best[team] += total
		}
		gone[team] = gone[team] && b.exited[live]
	}
	var first []string
	for _, x := range r.GetTeams() {
		rank := int32(1)
		for team := range best {
			if gone[x.GetTeamId()] && !gone[team] || gone[x.GetTeamId()] == gone[team] && best[team] > best[x.GetTeamId()] {
				rank++
			}
		}
		if score, known := best[x.GetTeamId()]; !known || x.GetScore() != score || x.GetRank() != rank {
			wrong(Violation, "team %s of battle %s has %d points and rank %d: %v", x.GetTeamId(), id, score, rank, r)
		}
		if rank == 1 {
			first = append(first, x.GetTeamId())
		}
	}
	if len(r.GetTeams()) != len(best) || !slices.Equal(slices.Sorted(slices.Values(first)), slices.Sorted(slices.Values(r.GetWinnerTeamIds()))) {
		wrong(Violation, "battle %s is won by the teams %v of %v: %v", id, first, best, r)
	}
	for live := range b.plays {
		if slices.Contains(first, b.side[live]) && !b.exited[live] {
			winners = append(winners, live)
		}
	}
	return winners
}
