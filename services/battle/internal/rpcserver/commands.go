package rpcserver

import (
	"context"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

// RequestBattle implements BattleService. The answer is read from the events, so that a repeat gets the first one.
func (s *Server) RequestBattle(ctx context.Context, req *battlev1.RequestBattleRequest) (*battlev1.RequestBattleResponse, error) {
	// Each try makes a new id.
	result, err := s.submit(ctx, req.GetInviterLiveId(), codec.RequestBattle(req, ""), codec.RequestBattle(req, ids.New()))
	if err != nil {
		return nil, err
	}
	b, results, err := s.requested(result.Events)
	if err != nil {
		return nil, err
	}
	return &battlev1.RequestBattleResponse{Battle: b, Results: results}, nil
}

// Rematch implements BattleService. The answer is read as that of RequestBattle.
func (s *Server) Rematch(ctx context.Context, req *battlev1.RematchRequest) (*battlev1.RematchResponse, error) {
	result, err := s.submit(ctx, req.GetLiveId(), codec.Rematch(req, ""), codec.Rematch(req, ids.New()))
	if err != nil {
		return nil, err
	}
	b, results, err := s.requested(result.Events)
	if err != nil {
		return nil, err
	}
	return &battlev1.RematchResponse{Battle: b, Results: results}, nil
}

// requested tells of the battle that the events of a request have opened, and what became of its targets.
func (s *Server) requested(events []ledger.Placed[battle.Event]) (*battlev1.Battle, map[string]*errorsv1.TargetResult, error) {
	now, err := s.now()
	if err != nil {
		return nil, nil, err
	}
	b, request := opened(events)
	return codec.Battle(b, now), results(request), nil
}

// opened folds the events of a request; others may follow from it for other battles.
func opened(events []ledger.Placed[battle.Event]) (b battle.Battle, request battle.BattleRequested) {
	for _, e := range events {
		if r, ok := e.Event.(battle.BattleRequested); ok {
			request = r
		}
		if battle.BattleOf(e.Event) == request.BattleID {
			b = b.After(e.At, e.Event)
		}
	}
	return b, request
}

// results tells what became of each target, by the name that the request gave it.
func results(request battle.BattleRequested) map[string]*errorsv1.TargetResult {
	out := make(map[string]*errorsv1.TargetResult, len(request.Invitees)+len(request.Refused))
	for _, p := range request.Invitees {
		name := p.LiveID
		if request.TargetsAreUsers {
			name = p.Host.ID
		}
		out[name] = &errorsv1.TargetResult{Ok: true}
	}
	for _, r := range request.Refused {
		out[r.Target] = &errorsv1.TargetResult{Reason: r.Reason, Code: rpc.ReferenceNumber(r.Reason), Detail: r.Detail}
	}
	return out
}

func (s *Server) now() (now time.Time, err error) {
	err = s.partition.Read(func(_ *view.Battles, at time.Time) { now = at })
	return now, err
}

// AcceptBattle implements BattleService.
func (s *Server) AcceptBattle(ctx context.Context, req *battlev1.AcceptBattleRequest) (*battlev1.AcceptBattleResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), battle.AcceptBattle{BattleID: req.GetBattleId(), LiveID: req.GetLiveId()})
	if err != nil {
		return nil, err
	}
	return &battlev1.AcceptBattleResponse{Battle: b}, nil
}

// RejectBattle implements BattleService.
func (s *Server) RejectBattle(ctx context.Context, req *battlev1.RejectBattleRequest) (*battlev1.RejectBattleResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), battle.RejectBattle{
		BattleID: req.GetBattleId(), LiveID: req.GetLiveId(), Reason: req.GetReason(),
	})
	if err != nil {
		return nil, err
	}
	return &battlev1.RejectBattleResponse{Battle: b}, nil
}

// CancelBattleRequest implements BattleService.
func (s *Server) CancelBattleRequest(ctx context.Context, req *battlev1.CancelBattleRequestRequest) (*battlev1.CancelBattleRequestResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), codec.CancelBattleRequest(req))
	if err != nil {
		return nil, err
	}
	return &battlev1.CancelBattleRequestResponse{Battle: b}, nil
}

// ExitBattle implements BattleService.
func (s *Server) ExitBattle(ctx context.Context, req *battlev1.ExitBattleRequest) (*battlev1.ExitBattleResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), battle.ExitBattle{BattleID: req.GetBattleId(), LiveID: req.GetLiveId()})
	if err != nil {
		return nil, err
	}
	return &battlev1.ExitBattleResponse{Battle: b}, nil
}

// RejoinBattle implements BattleService.
func (s *Server) RejoinBattle(ctx context.Context, req *battlev1.RejoinBattleRequest) (*battlev1.RejoinBattleResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), battle.RejoinBattle{BattleID: req.GetBattleId(), LiveID: req.GetLiveId()})
	if err != nil {
		return nil, err
	}
	return &battlev1.RejoinBattleResponse{Battle: b}, nil
}

// EndBattle implements BattleService.
func (s *Server) EndBattle(ctx context.Context, req *battlev1.EndBattleRequest) (*battlev1.EndBattleResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), codec.EndBattle(req))
	if err != nil {
		return nil, err
	}
	return &battlev1.EndBattleResponse{Battle: b}, nil
}

// ExtendBattle implements BattleService.
func (s *Server) ExtendBattle(ctx context.Context, req *battlev1.ExtendBattleRequest) (*battlev1.ExtendBattleResponse, error) {
	b, err := s.act(ctx, req.GetLiveId(), req.GetBattleId(), codec.ExtendBattle(req))
	if err != nil {
		return nil, err
	}
	return &battlev1.ExtendBattleResponse{Battle: b}, nil
}

// VoidBattle implements BattleService.
func (s *Server) VoidBattle(ctx context.Context, req *battlev1.VoidBattleRequest) (*battlev1.VoidBattleResponse, error) {
	b, err := s.act(ctx, "", req.GetBattleId(), battle.VoidBattle{BattleID: req.GetBattleId(), Reason: req.GetReason()})
	if err != nil {
		return nil, err
	}
	return &battlev1.VoidBattleResponse{Battle: b}, nil
}
