package view

import (
	"slices"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
)

// telling is an event for one live, still without its number.
type telling struct {
	liveID string
	event  *battlev1.Event
}

// tell says who is told what of an event that made `before` into `after`; see faceoff/battle/v1/events.proto.
func tell(before, after battle.Battle, event battle.Event, at time.Time) []telling {
	t := &teller{battle: after, at: at}
	switch e := event.(type) {
	case battle.BattleRequested:
		if !e.ExpiresAt.IsZero() { // somebody is asked
			t.requested()
		}
	case battle.InviteeAnswered:
		t.answered(e)
	case battle.BattleStarting:
		t.add(&battlev1.Event{Event: &battlev1.Event_BattleStarting{BattleStarting: &battlev1.BattleStarting{
			Battle: codec.Battle(after, at),
		}}}, t.present()...)
	case battle.BattleStarted:
		t.started()
	case battle.UserExited:
		if m, _ := before.Member(e.LiveID); m.State == battle.Invited {
			t.cancelled(m)
		}
		t.exited(e.LiveID, e.Reason)
	case battle.UserRejoined:
		t.add(&battlev1.Event{Event: &battlev1.Event_UserJoinBattle{UserJoinBattle: &battlev1.UserJoinBattle{
			BattleId: e.BattleID, User: t.user(e.LiveID), Rejoined: true,
		}}}, t.present()...)
	case battle.ProposalMade:
		t.proposal(battlev1.BattleProposal_MADE, e.Subject, e.LiveID)
	case battle.ProposalConsented:
		t.proposal(battlev1.BattleProposal_CONSENTED, e.Subject, e.LiveID)
	case battle.ProposalLapsed:
		t.lapsed(before, e.Subject)
	case battle.BattleExtended:
		t.extended(e)
	case battle.BattleEnding:
		t.lapsedAtEnd(before, e.Reason)
		t.add(&battlev1.Event{Event: &battlev1.Event_BattleSettling{BattleSettling: &battlev1.BattleSettling{
			Battle: codec.Battle(after, at), Reason: battlev1.Battle_EndReason(e.Reason),
		}}}, t.present()...)
	case battle.BattleEnded:
		t.lapsedAtEnd(before, e.Reason) // a void comes without BattleEnding
		if e.Never == battle.NeverCancelled || before.Phase == battle.PhaseRequested && e.Never == 0 {
			t.cancelledForAll()
		}
		t.ended()
		if after.Punishing() {
			t.add(&battlev1.Event{Event: &battlev1.Event_PunishmentStarted{PunishmentStarted: &battlev1.PunishmentStarted{
				Battle: codec.Battle(after, at),
			}}}, t.played()...)
		}
	case battle.PunishmentEnded:
		t.add(&battlev1.Event{Event: &battlev1.Event_PunishmentEnded{PunishmentEnded: &battlev1.PunishmentEnded{
			BattleId: e.BattleID, Reason: battlev1.PunishmentEnded_Reason(e.Reason),
		}}}, t.played()...)
	case battle.SeriesExited:
		t.exited(e.LiveID, e.Reason)
	case battle.SeriesEnded:
		t.add(&battlev1.Event{Event: &battlev1.Event_SeriesEnded{SeriesEnded: &battlev1.SeriesEnded{
			Battle: codec.Battle(after, at), Detail: e.Detail,
		}}}, t.played()...)
	}
	return t.told
}

// teller collects what follows from one event of a battle.
type teller struct {
	battle battle.Battle
	at     time.Time
	told   []telling
}

func (t *teller) inviter() *battlev1.BattleUser { return codec.User(t.battle.Inviter()) }

// user is a member as the event has left it.
func (t *teller) user(liveID string) *battlev1.BattleUser {
	m, _ := t.battle.Member(liveID)
	return codec.User(m)
}

// requested goes to each invitee, and to the inviter as its own.
func (t *teller) requested() {
	message := codec.Battle(t.battle, t.at)
	t.add(&battlev1.Event{Event: &battlev1.Event_BattleRequestSent{BattleRequestSent: &battlev1.BattleRequestSent{
		Battle: message,
	}}}, t.battle.Inviter().LiveID)
	for _, m := range t.battle.Invitees() {
		t.add(&battlev1.Event{Event: &battlev1.Event_BattleRequestReceived{BattleRequestReceived: &battlev1.BattleRequestReceived{
			Battle: message, Inviter: t.inviter(), Invitee: codec.User(m),
		}}}, m.LiveID)
	}
}

// answered goes to all lives of the battle, and to the invitee. That it has accepted goes to the inviter, to all that it has
// joined. That it has timed out goes to the two: at once the battle starts or ends, which tells the others.
func (t *teller) answered(e battle.InviteeAnswered) {
	id, inviter := t.battle.ID, t.battle.Inviter().LiveID
	switch e.Answer {
	case battle.AnswerAccepted:
		t.add(&battlev1.Event{Event: &battlev1.Event_BattleRequestAccept{BattleRequestAccept: &battlev1.BattleRequestAccept{
			BattleId: id, Inviter: t.inviter(), Invitee: t.user(e.LiveID),
		}}}, inviter)
		t.add(&battlev1.Event{Event: &battlev1.Event_UserJoinBattle{UserJoinBattle: &battlev1.UserJoinBattle{
			BattleId: id, User: t.user(e.LiveID),
		}}}, t.present()...)
	case battle.AnswerRejected:
		t.add(&battlev1.Event{Event: &battlev1.Event_BattleRequestReject{BattleRequestReject: &battlev1.BattleRequestReject{
			BattleId: id, Inviter: t.inviter(), Invitee: t.user(e.LiveID), Reason: e.Reason,
		}}}, t.presentAnd(e.LiveID)...)
	case battle.AnswerCancelled:
		m, _ := t.battle.Member(e.LiveID)
		t.cancelled(m, t.present()...)
	case battle.AnswerTimedOut:
		t.add(&battlev1.Event{Event: &battlev1.Event_BattleRequestTimeout{BattleRequestTimeout: &battlev1.BattleRequestTimeout{
			BattleId: id, Inviter: t.inviter(), Invitee: t.user(e.LiveID),
		}}}, inviter, e.LiveID)
	}
}

