package check

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// Told is what somebody who watched a live was told, in order.
type Told struct {
	Live string
	// After is the number that the watcher had; -1: none, it asked for a snapshot.
	After int64
	// Snapshot is nil if the watcher was not given one.
	Snapshot *cohostv1.WatchLiveResponse_Snapshot
	Events   []*cohostv1.Event
	// Heads of COHOST_00: when the first message was there, and when each event was.
	First uint64
	Heads []uint64
	// Last: nothing happened any more, and the watcher had heard all.
	Last bool
}

// news is what a live is told by a group.
type news struct {
	seq   uint64
	event *cohostv1.Event
}

// heard: a watcher goes on from where it was, or from a snapshot that was so, and is told each event once, in order, and
// not before it is in the log.
func (l *cohostLog) heard(f *Findings, x Told) {
	all := l.told[x.Live]
	last := x.After
	if s := x.Snapshot; s != nil {
		if last = s.GetNumber(); !shown(l.states, Window{0, x.First}, func(r rooms) bool {
			return r.told[x.Live] == last && r.live(x.Live, s.GetLive()) && r.coHost(x.Live, s.GetState())
		}) {
			f.add(Violation, "watching %s after %d: told the snapshot %v, which was not so up to %d", x.Live, x.After, s, x.First)
		}
	}
	for i, e := range x.Events {
		last++
		switch n := last - 1; {
		case last < 1 || n >= int64(len(all)) || all[n].seq > x.Heads[i]:
			f.add(Violation, "watching %s after %d: told %v at %d, which has not happened", x.Live, x.After, e, x.Heads[i])
		case !proto.Equal(e, all[n].event):
			f.add(Violation, "watching %s after %d: told %v, event %d is %v", x.Live, x.After, e, last, all[n].event)
		default:
			continue
		}
		return
	}
	if x.Last && last != int64(len(all)) {
		f.add(Lost, "watching %s after %d: told no more than event %d of %d", x.Live, x.After, last, len(all))
	}
}

// tell notes who is told what of an entry, before it takes effect.
func (x *cohostFold) tell(entry *cohostv1.Entry) {
	switch e := entry.GetEntry().(type) {
	case *cohostv1.Entry_InvitationSent_:
		i := e.InvitationSent
		p := pair{i.GetInviterLiveId(), i.GetInviteeLiveId()}
		m := x.message(p, invite{i.GetInvitationId(), 0, x.at, i.GetExpiresAtMs(), i.GetLayoutTemplate(), i.GetExtensionInfo()})
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostRequestSent{CoHostRequestSent: &cohostv1.CoHostRequestSent{Invitation: m}}}, p[0])
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostRequestReceived{CoHostRequestReceived: &cohostv1.CoHostRequestReceived{Invitation: m}}}, p[1])
	case *cohostv1.Entry_InvitationEnded_:
		x.tellEnded(e.InvitationEnded)
	case *cohostv1.Entry_MemberJoined_:
		x.tellJoined(e.MemberJoined)
	case *cohostv1.Entry_MemberLeft_:
		c := x.connections[e.MemberLeft.GetConnectionId()]
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostUserLeft{CoHostUserLeft: &cohostv1.CoHostUserLeft{
			ConnectionId: e.MemberLeft.GetConnectionId(), Member: x.memberOf(c, e.MemberLeft.GetLiveId()),
			Reason: cohostv1.CoHostUserLeft_Reason(e.MemberLeft.GetReason()),
		}}}, c.lives()...)
	case *cohostv1.Entry_LayoutSet_:
		c := x.connections[e.LayoutSet.GetConnectionId()]
		x.to(&cohostv1.Event{Event: &cohostv1.Event_LayoutChanged{LayoutChanged: &cohostv1.LayoutChanged{
			ConnectionId: e.LayoutSet.GetConnectionId(), LayoutTemplate: e.LayoutSet.GetLayoutTemplate(),
			ChangedBy: x.memberOf(c, e.LayoutSet.GetLiveId()),
		}}}, c.lives()...)
	case *cohostv1.Entry_RemoteMuteSet_:
		c := x.connections[e.RemoteMuteSet.GetConnectionId()]
		x.to(&cohostv1.Event{Event: &cohostv1.Event_RemoteMuteChanged{RemoteMuteChanged: &cohostv1.RemoteMuteChanged{
			ConnectionId: e.RemoteMuteSet.GetConnectionId(), Target: x.memberOf(c, e.RemoteMuteSet.GetTargetLiveId()), Muted: e.RemoteMuteSet.GetMuted(),
		}}}, e.RemoteMuteSet.GetLiveId())
	case *cohostv1.Entry_HostChanged_:
		live := e.HostChanged.GetLiveId()
		see := map[string]bool{live: true}
		for _, other := range x.connections[x.member[live]].lives() {
			see[other] = true
		}
		for p := range x.pending {
			if p[0] == live || p[1] == live {
				see[p[0]], see[p[1]] = true, true
			}
		}
		x.to(&cohostv1.Event{Event: &cohostv1.Event_LiveUpdated{LiveUpdated: &cohostv1.LiveUpdated{
			LiveId: live, Host: e.HostChanged.GetHost(),
		}}}, slices.Collect(maps.Keys(see))...)
	case *cohostv1.Entry_LiveEnding_:
		live := e.LiveEnding.GetLiveId()
		why := cohostv1.LiveEnded_ENDED
		if e.LiveEnding.GetLost() {
			why = cohostv1.LiveEnded_HOST_LOST
		}
		x.to(&cohostv1.Event{Event: &cohostv1.Event_LiveEnded{LiveEnded: &cohostv1.LiveEnded{LiveId: live, Reason: why}}}, live)
	default:
		x.tellPresence(entry)
	}
}

