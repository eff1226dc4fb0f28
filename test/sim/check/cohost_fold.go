package check

import (
	"slices"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

const cohostName = "COHOST_00"

// cohostFold reads COHOST_00 decision by decision.
type cohostFold struct {
	rooms

	f      *Findings
	log    *cohostLog
	limits Limits
	tells  bool
	restAt int64

	// sent and ended are all invitations by id, and most how many lives each connection had.
	sent  map[string]place
	ended map[string]bool
	most  map[string]int

	d decision[*cohostv1.Entry]
	// accepted are the invitations that the decision accepts.
	accepted map[pair]invite
}

func (x *cohostFold) wrong(format string, args ...any) { x.found(Violation, format, args...) }

func (x *cohostFold) found(c Class, format string, args ...any) {
	x.f.add(c, "%s/%d: "+format, append([]any{cohostName, x.d.seq}, args...)...)
}

func (x *cohostFold) decide(d decision[*cohostv1.Entry]) {
	x.d, x.at = d, d.at
	if len(d.entries) == 0 {
		return
	}
	x.rooms, x.accepted = x.clone(), nil
	for _, entry := range d.entries {
		if x.tells {
			x.tell(entry)
		}
		switch e := entry.GetEntry().(type) {
		case *cohostv1.Entry_LiveCreated_:
			x.liveCreated(e.LiveCreated)
		case *cohostv1.Entry_LiveEnding_:
			x.liveEnding(e.LiveEnding)
		case *cohostv1.Entry_HostChanged_:
			x.hostChanged(e.HostChanged)
		case *cohostv1.Entry_InvitationSent_:
			x.invitationSent(e.InvitationSent)
		case *cohostv1.Entry_InvitationEnded_:
			x.invitationEnded(e.InvitationEnded)
		case *cohostv1.Entry_ConnectionStarted_:
			x.connectionStarted(e.ConnectionStarted)
		case *cohostv1.Entry_MemberJoined_:
			x.memberJoined(e.MemberJoined)
		case *cohostv1.Entry_MemberLeft_:
			x.memberLeft(e.MemberLeft)
		case *cohostv1.Entry_ConnectionEnded_:
			x.connectionEnded(e.ConnectionEnded)
		case *cohostv1.Entry_LayoutSet_:
			x.layoutSet(e.LayoutSet)
		case *cohostv1.Entry_RemoteMuteSet_:
			x.remoteMuteSet(e.RemoteMuteSet)
		case *cohostv1.Entry_PresenceBegan_:
			x.stage(e.PresenceBegan.GetLiveId(), present, unset)
		case *cohostv1.Entry_HostUnreachable_:
			x.stage(e.HostUnreachable.GetLiveId(), unreachable, present)
		case *cohostv1.Entry_HostLost_:
			x.hostLost(e.HostLost.GetLiveId())
		case *cohostv1.Entry_HostRecovered_:
			x.hostRecovered(e.HostRecovered)
		case *cohostv1.Entry_SessionTaken_:
			x.sessionTaken(e.SessionTaken)
		}
	}
	x.decided()
}

// decided checks what holds after every decision.
func (x *cohostFold) decided() {
	for id, c := range x.connections {
		n := len(c.members)
		x.most[id] = max(x.most[id], n)
		if n < 2 || x.limits.Members > 0 && n > x.limits.Members {
			x.wrong("connection %s has %d lives", id, n)
		}
		if l, known := layouts[c.layout]; known && n > l.seats {
			x.wrong("connection %s has %d lives and layout %s, which has %d seats", id, n, c.layout, l.seats)
		}
	}
	for p := range x.accepted {
		if !x.together(p[0], p[1]) {
			x.wrong("the invitation of %v is accepted, and they are not together", p)
		}
	}
	for p := range x.pending {
		if x.lives[p[0]].presence.stage == lost || x.lives[p[1]].presence.stage == lost {
			x.wrong("an invitation of %v is pending, and the host of one is lost", p)
		}
		if x.member[p[1]] != "" {
			x.wrong("an invitation of %v is pending, and %s is in connection %s", p, p[1], x.member[p[1]])
		}
	}
}

func (x *cohostFold) liveCreated(e *cohostv1.Entry_LiveCreated) {
	if x.active(e.GetLiveId()) {
		x.found(Duplicated, "live %s is created twice", e.GetLiveId())
	}
	x.lives[e.GetLiveId()] = life{kind: e.GetKind(), host: e.GetHost(), since: x.at}
}

func (x *cohostFold) liveEnding(e *cohostv1.Entry_LiveEnding) {
	id := e.GetLiveId()
	if !x.active(id) {
		x.found(Duplicated, "live %s ends twice", id)
	}
	if x.member[id] != "" {
		x.wrong("live %s ends in connection %s", id, x.member[id])
	}
	for p := range x.pending {
		if p[0] == id || p[1] == id {
			x.wrong("live %s ends with a pending invitation of %v", id, p)
		}
	}
	if stage := x.lives[id].presence.stage; e.GetLost() {
		if stage != lost {
			x.wrong("live %s ends because its host is lost, which is %v", id, stage)
		}
		x.log.stages = append(x.log.stages, turnOf{id, stage, unset, x.lives[id].presence.since, place{x.d.seq, x.at}, x.d.id})
	}
	delete(x.lives, id)
}

func (x *cohostFold) hostChanged(e *cohostv1.Entry_HostChanged) {
	l, ok := x.lives[e.GetLiveId()]
	if !ok || l.host.GetUserId() != e.GetHost().GetUserId() {
		x.wrong("live %s of %s changes hands: %v", e.GetLiveId(), l.host.GetUserId(), e.GetHost())
	}
	if proto.Equal(l.host, e.GetHost()) {
		x.found(Duplicated, "the host of live %s is shown as before", e.GetLiveId())
	}
	l.host = e.GetHost()
	x.lives[e.GetLiveId()] = l
}

func (x *cohostFold) invitationSent(e *cohostv1.Entry_InvitationSent) {
	p := pair{e.GetInviterLiveId(), e.GetInviteeLiveId()}
	if x.sent[e.GetInvitationId()].seq > 0 || x.pending[p].id != "" {
		x.found(Duplicated, "%v is invited while %q is pending", p, x.pending[p].id)
	}
	if !x.active(p[0]) || !x.active(p[1]) {
		x.wrong("an invitation of %v, one of which is no live", p)
	}
	x.oneKind(p, e.GetLayoutTemplate())
	if e.GetExpiresAtMs() <= x.at {
		x.wrong("an invitation of %v of which nobody knows when it ends", p)
	}
	if theirs := (pair{p[1], p[0]}); !x.noInvitation(theirs) {
		x.wrong("an invitation of %v, and one of %v is pending", p, theirs)
	}
	host := x.lives[p[0]].host.GetUserId()
	x.rooms.sent = append(x.rooms.sent, sending{p[0], host, x.at})
	if byLive, byUser := x.pace(p[0], host); exceeds(byLive, x.limits.LiveRate) || exceeds(byUser, x.limits.UserRate) {
		x.wrong("live %s sends %d invitations within a minute, and user %s %d", p[0], byLive, host, byUser)
	}
	x.sent[e.GetInvitationId()] = place{x.d.seq, x.at}
	x.pending[p] = invite{e.GetInvitationId(), len(x.rooms.sent), x.at, e.GetExpiresAtMs(), e.GetLayoutTemplate(), e.GetExtensionInfo()}
	out, _ := x.waiting(p[0])
	if _, in := x.waiting(p[1]); exceeds(out, x.limits.Pending) || exceeds(in, x.limits.Pending) {
		x.wrong("live %s has %d invitations out, and live %s %d in", p[0], out, p[1], in)
	}
}

// exceeds reports whether n is more than a limit that is known.
func exceeds(n, limit int) bool { return limit > 0 && n > limit }

// oneKind: lives of two kinds have nothing in common, and a layout is for one of them.
func (x *cohostFold) oneKind(p pair, template string) {
	kind := x.lives[p[0]].kind
	if other := x.lives[p[1]].kind; other != kind {
		x.wrong("an invitation of %v, a %v and a %v live", p, kind, other)
	}
	if l, known := layouts[template]; known && l.kind != kind {
		x.wrong("an invitation of %v to layout %q, and %s is a %v live", p, template, p[0], kind)
	}
}

func (x *cohostFold) invitationEnded(e *cohostv1.Entry_InvitationEnded) {
	p := pair{e.GetInviterLiveId(), e.GetInviteeLiveId()}
	id, until := e.GetInvitationId(), x.pending[p].until
	switch {
	case x.sent[id].seq == 0:
		x.wrong("invitation %s of %v ends and was never sent", id, p)
	case x.ended[id]:
		x.found(Duplicated, "invitation %s of %v ends twice", id, p)
	case (e.GetEnding() == cohostv1.Entry_InvitationEnded_TIMED_OUT) != (x.at >= until):
		x.wrong("invitation %s of %v ends at %d, %v; its deadline is %d", id, p, x.at, e.GetEnding(), until)
	case overdue(x.at, until, x.restAt):
		x.wrong("invitation %s of %v ends %d ms late", id, p, x.at-until)
	}
	switch e.GetEnding() {
	case cohostv1.Entry_InvitationEnded_ACCEPTED:
		if x.accepted == nil {
			x.accepted = map[pair]invite{}
		}
		x.accepted[p] = x.pending[p]
	case cohostv1.Entry_InvitationEnded_TIMED_OUT:
		from := x.sent[id]
		x.log.spans = append(x.log.spans, Span{"invitation " + id + " times out", cohostName, from.seq, x.d.seq, until - from.at})
	}
	if rejects := e.GetEnding() == cohostv1.Entry_InvitationEnded_REJECTED; !rejects && (e.GetReason() != "" || e.GetReasonCode() != 0) {
		x.wrong("invitation %s of %v ends, %v, for reason %v %q", id, p, e.GetEnding(), e.GetReasonCode(), e.GetReason())
	}
	x.ended[id] = true
	delete(x.pending, p)
}

func (x *cohostFold) connectionStarted(e *cohostv1.Entry_ConnectionStarted) {
	if _, again := x.connections[e.GetConnectionId()]; again || x.most[e.GetConnectionId()] > 0 {
		x.found(Duplicated, "connection %s starts twice", e.GetConnectionId())
	}
	for p, i := range x.accepted {
		if i.layout != e.GetLayoutTemplate() {
			x.wrong("connection %s starts with layout %q, the invitation of %v was to %q", e.GetConnectionId(), e.GetLayoutTemplate(), p, i.layout)
		}
	}
	x.connections[e.GetConnectionId()] = connection{layout: e.GetLayoutTemplate()}
}

func (x *cohostFold) memberJoined(e *cohostv1.Entry_MemberJoined) {
	live, id := e.GetLiveId(), e.GetConnectionId()
	if in := x.member[live]; in != "" {
		x.wrong("live %s joins connection %s and is in %s", live, id, in)
	}
	invited := false
	for p := range x.accepted {
		invited = invited || p[0] == live || p[1] == live
	}
	if !x.active(live) || !invited && !x.rejoins(live, id) {
		x.wrong("%s joins a connection and is no live, or no invitation was accepted, and it was not lost from there: %+v", live, x.lives[live].presence)
	}
	c, started := x.connections[id]
	if !started {
		x.wrong("live %s joins connection %s, which has not started", live, id)
	}
	for _, m := range c.members {
		if kind, other := x.lives[live].kind, x.lives[m.live].kind; kind != other {
			x.wrong("%s, a %v live, joins connection %s of %s, a %v live", live, kind, id, m.live, other)
		}
	}
	if !proto.Equal(e.GetHost(), x.lives[live].host) {
		x.wrong("live %s joins connection %s with host %v, its is %v", live, id, e.GetHost(), x.lives[live].host)
	}
	c.members = append(slices.Clip(c.members), member{live, x.at})
	x.connections[id], x.member[live] = c, id
	x.changePresence(live, func(p *presence) { p.joined(id) })
}

func (x *cohostFold) memberLeft(e *cohostv1.Entry_MemberLeft) {
	live, id := e.GetLiveId(), e.GetConnectionId()
	if in := x.member[live]; in != id {
		x.found(Duplicated, "live %s leaves connection %s and is in %q", live, id, in)
	}
	c := x.connections[id]
	c.members = slices.DeleteFunc(slices.Clone(c.members), func(m member) bool { return m.live == live })
	x.connections[id] = c
	delete(x.member, live)
	if l, ok := x.lives[live]; ok {
		if e.GetReason() == cohostv1.Entry_MemberLeft_LOST {
			if !l.presence.departs {
				x.wrong("live %s leaves connection %s because its host is lost: %+v", live, id, l.presence)
			}
			ends := has(x.d, func(e *cohostv1.Entry) bool { return e.GetLiveEnding().GetLiveId() == live })
			x.log.parted = append(x.log.parted, departure{live, l.presence.lostAt, place{x.d.seq, x.at}, ends})
		}
		l.muted = nil
		l.presence.left(e.GetReason())
		x.lives[live] = l
	}
	for _, m := range c.members {
		x.hears(m.live, live, true)
	}
}

func (x *cohostFold) connectionEnded(e *cohostv1.Entry_ConnectionEnded) {
	c, ok := x.connections[e.GetConnectionId()]
	if !ok || len(c.members) > 0 {
		x.wrong("connection %s ends, there: %v, with %d lives", e.GetConnectionId(), ok, len(c.members))
	}
	delete(x.connections, e.GetConnectionId())
}

func (x *cohostFold) layoutSet(e *cohostv1.Entry_LayoutSet) {
	c := x.connections[e.GetConnectionId()]
	if e.GetConnectionId() == "" || x.member[e.GetLiveId()] != e.GetConnectionId() {
		x.wrong("live %s changes the layout of connection %s and is in %q", e.GetLiveId(), e.GetConnectionId(), x.member[e.GetLiveId()])
	}
	kind := x.lives[e.GetLiveId()].kind
	if l, known := layouts[e.GetLayoutTemplate()]; known && l.kind != kind {
		x.wrong("layout %q is set in connection %s of %v lives", e.GetLayoutTemplate(), e.GetConnectionId(), kind)
	}
	if c.layout == e.GetLayoutTemplate() {
		x.found(Duplicated, "connection %s gets layout %s and has it", e.GetConnectionId(), c.layout)
	}
	c.layout = e.GetLayoutTemplate()
	x.connections[e.GetConnectionId()] = c
}

func (x *cohostFold) remoteMuteSet(e *cohostv1.Entry_RemoteMuteSet) {
	live, target := e.GetLiveId(), e.GetTargetLiveId()
	if live == target || !x.together(live, target) || x.member[live] != e.GetConnectionId() {
		x.wrong("live %s mutes %s in connection %s, they are in %q and %q", live, target, e.GetConnectionId(), x.member[live], x.member[target])
	}
	if slices.Contains(x.lives[live].muted, target) == e.GetMuted() {
		x.found(Duplicated, "live %s mutes %s: %v, which is so", live, target, e.GetMuted())
	}
	x.hears(live, target, !e.GetMuted())
}

// hears has a live hear another, or not.
func (x *cohostFold) hears(live, target string, hears bool) {
	l, ok := x.lives[live]
	if !ok || hears && !slices.Contains(l.muted, target) {
		return
	}
	l.muted = slices.DeleteFunc(slices.Clone(l.muted), func(other string) bool { return other == target })
	if !hears {
		l.muted = append(l.muted, target)
	}
	x.lives[live] = l
}
