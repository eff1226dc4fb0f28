package check

import (
	"maps"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// before is what a command of BATTLE_00 found.
func (l *battleLog) before(d decision[*battlev1.Entry]) fights {
	s := l.states[l.places[d.id]].s
	s.at = d.at
	return s
}

// found is a state of BATTLE_00 as a command finds it: the deadline of the battle that a rematch is of may have ended it.
func (s fights) found(o Op) fights {
	_, known := s.open[o.Battle]
	if _, open := s.due(o.Battle); o.Kind != Rematch || !known || open {
		return s
	}
	s = s.clone()
	delete(s.open, o.Battle)
	s.ends = maps.Clone(s.ends)
	s.ends[o.Battle] = s.number
	return s
}

// battleCheck judges a command of BATTLE_00: what was answered with ok has happened, before the answer, or was so already; what was
// refused has not, for a reason that holds where the log has it; and without an answer it is one of the two, or nothing.
func (a answers) battleCheck(o Op) {
	d, ok := a.battle.byID[o.ID]
	if o.denied() {
		if ok || o.Outcome == OK || o.Outcome == Refused && o.Reason != "PERMISSION_DENIED" {
			a.f.add(Violation, "%s %s of %q as the host of %s: answered %s %s, in the log: %v", o.Kind, o.ID, o.Live, o.As, o.Outcome, o.Reason, ok)
		}
		return
	}
	var s fights
	if ok {
		s = a.battle.before(d).found(o)
		if (o.Kind == RequestBattle || o.Kind == Rematch) && o.Outcome != Unknown && d.seq <= o.Own.After && !a.fresh(o, s) {
			a.f.add(Violation, "%s %s of %s: decided in group %d by connections of before the call: %v", o.Kind, o.ID, o.Live, d.seq, s.member)
		}
	}
	if ok {
		if why := a.fenced(o, d, s); why != "" {
			a.f.add(Violation, "%s %s of %s by session %s: decided in group %d, and %s", o.Kind, o.ID, o.Live, o.Session, d.seq, why)
		}
	}
	switch {
	case o.Outcome == OK, ok && o.Outcome == Unknown && d.refusal == nil:
		if o.Outcome == OK {
			a.happened(o, ok, d.seq, true)
		}
		if ok && !has(d, func(e *battlev1.Entry) bool { return a.asks(o, e, s) }) && (d.refusal != nil || has(d, ofHost) || !o.needlessIn(s)) {
			a.f.add(Violation, "%s %s of %s: answered %s, the decision in group %d does something else", o.Kind, o.ID, o.Live, o.Outcome, d.seq)
		}
	case o.Outcome == Refused && (o.Reason == battleRateLimited || o.Reason == "INVALID_ARGUMENT"):
		// It held during the last try. A copy that comes later is decided anew: what was malformed is never done.
		if ok && (d.seq <= o.Own.Before || o.Reason != battleRateLimited && d.refusal == nil) || !some(a.battle.states, o.Own, func(s fights) bool { return a.momentary(o, s) }) {
			a.untrue(o, o.Others, o.Reason)
		}
	case o.Outcome == Refused:
		a.kept(o, o.ID, o.Reason, ok, d.seq, d.refusal)
		if ok && !a.battleReason(o, o.Reason, s) {
			a.untrue(o, o.Others, o.Reason)
		}
	case ok && !a.battleReason(o, d.refusal.GetReason(), s):
		a.untrue(o, o.Others, d.refusal.GetReason())
	}
}

// denied: only a backend or an admin may act for no live, and for a live its host, too.
func (o Op) denied() bool { return o.As != "" && o.As != o.Live }

// ofHost: a host or an admin has asked for it, no deadline has brought it.
func ofHost(e *battlev1.Entry) bool {
	a, r, reason := e.GetInviteeAnswered(), e.GetBattleRequested(), e.GetBattleEnded().GetReason()
	return r != nil && !byItself(r) || a != nil && a.GetAnswer() != battlev1.Entry_InviteeAnswered_TIMED_OUT ||
		e.GetUserExited().GetReason() == battlev1.Entry_UserExited_EXITED || e.GetSeriesExited().GetReason() == battlev1.Entry_UserExited_EXITED ||
		e.GetUserRejoined() != nil || e.GetProposalMade() != nil || e.GetProposalConsented() != nil || e.GetBattleEnding().GetReason() == battlev1.Battle_TERMINATED ||
		stopped(reason) && e.GetBattleEnded().GetResult() == nil || e.GetSeriesEnded().GetReason() == battlev1.Series_STOPPED
}

// asks reports whether an entry is what the command asks for; s is what it found.
func (a answers) asks(o Op, e *battlev1.Entry, s fights) bool {
	answered := func(how battlev1.Entry_InviteeAnswered_Answer, lives ...string) bool {
		i := e.GetInviteeAnswered()
		return i.GetBattleId() == o.Battle && i.GetAnswer() == how && (len(lives) == 0 || slices.Contains(lives, i.GetLiveId()))
	}
	ended := e.GetBattleEnded()
	switch o.Kind {
	case RequestBattle, Rematch:
		return a.requestedAs(o, e.GetBattleRequested(), s)
	case AcceptBattle:
		return answered(battlev1.Entry_InviteeAnswered_ACCEPTED, o.Live)
	case RejectBattle:
		q, kept := o.Request.(*battlev1.RejectBattleRequest)
		return answered(battlev1.Entry_InviteeAnswered_REJECTED, o.Live) && (!kept || e.GetInviteeAnswered().GetReason() == q.GetReason())
	case CancelBattle:
		if s.open[o.Battle].inviter != o.Live {
			return false
		}
		if len(o.Others) > 0 {
			return answered(battlev1.Entry_InviteeAnswered_CANCELLED, o.Others...)
		}
		return ended.GetBattleId() == o.Battle && ended.GetNever() == battlev1.Entry_BattleEnded_CANCELLED
	case RejoinBattle:
		return e.GetUserRejoined().GetBattleId() == o.Battle && e.GetUserRejoined().GetLiveId() == o.Live
	case EndBattle:
		q, _ := o.Request.(*battlev1.EndBattleRequest)
		if o.Live != "" {
			made := e.GetProposalMade()
			return (made == nil || made.GetReason() == q.GetReason()) && proposes(e, o, toEnd)
		}
		x := e.GetBattleEnding()
		return x.GetBattleId() == o.Battle && x.GetReason() == battlev1.Battle_TERMINATED && x.GetDetail() == q.GetReason() ||
			ended.GetBattleId() == o.Battle && ended.GetReason() == battlev1.Battle_TERMINATED && ended.GetDetail() == q.GetReason() ||
			e.GetSeriesEnded().GetBattleId() == o.Battle && e.GetSeriesEnded().GetReason() == battlev1.Series_STOPPED
	case ExtendBattle:
		if o.Live != "" {
			return proposes(e, o, o.longer())
		}
		return e.GetBattleExtended().GetBattleId() == o.Battle && e.GetBattleExtended().GetExtendMs() == o.longer().ms
	case VoidBattle:
		q, _ := o.Request.(*battlev1.VoidBattleRequest)
		return ended.GetBattleId() == o.Battle && ended.GetReason() == battlev1.Battle_VOIDED && ended.GetDetail() == q.GetReason()
	default:
		x, waiting := e.GetUserExited(), e.GetSeriesExited()
		return x.GetBattleId() == o.Battle && x.GetLiveId() == o.Live || waiting.GetBattleId() == o.Battle && waiting.GetLiveId() == o.Live
	}
}

// longer is the extension that a command is about.
func (o Op) longer() subject {
	q, _ := o.Request.(*battlev1.ExtendBattleRequest)
	return subject{battlev1.Proposal_EXTEND, int64(q.GetExtendSeconds()) * 1000}
}

// proposes reports whether a live proposes something, or consents to it.
func proposes(e *battlev1.Entry, o Op, s subject) bool {
	made, consented := e.GetProposalMade(), e.GetProposalConsented()
	return made != nil && made.GetBattleId() == o.Battle && made.GetLiveId() == o.Live && about(made) == s ||
		consented != nil && consented.GetBattleId() == o.Battle && consented.GetLiveId() == o.Live && about(consented) == s
}

// needlessIn reports whether what the command asks for was so already.
func (o Op) needlessIn(s fights) bool {
	b, open := s.due(o.Battle)
	if !open {
		return false
	}
	switch o.Kind {
	case AcceptBattle:
		return o.Live != b.inviter && b.holds[o.Live] && !b.asked[o.Live]
	case RejectBattle:
		return b.answers[o.Live] == battlev1.Entry_InviteeAnswered_REJECTED
	case CancelBattle:
		return b.phase == requested && len(o.Others) > 0 && !slices.ContainsFunc(o.Others, func(live string) bool {
			return b.answers[live] != battlev1.Entry_InviteeAnswered_CANCELLED
		})
	case ExitBattle:
		return b.plays[o.Live] && (b.phase == settling || !b.holds[o.Live])
	case RejoinBattle:
		return b.phase >= running && b.plays[o.Live] && !b.exited[o.Live]
	case EndBattle:
		return b.phase == settling && (o.Live == "" || b.holds[o.Live]) || b.proposals[toEnd].consented[o.Live]
	case ExtendBattle:
		return b.proposals[o.longer()].consented[o.Live]
	}
	return false
}

// due is an open battle as its deadline leaves it, where that has come, and reports whether it is still open.
func (s fights) due(id string) (b fight, open bool) {
	if b, open = s.open[id]; !open {
		return b, false
	}
	b = b.clone()
	ready := b.ready()
	switch timeOver := b.until > 0 && b.until <= s.at; {
	case b.phase == requested && timeOver:
		for live := range b.asked {
			delete(b.holds, live)
			b.answers[live] = battlev1.Entry_InviteeAnswered_TIMED_OUT
		}
		clear(b.asked)
		b.phase, b.plays = starting, b.holds
		return b, b.sides() > 1
	case b.phase == starting && ready && b.startsAt <= s.at && b.endsAt <= s.at:
		b.phase = settling
	case b.phase == starting && ready && b.startsAt <= s.at:
		b.phase = running
	case b.phase == starting && !ready && timeOver:
		return b, false
	case b.phase == running && b.endsAt <= s.at:
		b.phase, b.proposals = settling, nil
	case b.phase == running:
		for what, p := range b.proposals {
			if p.until <= s.at {
				delete(b.proposals, what)
			}
		}
	}
	return b, true
}

// awaits reports whether another round follows a battle, which no deadline has begun, and whether a live waits for it.
func (s fights) awaits(id, live string) (goesOn, waits bool) {
	r, goesOn := s.after.rounds[id]
	goesOn = goesOn && r.nextAt > s.at
	return goesOn, goesOn && r.lives[live]
}