// tellPresence: a live and those that it is connected with are told how its host is, and the live that another session has taken over.
func (x *cohostFold) tellPresence(entry *cohostv1.Entry) {
	all := func(live string, e *cohostv1.Event) {
		see := []string{live}
		for _, other := range x.connections[x.member[live]].lives() {
			if other != live {
				see = append(see, other)
			}
		}
		x.to(e, see...)
	}
	switch e := entry.GetEntry().(type) {
	case *cohostv1.Entry_HostUnreachable_:
		live := e.HostUnreachable.GetLiveId()
		all(live, &cohostv1.Event{Event: &cohostv1.Event_HostUnreachable{HostUnreachable: &cohostv1.HostUnreachable{LiveId: live, Host: x.lives[live].host}}})
	case *cohostv1.Entry_HostLost_:
		live := e.HostLost.GetLiveId()
		all(live, &cohostv1.Event{Event: &cohostv1.Event_HostLost{HostLost: &cohostv1.HostLost{LiveId: live, Host: x.lives[live].host}}})
	case *cohostv1.Entry_HostRecovered_:
		live := e.HostRecovered.GetLiveId()
		back := &cohostv1.HostRecovered{LiveId: live, Host: x.lives[live].host, WasLost: x.lives[live].presence.stage == lost}
		if until := e.HostRecovered.GetRejoinUntilMs(); until > 0 {
			back.RejoinUntil = moment(until)
		}
		all(live, &cohostv1.Event{Event: &cohostv1.Event_HostRecovered{HostRecovered: back}})
	case *cohostv1.Entry_SessionTaken_:
		s := e.SessionTaken
		if before := x.lives[s.GetLiveId()].presence.current; before != "" {
			x.to(&cohostv1.Event{Event: &cohostv1.Event_SessionSuperseded{SessionSuperseded: &cohostv1.SessionSuperseded{
				LiveId: s.GetLiveId(), SessionId: before, Fence: s.GetFence(),
			}}}, s.GetLiveId())
		}
	}
}

