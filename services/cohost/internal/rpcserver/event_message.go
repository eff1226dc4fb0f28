package rpcserver

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// EventMessage is the public event that a notice becomes.
func EventMessage(number int64, n cohost.Notice) *cohostv1.Event {
	event := &cohostv1.Event{Number: number, At: timestamppb.New(n.At)}
	switch news := n.News.(type) {
	case cohost.RequestSent:
		event.Event = &cohostv1.Event_CoHostRequestSent{CoHostRequestSent: &cohostv1.CoHostRequestSent{
			Invitation: invitationMessage(news.Invitation),
		}}
	case cohost.RequestReceived:
		event.Event = &cohostv1.Event_CoHostRequestReceived{CoHostRequestReceived: &cohostv1.CoHostRequestReceived{
			Invitation: invitationMessage(news.Invitation),
		}}
	case cohost.RequestCancelled:
		event.Event = &cohostv1.Event_CoHostRequestCancelled{CoHostRequestCancelled: &cohostv1.CoHostRequestCancelled{
			InvitationId: news.Invitation.ID,
			Inviter:      memberMessage(news.Invitation.Inviter),
			Invitee:      memberMessage(news.Invitation.Invitee),
			Reason:       cancelReasons[news.Ending],
		}}
	case cohost.RequestAccepted:
		event.Event = &cohostv1.Event_CoHostRequestAccepted{CoHostRequestAccepted: &cohostv1.CoHostRequestAccepted{
			InvitationId: news.Invitation.ID, Inviter: memberMessage(news.Invitation.Inviter), Invitee: memberMessage(news.Invitation.Invitee),
			Mutual: news.Mutual, ExtensionInfo: news.ExtensionInfo,
		}}
	case cohost.RequestRejected:
		event.Event = &cohostv1.Event_CoHostRequestRejected{CoHostRequestRejected: &cohostv1.CoHostRequestRejected{
			InvitationId: news.Invitation.ID, Inviter: memberMessage(news.Invitation.Inviter), Invitee: memberMessage(news.Invitation.Invitee),
			Reason: news.Reason, ReasonCode: cohostv1.CoHostRequestRejected_ReasonCode(news.Code), ExtensionInfo: news.ExtensionInfo,
		}}
	case cohost.RequestTimedOut:
		event.Event = &cohostv1.Event_CoHostRequestTimeout{CoHostRequestTimeout: &cohostv1.CoHostRequestTimeout{
			InvitationId: news.Invitation.ID,
			Inviter:      memberMessage(news.Invitation.Inviter),
			Invitee:      memberMessage(news.Invitation.Invitee),
		}}
	case cohost.UserJoined:
		event.Event = &cohostv1.Event_CoHostUserJoined{CoHostUserJoined: &cohostv1.CoHostUserJoined{
			ConnectionId: news.ConnectionID, Member: memberMessage(news.Member), LayoutTemplate: news.Layout,
		}}
	case cohost.UserLeft:
		event.Event = &cohostv1.Event_CoHostUserLeft{CoHostUserLeft: &cohostv1.CoHostUserLeft{
			ConnectionId: news.ConnectionID, Member: memberMessage(news.Member), Reason: cohostv1.CoHostUserLeft_Reason(news.Reason),
		}}
	case cohost.LayoutChanged:
		event.Event = &cohostv1.Event_LayoutChanged{LayoutChanged: &cohostv1.LayoutChanged{
			ConnectionId: news.ConnectionID, LayoutTemplate: news.Layout, ChangedBy: memberMessage(news.By),
		}}
	case cohost.RemoteMuteChanged:
		event.Event = &cohostv1.Event_RemoteMuteChanged{RemoteMuteChanged: &cohostv1.RemoteMuteChanged{
			ConnectionId: news.ConnectionID, Target: memberMessage(news.Target), Muted: news.Muted,
		}}
	case cohost.HostShown:
		event.Event = &cohostv1.Event_LiveUpdated{LiveUpdated: &cohostv1.LiveUpdated{LiveId: news.LiveID, Host: codec.UserMessage(news.Host)}}
	case cohost.Ended:
		event.Event = &cohostv1.Event_LiveEnded{LiveEnded: &cohostv1.LiveEnded{LiveId: news.LiveID, Reason: endReason(news)}}
	case cohost.Silent:
		if news.Lost {
			event.Event = &cohostv1.Event_HostLost{HostLost: &cohostv1.HostLost{LiveId: news.LiveID, Host: codec.UserMessage(news.Host)}}
		} else {
			event.Event = &cohostv1.Event_HostUnreachable{HostUnreachable: &cohostv1.HostUnreachable{LiveId: news.LiveID, Host: codec.UserMessage(news.Host)}}
		}
	case cohost.Back:
		recovered := &cohostv1.HostRecovered{LiveId: news.LiveID, Host: codec.UserMessage(news.Host), WasLost: news.WasLost}
		if !news.RejoinUntil.IsZero() {
			recovered.RejoinUntil = timestamppb.New(news.RejoinUntil)
		}
		event.Event = &cohostv1.Event_HostRecovered{HostRecovered: recovered}
	case cohost.Superseded:
		event.Event = &cohostv1.Event_SessionSuperseded{SessionSuperseded: &cohostv1.SessionSuperseded{
			LiveId: news.LiveID, SessionId: news.Session, Fence: news.Fence,
		}}
	}
	return event
}

func endReason(e cohost.Ended) cohostv1.LiveEnded_Reason {
	if e.Lost {
		return cohostv1.LiveEnded_HOST_LOST
	}
	return cohostv1.LiveEnded_ENDED
}

var cancelReasons = map[cohost.Ending]cohostv1.CoHostRequestCancelled_Reason{
	cohost.Cancelled:     cohostv1.CoHostRequestCancelled_CANCELLED,
	cohost.EndedWithLive: cohostv1.CoHostRequestCancelled_LIVE_ENDED,
	cohost.Withdrawn:     cohostv1.CoHostRequestCancelled_WITHDRAWN,
}
