package battle

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Evolve applies an event to the overlay.
func (s *State) Evolve(at es.Place, event Event) {
	switch e := event.(type) {
	case CohostRead:
		s.cohostRead.Set(e.Sequence)
	case ConnectionJoined:
		s.connected.Set(e.Live.LiveID, connected{e.ConnectionID, e.Live})
		members, _ := s.connections.Get(e.ConnectionID)
		s.connections.Set(e.ConnectionID, append(slices.Clone(members), e.Live.LiveID))
	case ConnectionLeft:
		s.disconnect(e)
	case SessionTaken:
		sessions, _ := s.sessions.Get(e.LiveID)
		s.sessions.Set(e.LiveID, sessions.After(e.Session, e.Fence))
	case LiveEnded:
		s.sessions.Delete(e.LiveID)
	default:
		id := BattleOf(event)
		b, _ := s.open.Get(id)
		s.put(b, b.After(at.At, event), at.At)
		if e, ok := event.(BattleRequested); ok {
			s.countRequest(e, at.At)
		}
	}
}

func (s *State) disconnect(e ConnectionLeft) {
	s.connected.Delete(e.LiveID)
	members, _ := s.connections.Get(e.ConnectionID)
	rest := slices.DeleteFunc(slices.Clone(members), func(live string) bool { return live == e.LiveID })
	if len(rest) == 0 {
		s.connections.Delete(e.ConnectionID)
		return
	}
	s.connections.Set(e.ConnectionID, rest)
}

// put stores what became of a battle, and keeps timers and reservations as the battle says.
func (s *State) put(old, b Battle, now time.Time) {
	for _, m := range b.Members {
		mark(&s.holds, m.LiveID, b.ID, b.Holds(m))
		mark(&s.punished, m.LiveID, b.ID, b.Punishes(m))
	}
	if !b.Open() && !b.Lingers() {
		s.open.Delete(b.ID)
		s.timers.Clear(b.ID)
		s.ended.Set(b.ID, b, now)
		return
	}
	s.open.Set(b.ID, b)
	was, _ := s.deadline(old)
	if at, ok := s.deadline(b); !ok {
		s.timers.Clear(b.ID)
	} else if !at.Equal(was) {
		s.timers.Set(b.ID, at)
	}
}

// mark has a battle stand at a live, or not any more.
func mark(battles *es.Map[string, string], liveID, battleID string, stands bool) {
	switch at, _ := battles.Get(liveID); {
	case stands:
		battles.Set(liveID, battleID)
	case at == battleID:
		battles.Delete(liveID)
	}
}

// BattleOf returns the id of the battle that an event belongs to; empty for the facts copied from COHOST_00.
func BattleOf(event Event) string {
	switch e := event.(type) {
	case BattleRequested:
		return e.BattleID
	case InviteeAnswered:
		return e.BattleID
	case BattleStarting:
		return e.BattleID
	case LiveOpened:
		return e.BattleID
	case BattleStarted:
		return e.BattleID
	case UserExited:
		return e.BattleID
	case UserRejoined:
		return e.BattleID
	case BattleEnding:
		return e.BattleID
	case LiveClosed:
		return e.BattleID
	case BattleEnded:
		return e.BattleID
	case ProposalMade:
		return e.BattleID
	case ProposalConsented:
		return e.BattleID
	case ProposalLapsed:
		return e.BattleID
	case BattleExtended:
		return e.BattleID
	case PunishmentEnded:
		return e.BattleID
	case SeriesExited:
		return e.BattleID
	case SeriesEnded:
		return e.BattleID
	case SeriesContinued:
		return e.BattleID
	}
	return ""
}