func (x *cohostFold) tellEnded(e *cohostv1.Entry_InvitationEnded) {
	p := pair{e.GetInviterLiveId(), e.GetInviteeLiveId()}
	inviter, invitee := x.side(p[0]), x.side(p[1])
	cancelled := func(why cohostv1.CoHostRequestCancelled_Reason) {
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostRequestCancelled{CoHostRequestCancelled: &cohostv1.CoHostRequestCancelled{
			InvitationId: e.GetInvitationId(), Inviter: inviter, Invitee: invitee, Reason: why,
		}}}, p[:]...)
	}
	switch e.GetEnding() {
	case cohostv1.Entry_InvitationEnded_ACCEPTED:
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostRequestAccepted{CoHostRequestAccepted: &cohostv1.CoHostRequestAccepted{
			InvitationId: e.GetInvitationId(), Inviter: inviter, Invitee: invitee, Mutual: e.GetMutual(), ExtensionInfo: e.GetExtensionInfo(),
		}}}, p[:]...)
	case cohostv1.Entry_InvitationEnded_REJECTED:
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostRequestRejected{CoHostRequestRejected: &cohostv1.CoHostRequestRejected{
			InvitationId: e.GetInvitationId(), Inviter: inviter, Invitee: invitee, Reason: e.GetReason(), ReasonCode: e.GetReasonCode(),
			ExtensionInfo: e.GetExtensionInfo(),
		}}}, p[:]...)
	case cohostv1.Entry_InvitationEnded_CANCELLED:
		cancelled(cohostv1.CoHostRequestCancelled_CANCELLED)
	case cohostv1.Entry_InvitationEnded_TIMED_OUT:
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostRequestTimeout{CoHostRequestTimeout: &cohostv1.CoHostRequestTimeout{
			InvitationId: e.GetInvitationId(), Inviter: inviter, Invitee: invitee,
		}}}, p[:]...)
	case cohostv1.Entry_InvitationEnded_LIVE_ENDED:
		cancelled(cohostv1.CoHostRequestCancelled_LIVE_ENDED)
	case cohostv1.Entry_InvitationEnded_WITHDRAWN:
		cancelled(cohostv1.CoHostRequestCancelled_WITHDRAWN)
	}
}

// tellJoined: the one that joins is told of all others first.
func (x *cohostFold) tellJoined(e *cohostv1.Entry_MemberJoined) {
	c := x.connections[e.GetConnectionId()]
	joined := func(m *cohostv1.Member, to ...string) {
		x.to(&cohostv1.Event{Event: &cohostv1.Event_CoHostUserJoined{CoHostUserJoined: &cohostv1.CoHostUserJoined{
			ConnectionId: e.GetConnectionId(), Member: m, LayoutTemplate: c.layout,
		}}}, to...)
	}
	for _, m := range c.members {
		joined(x.memberOf(c, m.live), e.GetLiveId())
	}
	joined(&cohostv1.Member{LiveId: e.GetLiveId(), Host: e.GetHost(), JoinedAt: moment(x.at)}, append(c.lives(), e.GetLiveId())...)
}

// to adds an event to what lives are told.
func (x *cohostFold) to(event *cohostv1.Event, lives ...string) {
	for _, live := range lives {
		e := proto.CloneOf(event)
		x.told[live]++
		e.Number, e.At = x.told[live], moment(x.at)
		x.log.told[live] = append(x.log.told[live], news{x.d.seq, e})
	}
}

func moment(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }

func (c connection) lives() (all []string) {
	for _, m := range c.members {
		all = append(all, m.live)
	}
	return all
}

// side is a live as invitations show it.
func (r rooms) side(live string) *cohostv1.Member {
	return &cohostv1.Member{LiveId: live, Host: r.lives[live].host}
}

// memberOf is a live as its connection shows it.
func (r rooms) memberOf(c connection, live string) *cohostv1.Member {
	for _, m := range c.members {
		if m.live == live {
			return &cohostv1.Member{LiveId: live, Host: r.lives[live].host, JoinedAt: moment(m.at)}
		}
	}
	return nil
}

func (r rooms) message(p pair, i invite) *cohostv1.Invitation {
	return &cohostv1.Invitation{
		InvitationId: i.id, Inviter: r.side(p[0]), Invitee: r.side(p[1]), LayoutTemplate: i.layout, ExtensionInfo: i.info,
		CreatedAt: moment(i.at), ExpiresAt: moment(i.until),
	}
}
