package battle

// expireRequest decides what becomes of a request whose time is over: those who have not answered are out.
func (d *draft) expireRequest(b Battle) {
	if b.ExpiresAt.IsZero() || d.now.Before(b.ExpiresAt) {
		return
	}
	for _, m := range b.Invitees() {
		if m.State == Invited {
			d.add(InviteeAnswered{BattleID: b.ID, LiveID: m.LiveID, Answer: AnswerTimedOut})
		}
	}
	d.conclude(b.ID)
}
