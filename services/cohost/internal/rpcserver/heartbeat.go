package rpcserver

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// Heartbeat takes a sign of life. The session may be named as a command names it, so that a host which does that with all its calls
// is not taken for one that has none.
func (s *Server) Heartbeat(ctx context.Context, r *cohostv1.HeartbeatRequest) (*cohostv1.HeartbeatResponse, error) {
	session, err := rpc.Session(ctx)
	switch {
	case err != nil:
		return nil, err
	case session == "" || session == r.GetSessionId():
		return s.Hear(ctx, r)
	case r.GetSessionId() != "":
		return nil, es.Invalid("session_id", "is %q, but faceoff-session says %q", r.GetSessionId(), session)
	}
	return s.Hear(ctx, &cohostv1.HeartbeatRequest{LiveId: r.GetLiveId(), SessionId: session})
}

// Hear is Heartbeat for a door that has made sure of who may.
func (s *Server) Hear(ctx context.Context, r *cohostv1.HeartbeatRequest) (*cohostv1.HeartbeatResponse, error) {
	p, err := s.partition()
	if err != nil {
		return nil, err
	}
	shown, err := p.Hear(ctx, r.GetLiveId(), r.GetSessionId())
	if err != nil {
		return nil, err
	}
	return &cohostv1.HeartbeatResponse{
		ServerNow: timestamppb.New(p.Now()), Settings: settingsMessage(p.PresenceSettings()), Presence: presenceMessage(shown),
	}, nil
}

// GetPresenceSettings returns the times of presence.
func (s *Server) GetPresenceSettings(_ context.Context, _ *cohostv1.GetPresenceSettingsRequest) (*cohostv1.GetPresenceSettingsResponse, error) {
	p, err := s.partition()
	if err != nil {
		return nil, err
	}
	return &cohostv1.GetPresenceSettingsResponse{Settings: settingsMessage(p.PresenceSettings())}, nil
}

func settingsMessage(s presence.Settings) *cohostv1.PresenceSettings {
	return &cohostv1.PresenceSettings{
		RenewMs:            int32(s.Renew.Milliseconds()),
		UnreachableAfterMs: int32(s.UnreachableAfter.Milliseconds()),
		GraceMs:            int32(s.Grace.Milliseconds()),
		EndAfterMs:         int32(s.EndAfter.Milliseconds()),
		RejoinWithinMs:     int32(s.RejoinWithin.Milliseconds()),
	}
}

// presenceMessage is nil for a live that has shown none.
func presenceMessage(p cohost.Presence) *cohostv1.Presence {
	if p.Stage == 0 {
		return nil
	}
	message := &cohostv1.Presence{State: cohostv1.Presence_State(p.Stage), Since: timestamppb.New(p.Since), Fence: p.Sessions.Fence}
	if !p.RejoinUntil.IsZero() {
		message.RejoinConnectionId, message.RejoinUntil = p.LostFrom, timestamppb.New(p.RejoinUntil)
	}
	return message
}