// started goes to all lives of the battle.
func (t *teller) started() {
	started := &battlev1.BattleStarted{Battle: codec.Battle(t.battle, t.at), Inviter: t.inviter()}
	for _, m := range t.battle.Invitees() {
		if m.Present() {
			started.Invitees = append(started.Invitees, codec.User(m))
		}
	}
	t.add(&battlev1.Event{Event: &battlev1.Event_BattleStarted{BattleStarted: started}}, t.present()...)
}

// exited goes to all lives of the battle, the one that exits included.
func (t *teller) exited(liveID string, reason battle.ExitReason) {
	t.add(&battlev1.Event{Event: &battlev1.Event_UserExitBattle{UserExitBattle: &battlev1.UserExitBattle{
		BattleId: t.battle.ID, User: t.user(liveID), Reason: battlev1.UserExitBattle_Reason(reason),
	}}}, t.presentAnd(liveID)...)
}

// cancelled goes to an invitee whose request is gone, and to others.
func (t *teller) cancelled(m battle.Member, others ...string) {
	t.add(&battlev1.Event{Event: &battlev1.Event_BattleRequestCancelled{BattleRequestCancelled: &battlev1.BattleRequestCancelled{
		BattleId: t.battle.ID, Inviter: t.inviter(), Invitee: codec.User(m),
	}}}, append(others, m.LiveID)...)
}

func (t *teller) cancelledForAll() {
	for _, m := range t.battle.Invitees() {
		if m.Present() {
			t.cancelled(m)
		}
	}
}

// proposal goes to all lives of the battle; liveID is who proposed or consented, if anybody.
func (t *teller) proposal(change battlev1.BattleProposal_Change, s battle.Subject, liveID string) {
	p, _ := t.battle.Proposal(s)
	told := &battlev1.BattleProposal{BattleId: t.battle.ID, Change: change, Proposal: codec.Proposal(p)}
	if liveID != "" {
		told.User = t.user(liveID)
	}
	t.add(&battlev1.Event{Event: &battlev1.Event_BattleProposal{BattleProposal: told}}, t.present()...)
}

// lapsed goes to all lives that were in the battle, with the proposal as it was.
func (t *teller) lapsed(before battle.Battle, s battle.Subject) {
	was := teller{battle: before, at: t.at}
	was.proposal(battlev1.BattleProposal_LAPSED, s, "")
	t.told = append(t.told, was.told...)
}

// lapsedAtEnd tells of the proposals that an end leaves behind: all but the one that it comes of.
func (t *teller) lapsedAtEnd(before battle.Battle, reason battle.EndReason) {
	for _, p := range before.Proposals {
		if p.Kind != battle.ProposalEnd || reason != battle.EndCutShort {
			t.lapsed(before, p.Subject)
		}
	}
}

// extended goes to all lives of the battle.
func (t *teller) extended(e battle.BattleExtended) {
	t.add(&battlev1.Event{Event: &battlev1.Event_BattleExtended{BattleExtended: &battlev1.BattleExtended{
		Battle: codec.Battle(t.battle, t.at), ExtendSeconds: codec.Seconds(e.By),
	}}}, t.present()...)
}

// ended goes to all lives that were asked to the battle.
func (t *teller) ended() {
	var all []string
	for _, m := range t.battle.Members {
		all = append(all, m.LiveID)
	}
	t.add(&battlev1.Event{Event: &battlev1.Event_BattleEnded{BattleEnded: &battlev1.BattleEnded{
		Battle: codec.Battle(t.battle, t.at), Reason: battlev1.Battle_EndReason(t.battle.Reason), Result: codec.Result(t.battle.Result),
		Detail: t.battle.Detail,
	}}}, all...)
}

// played are the lives that the battle started with.
func (t *teller) played() []string {
	return t.lives(func(m battle.Member) bool { return m.Plays })
}

// present are the lives of the battle: those invited or joined, and not gone again; once it has ended, those that wait for
// the next round, or take part in the punishment.
func (t *teller) present() []string {
	if t.battle.Open() {
		return t.lives(battle.Member.Present)
	}
	return t.lives(func(m battle.Member) bool { return t.battle.Waits(m.LiveID) || t.battle.Punishes(m) })
}

// presentAnd are those that are present, and one that may have gone.
func (t *teller) presentAnd(liveID string) []string {
	lives := t.present()
	if slices.Contains(lives, liveID) {
		return lives
	}
	return append(lives, liveID)
}

func (t *teller) lives(is func(battle.Member) bool) []string {
	var lives []string
	for _, m := range t.battle.Members {
		if is(m) {
			lives = append(lives, m.LiveID)
		}
	}
	return lives
}

func (t *teller) add(e *battlev1.Event, lives ...string) {
	for _, live := range lives {
		t.told = append(t.told, telling{liveID: live, event: e})
	}
}
