package check

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// cohostCheck judges a command of COHOST_00. One to many targets is a command for each of them.
func (a answers) cohostCheck(o Op) {
	if o.Kind != Invite {
		target := ""
		if len(o.Others) > 0 {
			target = o.Others[0]
		}
		a.cohostOne(o, o.ID, target, o.Outcome, o.Reason)
		return
	}
	for i, target := range o.Others {
		outcome, reason := o.Outcome, ""
		switch {
		case outcome == Refused && i == 0:
			reason = o.Reason
		case outcome == OK && !slices.Contains(o.Accepted, target):
			outcome, reason = Refused, o.Refusals[target]
		}
		a.cohostOne(o, o.commandFor(target), target, outcome, reason)
	}
}

// cohostOne: what was answered with ok has happened, before the answer, or was so already; what was refused has not, for a
// reason that holds where the log has it; and without an answer it is one of the two, or nothing.
func (a answers) cohostOne(o Op, id, target string, outcome Outcome, reason string) {
	d, ok := a.cohost.byID[id]
	switch {
	case outcome == OK, ok && outcome == Unknown && d.refusal == nil:
		r := a.cohost.before(d)
		if outcome == OK {
			a.happened(o, ok, d.seq, true)
		}
		effect := has(d, func(e *cohostv1.Entry) bool { return o.effect(e, target, r) })
		if ok && r.lives[o.Live].presence.superseded(o.Session) && d.refusal == nil {
			a.f.add(Violation, "%s %s of %s: decided in group %d for session %s, %s has taken over", o.Kind, id, o.Live, d.seq, o.Session, r.lives[o.Live].presence.current)
		}
		if ok && r.lives[o.Live].presence.stage == lost && o.asHost() && d.refusal == nil {
			a.f.add(Violation, "%s %s of %s: decided in group %d for a host who is lost", o.Kind, id, o.Live, d.seq)
		}
		if ok && !effect && (!o.onlyTakes(d) || !o.needless(target, r)) {
			a.f.add(Violation, "%s %s of %s: answered %s, the decision in group %d does something else", o.Kind, id, o.Live, outcome, d.seq)
		}
	case outcome == Refused && a.passing(o, reason, ok, d):
	case outcome == Refused:
		a.kept(o, id, reason, ok, d.seq, d.refusal)
		fallthrough
	case ok && d.refusal != nil:
		if told := cmp.Or(reason, d.refusal.GetReason()); ok && !a.right(o, target, told, a.cohost.before(d)) {
			a.untrue(o, []string{target}, told)
		}
	}
}

// passing: a refusal for sending too much is not kept, nor one because its own host is lost, and the command may be carried out when it is
// tried again. It held during the last try.
func (a answers) passing(o Op, reason string, decided bool, d decision[*cohostv1.Entry]) bool {
	return (!decided || d.seq > o.Own.Before) && some(a.cohost.states, o.Own, func(r rooms) bool {
		byLive, byUser := r.pace(o.Live, r.lives[o.Live].host.GetUserId())
		tooFast := o.Kind == Invite && (byLive >= a.limits.LiveRate || byUser >= a.limits.UserRate)
		p := r.lives[o.Live].presence
		away := p.stage == lost && (o.asHost() || o.Kind == Rejoin) || p.departs && o.Kind == Rejoin
		return tooFast && (reason == rateLimited || reason == "") || away && (reason == "HOST_LOST" || reason == "")
	})
}

// asHost reports whether a host itself gives the command, or somebody who names its session.
func (o Op) asHost() bool { return o.As != "" || o.Session != "" }

// effect reports whether an entry is what the command asks for; r is what it found.
func (o Op) effect(e *cohostv1.Entry, target string, r rooms) bool {
	ended := func(inviter, invitee string, how cohostv1.Entry_InvitationEnded_Ending) bool {
		i := e.GetInvitationEnded()
		return i != nil && i.GetInviterLiveId() == inviter && i.GetInviteeLiveId() == invitee && i.GetEnding() == how && o.says(i)
	}
	switch o.Kind {
	case CreateLive:
		c := e.GetLiveCreated()
		q, kept := o.Request.(*cohostv1.CreateLiveRequest)
		return c != nil && c.GetLiveId() == o.Live && (!kept || c.GetKind() == q.GetKind() && proto.Equal(c.GetHost(), q.GetHost()))
	case EndLive:
		return e.GetLiveEnding().GetLiveId() == o.Live
	case UpdateLive:
		c := e.GetHostChanged()
		return c != nil && c.GetLiveId() == o.Live && proto.Equal(c.GetHost(), o.shown(r.lives[o.Live]))
	case Invite:
		return o.invites(e.GetInvitationSent(), target, r) ||
			ended(target, o.Live, cohostv1.Entry_InvitationEnded_ACCEPTED) && e.GetInvitationEnded().GetMutual()
	case Cancel:
		return ended(o.Live, target, cohostv1.Entry_InvitationEnded_CANCELLED)
	case Accept:
		return ended(target, o.Live, cohostv1.Entry_InvitationEnded_ACCEPTED) && !e.GetInvitationEnded().GetMutual()
	case Reject:
		return ended(target, o.Live, cohostv1.Entry_InvitationEnded_REJECTED)
	case Rejoin:
		return e.GetMemberJoined().GetLiveId() == o.Live && e.GetMemberJoined().GetConnectionId() == r.lives[o.Live].presence.lostFrom
	case SetLayout:
		c := e.GetLayoutSet()
		return c != nil && c.GetLiveId() == o.Live && c.GetConnectionId() == r.member[o.Live] && c.GetLayoutTemplate() == o.template()
	case Mute:
		c := e.GetRemoteMuteSet()
		return c != nil && c.GetLiveId() == o.Live && c.GetConnectionId() == r.member[o.Live] && c.GetTargetLiveId() == target && c.GetMuted() == o.mutes()
	default:
		return e.GetMemberLeft().GetLiveId() == o.Live && e.GetMemberLeft().GetReason() == cohostv1.Entry_MemberLeft_EXITED
	}
}

