package battle

import "github.com/faceoff-live/faceoff/pkg/es"

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
	switch last := d.events[len(d.events)-1].(type) {
	case InviteeAnswered:
		never = NeverRejected
		if last.Answer == AnswerTimedOut {
			never = NeverTimedOut
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
	d.neverStart(c.BattleID, NeverCancelled)
	return nil
}
