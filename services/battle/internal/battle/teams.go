package battle

import (
	"fmt"
	"slices"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Teams of mode OneVsMany.
const (
	teamOne  = "one"
	teamMany = "many"
)

// inviterTeam returns the team that the inviter is in; empty in FreeForAll.
func (t Terms) inviterTeam(liveID string) string {
	if t.Mode == OneVsMany {
		return teamOne
	}
	return t.team(liveID)
}

// inviteeTeam returns the team that an invitee is in; empty in FreeForAll.
func (t Terms) inviteeTeam(liveID string) string {
	if t.Mode == OneVsMany {
		return teamMany
	}
	return t.team(liveID)
}

func (t Terms) team(liveID string) string {
	for _, team := range t.Teams {
		if slices.Contains(team.LiveIDs, liveID) {
			return team.ID
		}
	}
	return ""
}

// side is what a member fights for: its team, or itself.
func (m Member) side() string {
	if m.Team != "" {
		return m.Team
	}
	return m.LiveID
}

// sides counts the sides that still have a live in the battle.
func (b Battle) sides() int {
	return len(sidesOf(slices.DeleteFunc(slices.Clone(b.Members), func(m Member) bool { return !m.Present() })))
}

// checkTeams checks the teams of a request: there are some if and only if the mode asks for them, and they have one seat for
// the inviter, one for every target and none for others. Whose live a host's is is not known from the request alone: of
// targets that are named by host, only the number of seats is checked here.
func (c RequestBattle) checkTeams() error {
	teams := c.Terms.Teams
	switch {
	case c.Terms.Mode != Teams && len(teams) > 0:
		return es.Invalid("config.teams", "only mode TEAMS has teams")
	case c.Terms.Mode != Teams:
		return nil
	case len(teams) < 2:
		return es.Invalid("config.teams", "mode TEAMS needs two teams or more")
	}
	named := append([]string{c.Inviter}, c.TargetLives...)
	ids, seats := make(map[string]bool), make(map[string]string)
	for i, team := range teams {
		field := func(name string) string { return fmt.Sprintf("config.teams[%d].%s", i, name) }
		switch {
		case team.ID == "":
			return es.Invalid(field("team_id"), "a team has an id")
		case ids[team.ID]:
			return es.Invalid(field("team_id"), "there are two teams %s", team.ID)
		case len(team.LiveIDs) == 0:
			return es.Invalid(field("live_ids"), "team %s has no live", team.ID)
		}
		ids[team.ID] = true
		for _, live := range team.LiveIDs {
			if other, taken := seats[live]; taken {
				return es.Invalid(field("live_ids"), "live %s is in team %s already", live, other)
			}
			if len(c.TargetUsers) == 0 && !slices.Contains(named, live) {
				return es.Invalid(field("live_ids"), "live %s is neither the inviter nor a target", live)
			}
			seats[live] = team.ID
		}
	}
	for _, live := range named {
		if seats[live] == "" {
			return es.Invalid("config.teams", "live %s is in no team", live)
		}
	}
	if want := 1 + len(c.TargetUsers); len(c.TargetUsers) > 0 && len(seats) != want {
		return es.Invalid("config.teams", "the teams have %d lives; the inviter and the targets are %d", len(seats), want)
	}
	return nil
}
