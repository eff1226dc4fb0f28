package rpcserver

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/partition"
)

func liveMessage(l cohost.Live) *cohostv1.Live {
	m := &cohostv1.Live{
		LiveId:       l.ID,
		Kind:         cohostv1.Live_Kind(l.Kind),
		Host:         codec.UserMessage(l.Host),
		Status:       cohostv1.Live_ACTIVE,
		CreatedAt:    timestamppb.New(l.CreatedAt),
		ConnectionId: l.ConnectionID,
		Presence:     presenceMessage(l.Presence),
	}
	if !l.Active() {
		m.Status = cohostv1.Live_ENDED
		m.EndedAt = timestamppb.New(l.EndedAt)
	}
	return m
}

func memberMessage(m cohost.Member) *cohostv1.Member {
	return &cohostv1.Member{LiveId: m.LiveID, Host: codec.UserMessage(m.Host), JoinedAt: momentMessage(m.JoinedAt)}
}

// momentMessage leaves a time that is not known unset.
func momentMessage(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func invitationMessage(i cohost.Invitation) *cohostv1.Invitation {
	return &cohostv1.Invitation{
		InvitationId:   i.ID,
		Inviter:        memberMessage(i.Inviter),
		Invitee:        memberMessage(i.Invitee),
		LayoutTemplate: i.Layout,
		ExtensionInfo:  i.ExtensionInfo,
		CreatedAt:      timestamppb.New(i.CreatedAt),
		ExpiresAt:      timestamppb.New(i.ExpiresAt),
	}
}

func stateMessage(c partition.CoHost) *cohostv1.CoHostState {
	m := &cohostv1.CoHostState{
		LiveId:       c.Live.ID,
		Status:       cohostv1.CoHostState_DISCONNECTED,
		ConnectionId: c.Live.ConnectionID,
		Layout:       c.Connection.Layout,
		ServerNow:    timestamppb.New(c.Now),
		MutedLiveIds: c.Live.Muted,
	}
	if c.Live.ConnectionID != "" {
		m.Status = cohostv1.CoHostState_CONNECTED
	}
	for _, member := range c.Connection.Members {
		m.Connected = append(m.Connected, memberMessage(member))
	}
	for _, i := range c.Sent {
		m.Invitees = append(m.Invitees, invitationMessage(i))
	}
	for _, i := range c.Received {
		m.Applicants = append(m.Applicants, invitationMessage(i))
	}
	if n := len(m.Applicants); n > 0 {
		m.Applicant = m.Applicants[n-1]
	}
	return m
}
