package codec

import (
	"fmt"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// messageOf returns nil for a command that it does not know.
func messageOf(command cohost.Command) *cohostv1.Command {
	switch c := command.(type) {
	case cohost.CreateLive:
		return &cohostv1.Command{Command: &cohostv1.Command_CreateLive{CreateLive: &cohostv1.CreateLiveRequest{
			LiveId: c.LiveID, Kind: cohostv1.Live_Kind(c.Kind), Host: UserMessage(c.Host),
		}}}
	case cohost.UpdateLive:
		return &cohostv1.Command{Command: &cohostv1.Command_UpdateLive{UpdateLive: &cohostv1.UpdateLiveRequest{
			LiveId: c.LiveID, Host: &cohostv1.UpdateLiveRequest_HostProfile{UserId: c.UserID, UserName: c.Name, AvatarUrl: c.AvatarURL},
		}}}
	case cohost.EndLive:
		return &cohostv1.Command{Command: &cohostv1.Command_EndLive{EndLive: &cohostv1.EndLiveRequest{LiveId: c.LiveID}}}
	case cohost.RequestHostConnection:
		return &cohostv1.Command{
			NewInvitationId: c.NewInvitationID,
			NewConnectionId: c.NewConnectionID,
			Command: &cohostv1.Command_RequestHostConnection{RequestHostConnection: &cohostv1.RequestHostConnectionRequest{
				LiveId: c.LiveID, TargetLiveIds: []string{c.Target}, LayoutTemplate: c.Layout,
				TimeoutSeconds: int32(c.Timeout / time.Second), ExtensionInfo: c.ExtensionInfo,
			}},
		}
	case cohost.CancelHostConnection:
		return &cohostv1.Command{Command: &cohostv1.Command_CancelHostConnection{CancelHostConnection: &cohostv1.CancelHostConnectionRequest{
			LiveId: c.LiveID, ToLiveId: c.To,
		}}}
	case cohost.AcceptHostConnection:
		return &cohostv1.Command{
			NewConnectionId: c.NewConnectionID,
			Command: &cohostv1.Command_AcceptHostConnection{AcceptHostConnection: &cohostv1.AcceptHostConnectionRequest{
				LiveId: c.LiveID, FromLiveId: c.From, ExtensionInfo: c.ExtensionInfo,
			}},
		}
	case cohost.RejectHostConnection:
		return &cohostv1.Command{Command: &cohostv1.Command_RejectHostConnection{RejectHostConnection: &cohostv1.RejectHostConnectionRequest{
			LiveId: c.LiveID, FromLiveId: c.From, Reason: c.Reason,
			ReasonCode: cohostv1.CoHostRequestRejected_ReasonCode(c.Code), ExtensionInfo: c.ExtensionInfo,
		}}}
	case cohost.ExitHostConnection:
		return &cohostv1.Command{Command: &cohostv1.Command_ExitHostConnection{ExitHostConnection: &cohostv1.ExitHostConnectionRequest{
			LiveId: c.LiveID,
		}}}
	case cohost.RejoinHostConnection:
		return &cohostv1.Command{Command: &cohostv1.Command_RejoinHostConnection{RejoinHostConnection: &cohostv1.RejoinHostConnectionRequest{
			LiveId: c.LiveID,
		}}}
	case cohost.SetLayoutTemplate:
		return &cohostv1.Command{Command: &cohostv1.Command_SetLayoutTemplate{SetLayoutTemplate: &cohostv1.SetLayoutTemplateRequest{
			LiveId: c.LiveID, LayoutTemplate: c.Layout,
		}}}
	case cohost.MuteRemoteHostAudio:
		return &cohostv1.Command{Command: &cohostv1.Command_MuteRemoteHostAudio{MuteRemoteHostAudio: &cohostv1.MuteRemoteHostAudioRequest{
			LiveId: c.LiveID, TargetLiveId: c.Target, Muted: c.Muted,
		}}}
	case cohost.HearHost:
		return &cohostv1.Command{Command: &cohostv1.Command_HearHost{HearHost: &cohostv1.HeartbeatRequest{
			LiveId: c.LiveID, SessionId: c.Session,
		}}}
	case cohost.MissHost:
		return &cohostv1.Command{Command: &cohostv1.Command_MissHost_{MissHost: &cohostv1.Command_MissHost{
			LiveId: c.LiveID, State: cohostv1.Presence_State(c.Stage),
		}}}
	case cohost.LeaveLost:
		return &cohostv1.Command{Command: &cohostv1.Command_LeaveLost_{LeaveLost: &cohostv1.Command_LeaveLost{LiveId: c.LiveID}}}
	case cohost.AsHost:
		message := messageOf(c.Command)
		if message != nil {
			message.ByHost, message.SessionId, message.HostLiveId = true, c.Session, c.LiveID
		}
		return message
	case cohost.ExpireInvitation:
		return &cohostv1.Command{Command: &cohostv1.Command_ExpireInvitation_{ExpireInvitation: &cohostv1.Command_ExpireInvitation{
			InvitationId: c.InvitationID,
		}}}
	}
	return nil
}

func commandOf(message *cohostv1.Command) (cohost.Command, error) {
	command, err := plainCommandOf(message)
	if err != nil || !message.GetByHost() {
		return command, err
	}
	return cohost.AsHost{LiveID: message.GetHostLiveId(), Session: message.GetSessionId(), Command: command}, nil
}

func plainCommandOf(message *cohostv1.Command) (cohost.Command, error) {
	switch c := message.GetCommand().(type) {
	case *cohostv1.Command_CreateLive:
		kind, err := known[cohost.Kind](c.CreateLive.GetKind())
		return cohost.CreateLive{LiveID: c.CreateLive.GetLiveId(), Kind: kind, Host: User(c.CreateLive.GetHost())}, err
	case *cohostv1.Command_UpdateLive:
		host := c.UpdateLive.GetHost()
		update := cohost.UpdateLive{LiveID: c.UpdateLive.GetLiveId(), UserID: host.GetUserId()}
		if host != nil {
			update.Name, update.AvatarURL = host.UserName, host.AvatarUrl
		}
		return update, nil
	case *cohostv1.Command_EndLive:
		return cohost.EndLive{LiveID: c.EndLive.GetLiveId()}, nil
	case *cohostv1.Command_RequestHostConnection:
		r := c.RequestHostConnection
		if len(r.GetTargetLiveIds()) != 1 {
			return nil, fmt.Errorf("a request with %d targets", len(r.GetTargetLiveIds()))
		}
		return cohost.RequestHostConnection{
			LiveID: r.GetLiveId(), Target: r.GetTargetLiveIds()[0], Layout: r.GetLayoutTemplate(),
			Timeout: time.Duration(r.GetTimeoutSeconds()) * time.Second, ExtensionInfo: r.GetExtensionInfo(),
			NewInvitationID: message.GetNewInvitationId(), NewConnectionID: message.GetNewConnectionId(),
		}, nil
	case *cohostv1.Command_CancelHostConnection:
		return cohost.CancelHostConnection{LiveID: c.CancelHostConnection.GetLiveId(), To: c.CancelHostConnection.GetToLiveId()}, nil
	case *cohostv1.Command_AcceptHostConnection:
		return cohost.AcceptHostConnection{
			LiveID: c.AcceptHostConnection.GetLiveId(), From: c.AcceptHostConnection.GetFromLiveId(),
			ExtensionInfo: c.AcceptHostConnection.GetExtensionInfo(), NewConnectionID: message.GetNewConnectionId(),
		}, nil
	case *cohostv1.Command_RejectHostConnection:
		r := c.RejectHostConnection
		code, err := rejectCode(r.GetReasonCode())
		return cohost.RejectHostConnection{
			LiveID: r.GetLiveId(), From: r.GetFromLiveId(), Reason: r.GetReason(), Code: code, ExtensionInfo: r.GetExtensionInfo(),
		}, err
	case *cohostv1.Command_ExitHostConnection:
		return cohost.ExitHostConnection{LiveID: c.ExitHostConnection.GetLiveId()}, nil
	case *cohostv1.Command_RejoinHostConnection:
		return cohost.RejoinHostConnection{LiveID: c.RejoinHostConnection.GetLiveId()}, nil
	case *cohostv1.Command_SetLayoutTemplate:
		return cohost.SetLayoutTemplate{LiveID: c.SetLayoutTemplate.GetLiveId(), Layout: c.SetLayoutTemplate.GetLayoutTemplate()}, nil
	case *cohostv1.Command_MuteRemoteHostAudio:
		m := c.MuteRemoteHostAudio
		return cohost.MuteRemoteHostAudio{LiveID: m.GetLiveId(), Target: m.GetTargetLiveId(), Muted: m.GetMuted()}, nil
	case *cohostv1.Command_ExpireInvitation_:
		return cohost.ExpireInvitation{InvitationID: c.ExpireInvitation.GetInvitationId()}, nil
	case *cohostv1.Command_HearHost:
		return cohost.HearHost{LiveID: c.HearHost.GetLiveId(), Session: c.HearHost.GetSessionId()}, nil
	case *cohostv1.Command_MissHost_:
		stage, err := known[cohost.Stage](c.MissHost.GetState())
		return cohost.MissHost{LiveID: c.MissHost.GetLiveId(), Stage: stage}, err
	case *cohostv1.Command_LeaveLost_:
		return cohost.LeaveLost{LiveID: c.LeaveLost.GetLiveId()}, nil
	}
	return nil, fmt.Errorf("command: %w", ErrUnknown)
}
