package rpcserver

import (
	"context"
	"errors"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/partition"
)

// RequestHostConnection invites the targets one after another, in the order of the request, each by a command of its own.
func (s *Server) RequestHostConnection(ctx context.Context, r *cohostv1.RequestHostConnectionRequest) (*cohostv1.RequestHostConnectionResponse, error) {
	c, err := s.begin(ctx, "RequestHostConnection", r)
	if err != nil {
		return nil, err
	}
	timeout := time.Duration(r.GetTimeoutSeconds()) * time.Second
	if timeout == 0 {
		timeout = s.o.InvitationTimeout
	}
	results := make(map[string]*errorsv1.TargetResult, len(r.GetTargetLiveIds()))
	var first error // refusal of the first target
	accepted := false
	for i, target := range r.GetTargetLiveIds() {
		one := c
		if i > 0 { // the first has the call's own id, so that the id cannot serve for another request
			one.id += "/" + target
		}
		_, err := one.submit(ctx, cohost.RequestHostConnection{
			LiveID:          r.GetLiveId(),
			Target:          target,
			Layout:          r.GetLayoutTemplate(),
			Timeout:         timeout,
			ExtensionInfo:   r.GetExtensionInfo(),
			NewInvitationID: ids.New(),
			NewConnectionID: ids.New(),
		})
		refusal, ok := ofTarget(err)
		if !ok {
			return nil, err
		}
		if i == 0 {
			first = err
		}
		accepted = accepted || refusal == nil
		results[target] = targetResult(refusal)
	}
	if !accepted {
		return nil, first
	}
	state, err := stateOf(c.p, r.GetLiveId())
	return &cohostv1.RequestHostConnectionResponse{Results: results, State: state}, err
}

// ofTarget reports whether an answer is about one target: no refusal, or one of the domain's. Anything else, an outcome
// that is not known or an id that was used before, is about the whole call.
func ofTarget(err error) (*es.Refusal, bool) {
	refusal, ok := errors.AsType[*es.Refusal](err)
	if !ok {
		return nil, err == nil
	}
	switch refusal.Reason {
	case es.ReasonPayloadMismatch, es.ReasonUnavailable, es.ReasonDeadlineExceeded:
		return nil, false
	}
	return refusal, true
}

func targetResult(refusal *es.Refusal) *errorsv1.TargetResult {
	if refusal == nil {
		return &errorsv1.TargetResult{Ok: true}
	}
	return &errorsv1.TargetResult{Reason: refusal.Reason, Code: rpc.ReferenceNumber(refusal.Reason), Detail: refusal.Detail}
}

// CancelHostConnection takes an invitation back.
func (s *Server) CancelHostConnection(ctx context.Context, r *cohostv1.CancelHostConnectionRequest) (*cohostv1.CancelHostConnectionResponse, error) {
	p, _, err := s.submit(ctx, "CancelHostConnection", r, cohost.CancelHostConnection{LiveID: r.GetLiveId(), To: r.GetToLiveId()})
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.CancelHostConnectionResponse{State: state}, err
}

// AcceptHostConnection accepts an invitation.
func (s *Server) AcceptHostConnection(ctx context.Context, r *cohostv1.AcceptHostConnectionRequest) (*cohostv1.AcceptHostConnectionResponse, error) {
	p, _, err := s.submit(ctx, "AcceptHostConnection", r, cohost.AcceptHostConnection{
		LiveID: r.GetLiveId(), From: r.GetFromLiveId(), ExtensionInfo: r.GetExtensionInfo(), NewConnectionID: ids.New(),
	})
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.AcceptHostConnectionResponse{State: state}, err
}

// RejectHostConnection rejects an invitation.
func (s *Server) RejectHostConnection(ctx context.Context, r *cohostv1.RejectHostConnectionRequest) (*cohostv1.RejectHostConnectionResponse, error) {
	p, _, err := s.submit(ctx, "RejectHostConnection", r, cohost.RejectHostConnection{
		LiveID: r.GetLiveId(), From: r.GetFromLiveId(), Reason: r.GetReason(), Code: cohost.RejectCode(r.GetReasonCode()),
		ExtensionInfo: r.GetExtensionInfo(),
	})
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.RejectHostConnectionResponse{State: state}, err
}

// SetLayoutTemplate changes the layout of the connection.
func (s *Server) SetLayoutTemplate(ctx context.Context, r *cohostv1.SetLayoutTemplateRequest) (*cohostv1.SetLayoutTemplateResponse, error) {
	p, _, err := s.submit(ctx, "SetLayoutTemplate", r, cohost.SetLayoutTemplate{LiveID: r.GetLiveId(), Layout: r.GetLayoutTemplate()})
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.SetLayoutTemplateResponse{State: state}, err
}

// MuteRemoteHostAudio mutes another member, or lets it be heard again.
func (s *Server) MuteRemoteHostAudio(ctx context.Context, r *cohostv1.MuteRemoteHostAudioRequest) (*cohostv1.MuteRemoteHostAudioResponse, error) {
	p, _, err := s.submit(ctx, "MuteRemoteHostAudio", r, cohost.MuteRemoteHostAudio{
		LiveID: r.GetLiveId(), Target: r.GetTargetLiveId(), Muted: r.GetMuted(),
	})
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.MuteRemoteHostAudioResponse{State: state}, err
}

// ExitHostConnection leaves the connection, and the battle before it.
func (s *Server) ExitHostConnection(ctx context.Context, r *cohostv1.ExitHostConnectionRequest) (*cohostv1.ExitHostConnectionResponse, error) {
	c, err := s.begin(ctx, "ExitHostConnection", r)
	if err != nil {
		return nil, err
	}
	repeated, err := c.repeated()
	if err != nil {
		return nil, err
	}
	if l, _ := c.p.Live(r.GetLiveId()); !repeated && !c.refused() && l.ConnectionID != "" {
		s.leaveBattle(ctx, causedBy(c.id), &battlev1.LeaveBattleRequest{LiveId: r.GetLiveId()})
	}
	if _, err := c.submit(ctx, cohost.ExitHostConnection{LiveID: r.GetLiveId()}); err != nil {
		return nil, err
	}
	state, err := stateOf(c.p, r.GetLiveId())
	return &cohostv1.ExitHostConnectionResponse{State: state}, err
}

// RejoinHostConnection takes a live back into the connection that its host was lost from.
func (s *Server) RejoinHostConnection(ctx context.Context, r *cohostv1.RejoinHostConnectionRequest) (*cohostv1.RejoinHostConnectionResponse, error) {
	p, _, err := s.submit(ctx, "RejoinHostConnection", r, cohost.RejoinHostConnection{LiveID: r.GetLiveId()})
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.RejoinHostConnectionResponse{State: state}, err
}

// GetCoHostState returns a live's connection and its pending invitations.
func (s *Server) GetCoHostState(_ context.Context, r *cohostv1.GetCoHostStateRequest) (*cohostv1.GetCoHostStateResponse, error) {
	p, err := s.partition()
	if err != nil {
		return nil, err
	}
	state, err := stateOf(p, r.GetLiveId())
	return &cohostv1.GetCoHostStateResponse{State: state}, err
}

func stateOf(p *partition.Partition, live string) (*cohostv1.CoHostState, error) {
	c, ok := p.CoHost(live)
	if !ok {
		return nil, liveNotFound(live)
	}
	return stateMessage(c), nil
}
