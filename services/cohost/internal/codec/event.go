package codec

import (
	"errors"
	"fmt"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// entryOf returns nil for an event that it does not know.
func entryOf(event cohost.Event) *cohostv1.Entry {
	switch e := event.(type) {
	case cohost.LiveCreated:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{
			LiveId: e.LiveID, Kind: cohostv1.Live_Kind(e.Kind), Host: UserMessage(e.Host),
		}}}
	case cohost.LiveEnding:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: e.LiveID, Lost: e.Lost}}}
	case cohost.InvitationSent:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationSent_{InvitationSent: &cohostv1.Entry_InvitationSent{
			InvitationId: e.InvitationID, InviterLiveId: e.Inviter, InviteeLiveId: e.Invitee,
			LayoutTemplate: e.Layout, ExtensionInfo: e.ExtensionInfo, ExpiresAtMs: e.ExpiresAt.UnixMilli(),
		}}}
	case cohost.InvitationEnded:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationEnded_{InvitationEnded: &cohostv1.Entry_InvitationEnded{
			InvitationId: e.InvitationID, InviterLiveId: e.Inviter, InviteeLiveId: e.Invitee,
			Ending: cohostv1.Entry_InvitationEnded_Ending(e.Ending), Reason: e.Reason, Mutual: e.Mutual,
			ReasonCode: cohostv1.CoHostRequestRejected_ReasonCode(e.Code), ExtensionInfo: e.ExtensionInfo,
		}}}
	case cohost.ConnectionStarted:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_ConnectionStarted_{ConnectionStarted: &cohostv1.Entry_ConnectionStarted{
			ConnectionId: e.ConnectionID, LayoutTemplate: e.Layout,
		}}}
	case cohost.MemberJoined:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{
			ConnectionId: e.ConnectionID, LiveId: e.LiveID, Host: UserMessage(e.Host),
		}}}
	case cohost.MemberLeft:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{
			ConnectionId: e.ConnectionID, LiveId: e.LiveID, Reason: cohostv1.Entry_MemberLeft_Reason(e.Reason),
		}}}
	case cohost.ConnectionEnded:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_ConnectionEnded_{ConnectionEnded: &cohostv1.Entry_ConnectionEnded{
			ConnectionId: e.ConnectionID,
		}}}
	case cohost.LayoutSet:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_LayoutSet_{LayoutSet: &cohostv1.Entry_LayoutSet{
			ConnectionId: e.ConnectionID, LiveId: e.LiveID, LayoutTemplate: e.Layout,
		}}}
	case cohost.RemoteMuteSet:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_RemoteMuteSet_{RemoteMuteSet: &cohostv1.Entry_RemoteMuteSet{
			ConnectionId: e.ConnectionID, LiveId: e.LiveID, TargetLiveId: e.Target, Muted: e.Muted,
		}}}
	case cohost.HostChanged:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_HostChanged_{HostChanged: &cohostv1.Entry_HostChanged{
			LiveId: e.LiveID, Host: UserMessage(e.Host),
		}}}
	case cohost.PresenceBegan:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_PresenceBegan_{PresenceBegan: &cohostv1.Entry_PresenceBegan{LiveId: e.LiveID}}}
	case cohost.HostUnreachable:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_HostUnreachable_{HostUnreachable: &cohostv1.Entry_HostUnreachable{LiveId: e.LiveID}}}
	case cohost.HostRecovered:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_HostRecovered_{HostRecovered: &cohostv1.Entry_HostRecovered{
			LiveId: e.LiveID, RejoinUntilMs: toMillis(e.RejoinUntil),
		}}}
	case cohost.HostLost:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_HostLost_{HostLost: &cohostv1.Entry_HostLost{LiveId: e.LiveID}}}
	case cohost.SessionTaken:
		return &cohostv1.Entry{Entry: &cohostv1.Entry_SessionTaken_{SessionTaken: &cohostv1.Entry_SessionTaken{
			LiveId: e.LiveID, SessionId: e.Session, Fence: e.Fence,
		}}}
	}
	return nil
}

