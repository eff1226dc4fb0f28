package codec

import (
	"errors"
	"fmt"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// SnapshotVersion is that of the records of a snapshot. It changes whenever they, or what they mean, do.
const SnapshotVersion = 4

// Record is a piece of state as a snapshot holds it; nil for one that it does not know.
func Record(piece cohost.Piece) *cohostv1.Snapshot {
	switch p := piece.(type) {
	case cohost.KeptLive:
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_Live_{Live: keptLive(p.Live)}}
	case cohost.KeptPart:
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_EndedPart{EndedPart: keptPart(p.Start, p.Last, p.Len)}}
	case cohost.KeptEnded:
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_EndedLive_{EndedLive: &cohostv1.Snapshot_EndedLive{
			Part: uint32(p.Part), Live: keptLive(p.Live),
		}}}
	case cohost.KeptConnection:
		c := &cohostv1.Snapshot_Connection{ConnectionId: p.Connection.ID, LayoutTemplate: p.Connection.Layout}
		for _, m := range p.Connection.Members {
			c.Members = append(c.Members, keptMember(m))
		}
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_Connection_{Connection: c}}
	case cohost.KeptInvitation:
		i := p.Invitation
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_Invitation_{Invitation: &cohostv1.Snapshot_Invitation{
			InvitationId: i.ID, Inviter: keptMember(i.Inviter), Invitee: keptMember(i.Invitee), LayoutTemplate: i.Layout,
			ExtensionInfo: i.ExtensionInfo, CreatedAtMs: toMillis(i.CreatedAt), ExpiresAtMs: toMillis(i.ExpiresAt),
		}}}
	case cohost.KeptSenderPart:
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_SenderPart{SenderPart: keptPart(p.Start, p.Last, p.Len)}}
	case cohost.KeptSender:
		s := &cohostv1.Snapshot_Sender{
			Part: uint32(p.Part), LiveId: p.Sender.LiveID, UserId: p.Sender.UserID, TakenLiveId: p.Sender.TakenLiveID,
		}
		for _, at := range p.At {
			s.AtMs = append(s.AtMs, at.UnixMilli())
		}
		return &cohostv1.Snapshot{Record: &cohostv1.Snapshot_Sender_{Sender: s}}
	}
	return nil
}

// Piece is the way back from Record.
func Piece(record *cohostv1.Snapshot) (cohost.Piece, error) {
	switch r := record.GetRecord().(type) {
	case *cohostv1.Snapshot_Live_:
		live, err := liveOf(r.Live)
		return cohost.KeptLive{Live: live}, err
	case *cohostv1.Snapshot_EndedPart:
		p := r.EndedPart
		return cohost.KeptPart{Start: fromMillis(p.GetStartMs()), Last: fromMillis(p.GetLastMs()), Len: int(p.GetSize())}, nil
	case *cohostv1.Snapshot_EndedLive_:
		live, err := liveOf(r.EndedLive.GetLive())
		return cohost.KeptEnded{Part: int(r.EndedLive.GetPart()), Live: live}, err
	case *cohostv1.Snapshot_Connection_:
		c := cohost.Connection{ID: r.Connection.GetConnectionId(), Layout: r.Connection.GetLayoutTemplate()}
		for _, m := range r.Connection.GetMembers() {
			c.Members = append(c.Members, memberOf(m))
		}
		return cohost.KeptConnection{Connection: c}, nil
	case *cohostv1.Snapshot_Invitation_:
		i := r.Invitation
		return cohost.KeptInvitation{Invitation: cohost.Invitation{
			ID: i.GetInvitationId(), Inviter: memberOf(i.GetInviter()), Invitee: memberOf(i.GetInvitee()), Layout: i.GetLayoutTemplate(),
			ExtensionInfo: i.GetExtensionInfo(), CreatedAt: fromMillis(i.GetCreatedAtMs()), ExpiresAt: fromMillis(i.GetExpiresAtMs()),
		}}, nil
	case *cohostv1.Snapshot_SenderPart:
		p := r.SenderPart
		return cohost.KeptSenderPart{Start: fromMillis(p.GetStartMs()), Last: fromMillis(p.GetLastMs()), Len: int(p.GetSize())}, nil
	case *cohostv1.Snapshot_Sender_:
		s := cohost.KeptSender{Part: int(r.Sender.GetPart()), Sender: cohost.Sender{
			LiveID: r.Sender.GetLiveId(), UserID: r.Sender.GetUserId(), TakenLiveID: r.Sender.GetTakenLiveId(),
		}}
		for _, ms := range r.Sender.GetAtMs() {
			s.At = append(s.At, fromMillis(ms))
		}
		return s, nil
	}
	return nil, fmt.Errorf("record %T: %w", record.GetRecord(), ErrUnknown)
}

