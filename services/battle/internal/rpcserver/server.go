// Package rpcserver answers the gRPC calls of the battle service: it hands commands to the partition and tells what
// became of them.
package rpcserver

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
	"github.com/faceoff-live/faceoff/services/battle/internal/partition"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

// Server implements BattleService and BattleCoordinationService.
type Server struct {
	battlev1.UnimplementedBattleServiceServer
	battlev1.UnimplementedBattleCoordinationServiceServer
	partition *partition.Partition
	log       *slog.Logger
}

// New makes a Server.
func New(p *partition.Partition, log *slog.Logger) *Server {
	return &Server{partition: p, log: log}
}

// Register registers both services.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	battlev1.RegisterBattleServiceServer(r, s)
	battlev1.RegisterBattleCoordinationServiceServer(r, s)
}

// act has a command decided for a live, or for an admin if that is empty, and returns the battle afterwards.
func (s *Server) act(ctx context.Context, liveID, battleID string, c battle.Command) (*battlev1.Battle, error) {
	if _, err := s.submit(ctx, liveID, c, c); err != nil {
		return nil, err
	}
	b, now, err := s.find(battleID)
	if err != nil {
		return nil, err
	}
	return codec.Battle(b, now), nil
}

// submit has a command decided, for the session of a host if the call names one. same is the command as a repeat of the call
// has it too.
func (s *Server) submit(ctx context.Context, liveID string, same, c battle.Command) (ledger.Result[battle.Event], error) {
	id, err := rpc.CommandID(ctx)
	if err != nil {
		return ledger.Result[battle.Event]{}, err
	}
	session, err := rpc.Session(ctx)
	if err != nil {
		return ledger.Result[battle.Event]{}, err
	}
	payload, err := codec.Codec{}.EncodeCommand(same)
	if err != nil {
		return ledger.Result[battle.Event]{}, err
	}
	if session != "" && liveID != "" {
		c = battle.AsHost{LiveID: liveID, Session: session, Command: c}
	}
	return s.partition.Submit(ctx, id, payload, c)
}

// find returns a battle and log time.
func (s *Server) find(battleID string) (b battle.Battle, now time.Time, err error) {
	found := false
	err = s.partition.Read(func(battles *view.Battles, at time.Time) {
		b, found = battles.Get(battleID)
		now = at
	})
	if err == nil && !found {
		err = es.Refuse(battle.ReasonBattleNotFound, "there is no battle %s", battleID)
	}
	return b, now, err
}
