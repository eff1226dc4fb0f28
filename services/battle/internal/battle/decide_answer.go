package battle

import (
	"slices"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// answer decides an invitee's yes or no. The same answer again changes nothing, the opposite is refused.
func (d *draft) answer(battleID, liveID string, answer Answer, reason string) error {
	b, m, err := d.findFor(battleID, liveID)
	if err != nil {
		return err
	}
	inviter := liveID == b.Inviter().LiveID
	switch {
	case inviter:
		return es.Refuse(ReasonInvitationEnded, "live %s is the inviter of battle %s, nobody has asked it", liveID, battleID)
	case m.State == answer.state():
		return nil
	case m.State == Joined && b.Phase != PhaseRequested:
		return es.Refuse(ReasonBattleAlreadyRunning, "battle %s has started with live %s", battleID, liveID)
	case m.State != Invited:
		return es.Refuse(ReasonInvitationEnded, "the invitation of live %s to battle %s has ended", liveID, battleID)
	}
	d.add(InviteeAnswered{BattleID: battleID, LiveID: liveID, Answer: answer, Reason: reason})
	d.conclude(battleID)
	return nil
}

// conclude ends a request that waits for nobody any more, or has only one side left: the battle starts if two sides have
// said yes, else it never will.
func (d *draft) conclude(battleID string) {
	b, _ := d.battle(battleID)
	switch {
	case b.Phase != PhaseRequested:
		return
	case b.sides() > 1 && b.count(invited) > 0:
		return
	case b.sides() > 1:
		d.start(battleID)
		return
	}
	never := NeverAborted // the last invitee left
	if last, answered := d.events[len(d.events)-1].(InviteeAnswered); answered {
		switch last.Answer {
		case AnswerTimedOut:
			never = NeverTimedOut
		case AnswerCancelled:
			never = NeverCancelled
		default:
			never = NeverRejected
		}
	}
	d.neverStart(battleID, never)
}

// cancel decides that the inviter takes its request back.
func (d *draft) cancel(c CancelBattleRequest) error {
	b, err := d.find(c.BattleID)
	if err != nil {
		return err
	}
	if b.Inviter().LiveID != c.LiveID {
		return es.Refuse(ReasonBattleNotStartedByLive, "battle %s was not requested by live %s", c.BattleID, c.LiveID)
	}
	if b.Phase != PhaseRequested {
		return es.Refuse(ReasonBattleAlreadyRunning, "battle %s has started; it can be exited, not cancelled", c.BattleID)
	}
	switch {
	case len(c.TargetLives) > 0 && len(c.TargetUsers) > 0:
		return es.Invalid("target_user_ids", "targets are named here or in target_live_ids, not in both")
	case len(c.TargetLives) > 0:
		return d.cancelFor(b, c.TargetLives, func(m Member) string { return m.LiveID })
	case len(c.TargetUsers) > 0:
		return d.cancelFor(b, c.TargetUsers, func(m Member) string { return m.Host.ID })
	}
	d.neverStart(c.BattleID, NeverCancelled)
	return nil
}

// cancelFor decides that a request is taken back from some of those that were asked: from all that are named or from none,
// and again from those it was taken from changes nothing.
func (d *draft) cancelFor(b Battle, names []string, nameOf func(Member) string) error {
	var open []string
	for _, name := range names {
		i := slices.IndexFunc(b.Invitees(), func(m Member) bool { return nameOf(m) == name })
		if i < 0 {
			return es.Refuse(ReasonNotInBattle, "%s was not asked to battle %s", name, b.ID)
		}
		switch m := b.Invitees()[i]; m.State {
		case Cancelled:
		case Invited:
			open = append(open, m.LiveID)
		default:
			return es.Refuse(ReasonInvitationEnded, "the invitation of live %s to battle %s has ended", m.LiveID, b.ID)
		}
	}
	for _, live := range open {
		d.add(InviteeAnswered{BattleID: b.ID, LiveID: live, Answer: AnswerCancelled})
	}
	if len(open) > 0 {
		d.conclude(b.ID)
	}
	return nil
}
