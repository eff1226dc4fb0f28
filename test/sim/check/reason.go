package check

import (
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// battleReason reports whether the reason for which BATTLE_00 has a command refused is one that the command can have, and held in what
// the command found.
func (a answers) battleReason(o Op, reason string, s fights) bool {
	if w, known := a.wants(o); reason != "SUPERSEDED" && known && (o.Kind == RequestBattle || s.rematchable(o) && a.battle.final[o.Battle].plays[o.Live]) {
		return reason == a.refusal(o, w, s)
	}
	_, known := s.open[o.Battle]
	b, open := s.due(o.Battle)
	goesOn, waits := s.awaits(o.Battle, o.Live)
	answers, proposes := o.Kind == AcceptBattle || o.Kind == RejectBattle, o.Kind == EndBattle || o.Kind == ExtendBattle
	targets := func(is func(live string) bool) bool {
		return o.Kind == CancelBattle && slices.ContainsFunc(o.Others, is)
	}
	rejoins := o.Kind == RejoinBattle
	switch reason {
	case "SUPERSEDED":
		return o.Session != "" && s.sessions[o.Live].superseded(o.Session)
	case "CONNECTION_NOT_FOUND":
		return rejoins && open && (s.member[o.Live] == "" || s.member[o.Live] != b.GetConnectionId() || a.battle.users[o.Live] != a.battle.hosts[[2]string{o.Battle, o.Live}])
	case "IN_OTHER_BATTLE":
		return rejoins && open && (s.heldIn(o.Live, true) || s.heldIn(o.Live, false))
	case "BATTLE_NOT_FOUND":
		return o.Kind != RequestBattle && !s.ended(o.Battle) && !known
	case "BATTLE_ENDED":
		series := o.Kind == EndBattle && o.Live == "" && goesOn || o.Kind == ExitBattle && waits
		over := s.ended(o.Battle) && !series || known && !open
		return o.Kind != Rematch && over || rejoins && open && b.phase == settling || o.Kind == ExtendBattle && open && (b.phase == settling || b.phase == running && b.endsAt-lastMoment <= s.at)
	case "NOT_IN_BATTLE":
		switch {
		case o.Kind == Rematch:
			return s.ended(o.Battle) && !goesOn && !a.battle.final[o.Battle].plays[o.Live]
		case !open, o.Kind == CancelBattle:
			return open && targets(func(live string) bool { return live == b.inviter || !a.battle.lives[o.Battle][live] })
		case answers:
			return !a.battle.lives[o.Battle][o.Live]
		case rejoins:
			return !a.battle.lives[o.Battle][o.Live] || !b.lost[o.Live] || !b.opened[o.Live]
		case o.Kind == ExitBattle:
			return !b.plays[o.Live]
		}
		return proposes && o.Live != "" && !b.holds[o.Live]
	case "BATTLE_NOT_STARTED_BY_LIVE":
		return open && o.Kind == CancelBattle && b.inviter != o.Live
	case "BATTLE_NOT_STARTED":
		early := open && b.phase < running
		return open && b.phase == requested && (o.Kind == ExitBattle || o.Kind == Rematch) || early && (rejoins || o.Kind == ExtendBattle || o.Kind == EndBattle && o.Live != "")
	case "BATTLE_ALREADY_RUNNING":
		late := open && b.phase != requested
		return late && (o.Kind == RejectBattle && b.plays[o.Live] || o.Kind == CancelBattle || o.Kind == Rematch) || o.Kind == Rematch && goesOn
	case "INVITATION_ENDED":
		return open && (answers && (b.inviter == o.Live || !b.asked[o.Live]) || b.phase == requested && targets(func(live string) bool {
			return a.battle.lives[o.Battle][live] && !b.asked[live] && b.answers[live] != battlev1.Entry_InviteeAnswered_CANCELLED
		}))
	case "BATTLE_REQUEST_PENDING":
		for what, p := range b.proposals {
			if o.Kind == ExtendBattle && p.by == o.Live && what.kind == battlev1.Proposal_EXTEND && what != o.longer() {
				return true
			}
		}
	}
	return false
}

// momentary reports whether a reason that the log does not keep held in a state of BATTLE_00: a request too many, which may be carried out when
// it is tried again, or what is malformed, which never is.
func (a answers) momentary(o Op, s fights) bool {
	if o.Reason == battleRateLimited {
		return (o.Kind == RequestBattle || o.Kind == Rematch) && s.tooMany(o.Live, a.battle.users[o.Live], a.limits)
	}
	if o.Kind == ExtendBattle {
		b := s.open[o.Battle]
		runs := b.phase == running || b.phase == starting && b.ready() // it may have begun in the decision that refused this
		return runs && b.tooLong(o.longer().ms, a.limits)
	}
	w, known := a.wants(o)
	return known && w.malformed(o.Live, a.limits)
}

// rematchable reports whether a battle can be requested again by a live.
func (s fights) rematchable(o Op) bool {
	goesOn, _ := s.awaits(o.Battle, o.Live)
	return o.Kind == Rematch && s.ended(o.Battle) && !goesOn
}