// needless reports whether what the command asks for was so already.
func (o Op) needless(target string, r rooms) bool {
	switch o.Kind {
	case EndLive:
		return !r.active(o.Live)
	case UpdateLive:
		return r.active(o.Live) && proto.Equal(r.lives[o.Live].host, o.shown(r.lives[o.Live]))
	case SetLayout:
		return r.member[o.Live] != "" && r.connections[r.member[o.Live]].layout == o.template()
	case Rejoin:
		return r.member[o.Live] != "" && r.member[o.Live] == r.lives[o.Live].presence.lostFrom
	case Mute:
		return r.together(o.Live, target) && slices.Contains(r.lives[o.Live].muted, target) == o.mutes()
	}
	return false
}

// onlyTakes reports whether there was nothing to do but to have the command's session take over.
func (o Op) onlyTakes(d decision[*cohostv1.Entry]) bool {
	return d.refusal == nil && !slices.ContainsFunc(d.entries, func(e *cohostv1.Entry) bool {
		t := e.GetSessionTaken()
		return t == nil || t.GetLiveId() != o.Live || t.GetSessionId() != o.Session
	})
}

func (o Op) template() string {
	q, _ := o.Request.(*cohostv1.SetLayoutTemplateRequest)
	return q.GetLayoutTemplate()
}

func (o Op) mutes() bool {
	q, _ := o.Request.(*cohostv1.MuteRemoteHostAudioRequest)
	return q.GetMuted()
}

// shown is the host of a live after an update.
func (o Op) shown(l life) proto.Message {
	q, _ := o.Request.(*cohostv1.UpdateLiveRequest)
	host := proto.CloneOf(l.host)
	if host != nil && q.GetHost().UserName != nil {
		host.UserName = q.GetHost().GetUserName()
	}
	if host != nil && q.GetHost().AvatarUrl != nil {
		host.AvatarUrl = q.GetHost().GetAvatarUrl()
	}
	return host
}

// says reports whether the end of an invitation holds what its invitee said, to the letter.
func (o Op) says(e *cohostv1.Entry_InvitationEnded) bool {
	switch q := o.Request.(type) {
	case *cohostv1.RequestHostConnectionRequest: // which accepts theirs
		return e.GetExtensionInfo() == q.GetExtensionInfo()
	case *cohostv1.AcceptHostConnectionRequest:
		return e.GetExtensionInfo() == q.GetExtensionInfo()
	case *cohostv1.RejectHostConnectionRequest:
		code := q.GetReasonCode()
		switch {
		case code != 0:
		case q.GetReason() != "":
			code = cohostv1.CoHostRequestRejected_CUSTOM
		default:
			code = cohostv1.CoHostRequestRejected_DECLINED
		}
		return e.GetExtensionInfo() == q.GetExtensionInfo() && e.GetReason() == q.GetReason() && e.GetReasonCode() == code
	}
	return true
}

// invites reports whether an invitation is the one that was asked for.
func (o Op) invites(e *cohostv1.Entry_InvitationSent, target string, r rooms) bool {
	if e == nil || e.GetInviterLiveId() != o.Live || e.GetInviteeLiveId() != target {
		return false
	}
	q, kept := o.Request.(*cohostv1.RequestHostConnectionRequest)
	return !kept || e.GetExtensionInfo() == q.GetExtensionInfo() && e.GetLayoutTemplate() == layoutOr(q.GetLayoutTemplate(), r.lives[o.Live].kind) &&
		(q.GetTimeoutSeconds() == 0 || e.GetExpiresAtMs() == r.at+int64(q.GetTimeoutSeconds())*1000)
}
