package check

import cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

const rateLimited = "CONNECTION_RATE_LIMITED"

// right reports whether the reason for which COHOST_00 has a command refused is one that the command can have, and held in
// what the command found.
func (a answers) right(o Op, target, reason string, r rooms) bool {
	mine, theirs := r.lives[o.Live], r.lives[target]
	invites := o.Kind == Invite
	answers := o.Kind == Accept || o.Kind == Reject
	p := mine.presence
	switch reason {
	case "SUPERSEDED":
		return o.Session != "" && p.superseded(o.Session)
	case "HOST_LOST":
		accepts := o.Kind == Accept || invites && !r.noInvitation(pair{target, o.Live})
		return (p.stage == lost || theirs.presence.stage == lost) && (invites || accepts)
	case "LIVE_EXISTS":
		return o.Kind == CreateLive && r.active(o.Live)
	case "LIVE_NOT_FOUND":
		return o.Kind != CreateLive && !r.active(o.Live) || invites && !r.active(target)
	case "PERMISSION_DENIED":
		q, ok := o.Request.(*cohostv1.UpdateLiveRequest)
		return ok && q.GetHost().GetUserId() != "" && q.GetHost().GetUserId() != mine.host.GetUserId()
	case "LIVE_KIND_MISMATCH":
		return r.active(o.Live) && (invites && r.active(target) && mine.kind != theirs.kind || o.forOthers(mine))
	case "ALREADY_CONNECTED":
		return invites && r.together(o.Live, target)
	case "CONNECTED_WITH_OTHERS":
		return invites && r.member[target] != "" && !r.together(o.Live, target) || o.Kind == Accept && r.member[o.Live] != "" ||
			o.Kind == Rejoin && r.member[o.Live] != "" && r.member[o.Live] != p.lostFrom
	case "INVITATION_PENDING":
		return invites && !r.noInvitation(pair{o.Live, target})
	case "INVITATION_ENDED":
		return o.Kind == Cancel && r.noInvitation(pair{o.Live, target}) || answers && r.noInvitation(pair{target, o.Live})
	case "CONNECTION_NOT_FOUND":
		return (o.Kind == Exit || o.Kind == SetLayout) && r.member[o.Live] == "" || o.Kind == Mute && !r.together(o.Live, target) ||
			o.Kind == Rejoin && r.member[o.Live] == "" && !r.mayRejoin(o.Live)
	case "CONNECTION_FULL":
		l, known := layouts[o.template()]
		return o.Kind == Rejoin && r.fullIs(p.lostFrom, a.limits.Members) || invites && r.full(o.Live, a.limits.Members) || o.Kind == SetLayout && known && r.size(o.Live) > l.seats ||
			(o.Kind == Accept || invites && !r.noInvitation(pair{target, o.Live})) && r.full(target, a.limits.Members)
	case rateLimited: // for those that wait; for those that were sent see passing
		out, _ := r.waiting(o.Live)
		_, in := r.waiting(target)
		return invites && (out >= a.limits.Pending || in >= a.limits.Pending)
	}
	return false
}

// forOthers reports whether a command is for a layout of lives of another kind.
func (o Op) forOthers(l life) bool {
	template := o.template()
	if q, ok := o.Request.(*cohostv1.RequestHostConnectionRequest); ok {
		template = q.GetLayoutTemplate()
	}
	x, known := layouts[template]
	return known && x.kind != l.kind
}

// mayRejoin reports whether the connection that a live's host was lost from goes on, and it is not too late.
func (r rooms) mayRejoin(live string) bool {
	p := r.lives[live].presence
	_, goesOn := r.connections[p.lostFrom]
	return goesOn && r.at < p.rejoin
}