func keptPart(start, last time.Time, n int) *cohostv1.Snapshot_Part {
	return &cohostv1.Snapshot_Part{StartMs: start.UnixMilli(), LastMs: last.UnixMilli(), Size: uint32(n)}
}

func keptLive(l cohost.Live) *cohostv1.Snapshot_Live {
	return &cohostv1.Snapshot_Live{
		LiveId: l.ID, Kind: cohostv1.Live_Kind(l.Kind), Host: UserMessage(l.Host), CreatedAtMs: toMillis(l.CreatedAt),
		EndedAtMs: toMillis(l.EndedAt), ConnectionId: l.ConnectionID, Sent: l.Sent, Received: l.Received, Muted: l.Muted,
		Presence: keptPresence(l.Presence),
	}
}

// keptPresence gives nil for a live that has shown none, and has no session.
func keptPresence(p cohost.Presence) *cohostv1.Snapshot_Presence {
	if p.Stage == 0 && p.Sessions.Fence == 0 {
		return nil
	}
	return &cohostv1.Snapshot_Presence{
		State: cohostv1.Presence_State(p.Stage), SinceMs: toMillis(p.Since), SessionId: p.Sessions.Current, Fence: p.Sessions.Fence,
		Past: p.Sessions.Past, Departs: p.Departs, LostFrom: p.LostFrom, RejoinUntilMs: toMillis(p.RejoinUntil),
	}
}

func presenceOf(p *cohostv1.Snapshot_Presence) (cohost.Presence, error) {
	presence := cohost.Presence{
		Since: fromMillis(p.GetSinceMs()), Sessions: es.Holders{Current: p.GetSessionId(), Fence: p.GetFence(), Past: p.GetPast()},
		Departs: p.GetDeparts(), LostFrom: p.GetLostFrom(), RejoinUntil: fromMillis(p.GetRejoinUntilMs()),
	}
	if p.GetState() == cohostv1.Presence_STATE_UNSPECIFIED {
		return presence, nil
	}
	var err error
	presence.Stage, err = known[cohost.Stage](p.GetState())
	return presence, err
}

func liveOf(l *cohostv1.Snapshot_Live) (cohost.Live, error) {
	kind, errKind := known[cohost.Kind](l.GetKind())
	presence, errPresence := presenceOf(l.GetPresence())
	return cohost.Live{
		ID: l.GetLiveId(), Kind: kind, Host: User(l.GetHost()), CreatedAt: fromMillis(l.GetCreatedAtMs()),
		EndedAt: fromMillis(l.GetEndedAtMs()), ConnectionID: l.GetConnectionId(), Sent: l.GetSent(), Received: l.GetReceived(), Muted: l.GetMuted(),
		Presence: presence,
	}, errors.Join(errKind, errPresence)
}

func keptMember(m cohost.Member) *cohostv1.Snapshot_Member {
	return &cohostv1.Snapshot_Member{LiveId: m.LiveID, Host: UserMessage(m.Host), JoinedAtMs: toMillis(m.JoinedAt)}
}

func memberOf(m *cohostv1.Snapshot_Member) cohost.Member {
	return cohost.Member{LiveID: m.GetLiveId(), Host: User(m.GetHost()), JoinedAt: fromMillis(m.GetJoinedAtMs())}
}

// toMillis gives 0 for no time.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
