package battle

import (
	"slices"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// rematch decides a request for the same battle again: of the others that played, those that can take part are asked.
func (d *draft) rematch(c Rematch) error {
	b, ok := d.current(c.Of)
	if !ok {
		return es.Refuse(ReasonBattleNotFound, "there is no battle %s", c.Of)
	}
	m, _ := b.Member(c.LiveID)
	switch {
	case b.Phase == PhaseRequested:
		return es.Refuse(ReasonBattleNotStarted, "battle %s has not started", c.Of)
	case b.Open():
		return es.Refuse(ReasonBattleAlreadyRunning, "battle %s goes on; there is a rematch once it has ended", c.Of)
	case b.Series.Awaits():
		return es.Refuse(ReasonBattleAlreadyRunning, "the series of battle %s goes on; there is a rematch once it has ended", c.Of)
	case !m.Plays:
		return es.Refuse(ReasonNotInBattle, "live %s has not played battle %s", c.LiveID, c.Of)
	}
	request := RequestBattle{BattleID: c.BattleID, Inviter: c.LiveID, Timeout: c.Timeout}
	if request.Terms = b.termsAgain(c.LiveID); c.Terms != nil {
		teams := request.Terms.Teams
		if request.Terms = *c.Terms; c.Terms.Mode == Teams && len(c.Terms.Teams) == 0 {
			request.Terms.Teams = teams
		}
	}
	for _, other := range b.Members {
		if other.Plays && other.LiveID != c.LiveID {
			request.TargetLives = append(request.TargetLives, other.LiveID)
		}
	}
	return d.request(request, c.Of)
}

// termsAgain are the terms of a rematch that a live requests: those of the battle, with the sides that played it. When it is
// another one than the inviter that fought alone, they are teams.
func (b Battle) termsAgain(inviter string) Terms {
	t := b.Terms
	if t.Mode == FreeForAll || t.Mode == OneVsMany && inviter == b.Inviter().LiveID {
		return t
	}
	t.Mode, t.Teams = Teams, nil
	for _, m := range b.Members {
		if !m.Plays {
			continue
		}
		i := slices.IndexFunc(t.Teams, func(team Team) bool { return team.ID == m.Team })
		if i < 0 {
			i = len(t.Teams)
			t.Teams = append(t.Teams, Team{ID: m.Team})
		}
		t.Teams[i].LiveIDs = append(t.Teams[i].LiveIDs, m.LiveID)
	}
	return t
}
