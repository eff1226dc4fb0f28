package rpcserver

import (
	"context"
	"errors"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
)

// LeaveBattle implements BattleCoordinationService.
func (s *Server) LeaveBattle(ctx context.Context, req *battlev1.LeaveBattleRequest) (*battlev1.LeaveBattleResponse, error) {
	id, err := rpc.CommandID(ctx)
	if err != nil {
		return nil, err
	}
	result, err := s.partition.Submit(ctx, id, nil, codec.LeaveBattle(req))
	if err != nil {
		return nil, err
	}
	return &battlev1.LeaveBattleResponse{BattleId: leftBattle(result.Events, req.GetLiveId())}, nil
}

// leftBattle returns the battle that a live left: it exited, also from waiting for the next round, or it was the inviter of
// a request that is cancelled by that.
func leftBattle(events []ledger.Placed[battle.Event], liveID string) string {
	for _, e := range events {
		switch x := e.Event.(type) {
		case battle.UserExited:
			if x.LiveID == liveID {
				return x.BattleID
			}
		case battle.SeriesExited:
			if x.LiveID == liveID {
				return x.BattleID
			}
		case battle.BattleEnded:
			if x.Never == battle.NeverCancelled {
				return x.BattleID
			}
		}
	}
	return ""
}

// ReportOpened implements BattleCoordinationService. The decider itself knows repeats, so the call's id is not needed.
func (s *Server) ReportOpened(ctx context.Context, req *battlev1.ReportOpenedRequest) (*battlev1.ReportOpenedResponse, error) {
	if _, err := s.partition.Submit(ctx, "", nil, codec.ReportOpened(req)); err != nil {
		return nil, err
	}
	return &battlev1.ReportOpenedResponse{}, nil
}

// ReportClosed implements BattleCoordinationService. The decider itself knows repeats, so the call's id is not needed.
func (s *Server) ReportClosed(ctx context.Context, req *battlev1.ReportClosedRequest) (*battlev1.ReportClosedResponse, error) {
	if _, err := s.partition.Submit(ctx, "", nil, codec.ReportClosed(req)); err != nil {
		if errors.Is(err, es.Refuse(es.ReasonPayloadMismatch, "")) {
			s.log.ErrorContext(ctx, "a live's total was reported twice, differently; the first stands",
				"battle_id", req.GetBattleId(), "live_id", req.GetLiveId(), "total", req.GetTotal(), "partition", req.GetProof().GetPartition())
		}
		return nil, err
	}
	return &battlev1.ReportClosedResponse{}, nil
}
