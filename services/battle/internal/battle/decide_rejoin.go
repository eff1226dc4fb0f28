package battle

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// asHost decides a command of one session of a host: not of one that another has taken over from. Which one is newer is for cohost
// to say; one that is not known here is left to it.
func (s *State) asHost(now time.Time, c AsHost) ([]Event, error) {
	if sessions, _ := s.sessions.Get(c.LiveID); sessions.Superseded(c.Session) {
		return nil, es.Refuse(ReasonSuperseded, "session %s has taken live %s over, with fence %d", sessions.Current, c.LiveID, sessions.Fence)
	}
	return s.Decide(now, c.Command)
}

// rejoinBattle decides whether a live that left because its host was lost may come back: while the battle runs, into the
// connection that the others are in, as the same host, and if no other battle has it now.
func (d *draft) rejoinBattle(c RejoinBattle) error {
	b, m, err := d.findFor(c.BattleID, c.LiveID)
	switch {
	case err != nil:
		return err
	case b.Phase < PhaseRunning:
		return es.Refuse(ReasonBattleNotStarted, "battle %s has not started", c.BattleID)
	case m.Plays && m.Present():
		return nil
	case b.Phase > PhaseRunning:
		return es.Refuse(ReasonBattleEnded, "the time of battle %s is over", c.BattleID)
	case !m.Lost || !m.Plays || !m.Opened:
		return es.Refuse(ReasonNotInBattle, "live %s has not been lost to battle %s after it opened", c.LiveID, c.BattleID)
	}
	if in, ok := d.state.connected.Get(c.LiveID); !ok || in.connectionID != b.ConnectionID || in.Host.ID != m.Host.ID {
		return es.Refuse(ReasonConnectionNotFound, "live %s is not in the connection of battle %s with the host that it had", c.LiveID, c.BattleID)
	}
	if other, taken := d.holderNow(c.LiveID); taken {
		return es.Refuse(ReasonInOtherBattle, "live %s is in battle %s", c.LiveID, other.ID)
	}
	d.pardon(c.LiveID)
	d.add(UserRejoined{BattleID: b.ID, LiveID: c.LiveID, EndsAt: b.EndsAt, Rejoins: m.Rejoins + 1})
	return nil
}