// After returns the battle as an event of its own at log time `at` leaves it.
func (b Battle) After(at time.Time, event Event) Battle {
	switch e := event.(type) {
	case BattleRequested:
		return requested(at, e)
	case InviteeAnswered:
		b.change(e.LiveID, func(m *Member) { m.State = e.Answer.state() })
	case BattleStarting:
		b.Phase = PhaseStarting
		b.StartsAt, b.EndsAt, b.RuleSet = e.StartsAt, e.EndsAt, e.RuleSet
		for _, p := range e.Participants {
			b.change(p.LiveID, func(m *Member) { m.State, m.Plays = Joined, true })
		}
	case LiveOpened:
		b.change(e.LiveID, func(m *Member) { m.Opened = true })
	case BattleStarted:
		b.Phase = PhaseRunning
	case UserExited:
		b.change(e.LiveID, func(m *Member) { m.State, m.Lost = Exited, e.Reason == ExitLost })
	case UserRejoined:
		b.change(e.LiveID, func(m *Member) { m.State, m.Lost, m.Closing, m.Rejoins = Joined, false, nil, e.Rejoins })
	case BattleEnding:
		b.Phase, b.Reason, b.Detail, b.Proposals = PhaseSettling, e.Reason, e.Detail, nil
	case LiveClosed:
		b.change(e.LiveID, func(m *Member) { m.Closing = &e.Closing })
	case BattleEnded:
		b.Phase, b.Reason, b.Detail, b.Proposals = PhaseEnded, e.Reason, e.Detail, nil
		b.Never, b.Result, b.EndedAt = e.Never, e.Result, at
		b.PunishmentEndsAt, b.Series = e.PunishmentEndsAt, e.Series
	case ProposalMade:
		b.Proposals = append(slices.Clone(b.Proposals), Proposal{
			Subject: e.Subject, LiveID: e.LiveID, Reason: e.Reason, Consented: []string{e.LiveID}, ExpiresAt: e.ExpiresAt,
		})
	case ProposalConsented:
		b.consent(e)
	case ProposalLapsed:
		b.drop(e.Subject)
	case BattleExtended:
		b.EndsAt = e.EndsAt
		b.drop(Subject{ProposalExtend, e.By})
	default:
		b.linger(at, event)
	}
	return b
}

// linger applies what comes after the end.
func (b *Battle) linger(at time.Time, event Event) {
	switch e := event.(type) {
	case PunishmentEnded:
		b.PunishmentOver = true
		if at.Before(b.PunishmentEndsAt) {
			b.PunishmentEndsAt = at
		}
	case SeriesExited:
		b.Series.Waiting = slices.DeleteFunc(slices.Clone(b.Series.Waiting), func(live string) bool { return live == e.LiveID })
	case SeriesEnded:
		b.Series.End, b.Series.Winner, b.Series.NextAt, b.Series.Waiting = e.End, e.Winner, time.Time{}, nil
	case SeriesContinued:
		b.Series.Next, b.Series.NextAt, b.Series.Waiting = e.NextBattleID, time.Time{}, nil
	}
}

func requested(at time.Time, e BattleRequested) Battle {
	b := Battle{
		ID:           e.BattleID,
		ConnectionID: e.ConnectionID,
		Terms:        e.Terms,
		Phase:        PhaseRequested,
		RequestedAt:  at,
		ExpiresAt:    e.ExpiresAt,
		Series:       e.Series,
		RematchOf:    e.RematchOf,
		Members:      []Member{{Participant: e.Inviter, State: Joined, Team: e.Terms.inviterTeam(e.Inviter.LiveID)}},
	}
	for _, p := range e.Invitees {
		b.Members = append(b.Members, Member{Participant: p, State: Invited, Team: e.Terms.inviteeTeam(p.LiveID)})
	}
	return b
}

// change changes a copy of the members.
func (b *Battle) change(liveID string, f func(*Member)) {
	b.Members = slices.Clone(b.Members)
	for i := range b.Members {
		if b.Members[i].LiveID == liveID {
			f(&b.Members[i])
		}
	}
}

func (a Answer) state() MemberState {
	switch a {
	case AnswerAccepted:
		return Joined
	case AnswerRejected:
		return Rejected
	case AnswerCancelled:
		return Cancelled
	default:
		return TimedOut
	}
}