func eventOf(entry *cohostv1.Entry) (cohost.Event, error) {
	switch e := entry.GetEntry().(type) {
	case *cohostv1.Entry_LiveCreated_:
		kind, err := known[cohost.Kind](e.LiveCreated.GetKind())
		return cohost.LiveCreated{LiveID: e.LiveCreated.GetLiveId(), Kind: kind, Host: User(e.LiveCreated.GetHost())}, err
	case *cohostv1.Entry_LiveEnding_:
		return cohost.LiveEnding{LiveID: e.LiveEnding.GetLiveId(), Lost: e.LiveEnding.GetLost()}, nil
	case *cohostv1.Entry_InvitationSent_:
		i := e.InvitationSent
		return cohost.InvitationSent{
			InvitationID: i.GetInvitationId(), Inviter: i.GetInviterLiveId(), Invitee: i.GetInviteeLiveId(),
			Layout: i.GetLayoutTemplate(), ExtensionInfo: i.GetExtensionInfo(), ExpiresAt: time.UnixMilli(i.GetExpiresAtMs()).UTC(),
		}, nil
	case *cohostv1.Entry_InvitationEnded_:
		i := e.InvitationEnded
		ending, err := known[cohost.Ending](i.GetEnding())
		code, errCode := rejectCode(i.GetReasonCode())
		return cohost.InvitationEnded{
			InvitationID: i.GetInvitationId(), Inviter: i.GetInviterLiveId(), Invitee: i.GetInviteeLiveId(),
			Ending: ending, Reason: i.GetReason(), Code: code, Mutual: i.GetMutual(), ExtensionInfo: i.GetExtensionInfo(),
		}, errors.Join(err, errCode)
	case *cohostv1.Entry_ConnectionStarted_:
		return cohost.ConnectionStarted{
			ConnectionID: e.ConnectionStarted.GetConnectionId(), Layout: e.ConnectionStarted.GetLayoutTemplate(),
		}, nil
	case *cohostv1.Entry_MemberJoined_:
		m := e.MemberJoined
		return cohost.MemberJoined{ConnectionID: m.GetConnectionId(), LiveID: m.GetLiveId(), Host: User(m.GetHost())}, nil
	case *cohostv1.Entry_MemberLeft_:
		m := e.MemberLeft
		reason, err := known[cohost.Leaving](m.GetReason())
		return cohost.MemberLeft{ConnectionID: m.GetConnectionId(), LiveID: m.GetLiveId(), Reason: reason}, err
	case *cohostv1.Entry_ConnectionEnded_:
		return cohost.ConnectionEnded{ConnectionID: e.ConnectionEnded.GetConnectionId()}, nil
	case *cohostv1.Entry_LayoutSet_:
		l := e.LayoutSet
		return cohost.LayoutSet{ConnectionID: l.GetConnectionId(), LiveID: l.GetLiveId(), Layout: l.GetLayoutTemplate()}, nil
	case *cohostv1.Entry_RemoteMuteSet_:
		m := e.RemoteMuteSet
		return cohost.RemoteMuteSet{ConnectionID: m.GetConnectionId(), LiveID: m.GetLiveId(), Target: m.GetTargetLiveId(), Muted: m.GetMuted()}, nil
	case *cohostv1.Entry_HostChanged_:
		return cohost.HostChanged{LiveID: e.HostChanged.GetLiveId(), Host: User(e.HostChanged.GetHost())}, nil
	case *cohostv1.Entry_PresenceBegan_:
		return cohost.PresenceBegan{LiveID: e.PresenceBegan.GetLiveId()}, nil
	case *cohostv1.Entry_HostUnreachable_:
		return cohost.HostUnreachable{LiveID: e.HostUnreachable.GetLiveId()}, nil
	case *cohostv1.Entry_HostRecovered_:
		return cohost.HostRecovered{LiveID: e.HostRecovered.GetLiveId(), RejoinUntil: fromMillis(e.HostRecovered.GetRejoinUntilMs())}, nil
	case *cohostv1.Entry_HostLost_:
		return cohost.HostLost{LiveID: e.HostLost.GetLiveId()}, nil
	case *cohostv1.Entry_SessionTaken_:
		t := e.SessionTaken
		return cohost.SessionTaken{LiveID: t.GetLiveId(), Session: t.GetSessionId(), Fence: t.GetFence()}, nil
	}
	return nil, fmt.Errorf("entry: %w", ErrUnknown)
}

// rejectCode is 0 where none is given.
func rejectCode(code cohostv1.CoHostRequestRejected_ReasonCode) (cohost.RejectCode, error) {
	if code == cohostv1.CoHostRequestRejected_REASON_CODE_UNSPECIFIED {
		return 0, nil
	}
	return known[cohost.RejectCode](code)
}
