// Package rpcserver is the gRPC door of the score service.
package rpcserver

import (
	"context"

	"google.golang.org/grpc"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/replay"
)

// Server implements faceoff.score.v1.ScoreService.
type Server struct {
	scorev1.UnimplementedScoreServiceServer
	set    *partition.Set
	replay *replay.Replayer
}

// New makes a Server.
func New(set *partition.Set, r *replay.Replayer) *Server {
	return &Server{set: set, replay: r}
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { scorev1.RegisterScoreServiceServer(r, s) }

// SendGifts implements ScoreService.
func (s *Server) SendGifts(ctx context.Context, req *scorev1.SendGiftsRequest) (*scorev1.SendGiftsResponse, error) {
	gifts, err := gift.ParseAll(req.GetGifts())
	if err != nil {
		return nil, err
	}
	verdicts, err := s.set.Count(ctx, gifts)
	if err != nil {
		return nil, err
	}
	return &scorev1.SendGiftsResponse{Verdicts: verdicts}, nil
}

// GetGift implements ScoreService.
func (s *Server) GetGift(_ context.Context, req *scorev1.GetGiftRequest) (*scorev1.GetGiftResponse, error) {
	verdict := s.set.Gift(req.GetLiveId(), req.GetEventId())
	if verdict == nil {
		return nil, es.Refuse("GIFT_NOT_FOUND", "no receipt is kept for gift event %s of live %s", req.GetEventId(), req.GetLiveId())
	}
	return &scorev1.GetGiftResponse{Verdict: verdict}, nil
}

// GetBattleScores implements ScoreService.
func (s *Server) GetBattleScores(ctx context.Context, req *scorev1.GetBattleScoresRequest) (*scorev1.GetBattleScoresResponse, error) {
	scores, ok := s.set.Scores(req.GetBattleId())
	if !ok {
		// That there is no such battle is for the battle service's log to say.
		if err := s.set.CatchUp(ctx); err != nil {
			return nil, err
		}
		if scores, ok = s.set.Scores(req.GetBattleId()); !ok {
			return nil, es.Refuse("BATTLE_NOT_FOUND", "battle %s has no scores here: it has not begun, or it is over for more than a day", req.GetBattleId())
		}
	}
	if err := auth.InBattle(ctx, scores.Has); err != nil {
		return nil, err
	}
	return &scorev1.GetBattleScoresResponse{Scores: scores.Proto()}, nil
}

// ReplayBattle implements ScoreService.
func (s *Server) ReplayBattle(ctx context.Context, req *scorev1.ReplayBattleRequest) (*scorev1.ReplayBattleResponse, error) {
	return s.replay.Battle(ctx, req.GetBattleId())
}
