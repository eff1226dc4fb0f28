package demo

import (
	"cmp"
	"fmt"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// standing is what a side of a battle reached: a live, or a team.
type standing struct {
	Name   string
	Points int64
	Exited bool
	Rank   int32
}

// String implements fmt.Stringer.
func (s standing) String() string {
	text := fmt.Sprintf("%d. %s %d", s.Rank, s.Name, s.Points)
	if s.Exited {
		text += " exited"
	}
	return text
}

// better tells that one is ranked before the other: those that stayed come first, then those with more points.
func better(a, b standing) bool {
	if a.Exited != b.Exited {
		return b.Exited
	}
	return a.Points > b.Points
}

// rank gives each one more than the number of those that are better, and sorts them, equals by name.
func rank(all []standing) []standing {
	for i := range all {
		all[i].Rank = 1
		for _, other := range all {
			if better(other, all[i]) {
				all[i].Rank++
			}
		}
	}
	slices.SortFunc(all, func(a, b standing) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Name, b.Name)) })
	return all
}

// best are the names of those of rank 1.
func best(all []standing) []string {
	var first []string
	for _, s := range all {
		if s.Rank == 1 {
			first = append(first, s.Name)
		}
	}
	return first
}

// checkRanks compares the ranks of the lives and the teams, and who wins, with the own count.
func (n *nine) checkRanks(b *bout, r *battlev1.BattleResult) {
	lives, teams := b.standings()
	var gotLives, gotTeams []standing
	for _, l := range r.GetLives() {
		gotLives = append(gotLives, standing{l.GetLiveId(), l.GetScore(), l.GetExited(), l.GetRank()})
	}
	for _, t := range r.GetTeams() {
		gotTeams = append(gotTeams, standing{t.GetTeamId(), t.GetScore(), t.GetExited(), t.GetRank()})
	}
	n.check("the ranks of the lives in "+b.name+" are the own count's", slices.Equal(gotLives, lives), "%v, counted %v", gotLives, lives)
	n.check("the ranks of the teams in "+b.name+" are the own count's", slices.Equal(gotTeams, teams), "%v, counted %v", gotTeams, teams)
	winners, winnerTeams := best(lives), best(teams)
	draw := len(winners) > 1
	if len(teams) > 0 {
		winners, draw = nil, len(winnerTeams) > 1
		for _, l := range lives {
			if !l.Exited && slices.Contains(winnerTeams, b.team(l.Name)) {
				winners = append(winners, l.Name)
			}
		}
	}
	n.check("who is best wins "+b.name, slices.Equal(r.GetWinnerLiveIds(), winners) && slices.Equal(r.GetWinnerTeamIds(), winnerTeams) && r.GetDraw() == draw,
		"the result is %v, the own winners are %v of %v", r, winners, winnerTeams)
	for _, s := range slices.Concat(teams, lives) {
		n.tell("backend", "the settlement: %s", s)
	}
}

// standings are the own count of the lives and, if there are any, of the teams.
func (b *bout) standings() (lives, teams []standing) {
	for _, h := range b.sides {
		points, _ := b.tally.total(h.live)
		lives = append(lives, standing{Name: h.live, Points: points, Exited: b.exited[h.live]})
	}
	for _, t := range b.teams {
		team := standing{Name: t.GetTeamId(), Exited: true}
		for _, l := range lives {
			if slices.Contains(t.GetLiveIds(), l.Name) {
				team.Points += l.Points
				team.Exited = team.Exited && l.Exited
			}
		}
		teams = append(teams, team)
	}
	return rank(lives), rank(teams)
}

// team is the one that a live is in.
func (b *bout) team(live string) string {
	for _, t := range b.teams {
		if slices.Contains(t.GetLiveIds(), live) {
			return t.GetTeamId()
		}
	}
	return ""
}
