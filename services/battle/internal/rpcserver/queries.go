package rpcserver

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/watch"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

// defaultPage is the page size that 0 stands for.
const defaultPage = 100

// GetBattle implements BattleService: whoever may see one of its lives may see a battle.
func (s *Server) GetBattle(ctx context.Context, req *battlev1.GetBattleRequest) (*battlev1.GetBattleResponse, error) {
	b, now, err := s.find(req.GetBattleId())
	if err != nil {
		return nil, err
	}
	if err := auth.InBattle(ctx, b.Has); err != nil {
		return nil, err
	}
	return &battlev1.GetBattleResponse{Battle: codec.Battle(b, now)}, nil
}

// ListBattles implements BattleService: of one live for whoever may see it, of all for services and admins.
func (s *Server) ListBattles(ctx context.Context, req *battlev1.ListBattlesRequest) (*battlev1.ListBattlesResponse, error) {
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	listing, err := view.NewListing(view.Filter{LiveID: req.GetLiveId(), Phase: battle.Phase(req.GetStatus())}, size, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	var at time.Time
	for complete := false; !complete; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.partition.Read(func(battles *view.Battles, now time.Time) {
			complete, at = battles.Step(listing), now
		}); err != nil {
			return nil, err
		}
	}
	page, token := listing.Page()
	resp := &battlev1.ListBattlesResponse{NextPageToken: token}
	for _, b := range page {
		resp.Battles = append(resp.Battles, codec.Battle(b, at))
	}
	return resp, nil
}

// WatchLive implements BattleService. The snapshot is taken in the same view in which the events are subscribed to, so
// there is no gap between them.
func (s *Server) WatchLive(req *battlev1.WatchLiveRequest, stream grpc.ServerStreamingServer[battlev1.WatchLiveResponse]) error {
	ctx := stream.Context()
	var sub *watch.Subscription[*battlev1.Event]
	var snapshot *battlev1.WatchLiveResponse_Snapshot
	if err := s.partition.Read(func(battles *view.Battles, now time.Time) {
		var recovered bool
		if sub, recovered = battles.Subscribe(req.GetLiveId(), req.GetAfterNumber()); !recovered {
			snapshot = snapshotOf(battles, req.GetLiveId(), sub.After(), now)
		}
	}); err != nil {
		return err
	}
	defer sub.Close()
	if snapshot != nil {
		if err := stream.Send(&battlev1.WatchLiveResponse{Payload: &battlev1.WatchLiveResponse_Snapshot_{Snapshot: snapshot}}); err != nil {
			return err
		}
	}
	for {
		_, event, err := sub.Next(ctx)
		if errors.Is(err, watch.ErrTooSlow) {
			return es.Refuse(errorsv1.Reason_RATE_LIMITED.String(), "the reader is too slow; watch again for a snapshot")
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&battlev1.WatchLiveResponse{Payload: &battlev1.WatchLiveResponse_Event{Event: event}}); err != nil {
			return err
		}
	}
}

func snapshotOf(battles *view.Battles, liveID string, number int64, now time.Time) *battlev1.WatchLiveResponse_Snapshot {
	snapshot := &battlev1.WatchLiveResponse_Snapshot{Number: number, ServerNow: timestamppb.New(now)}
	if b, ok := battles.Current(liveID); ok {
		snapshot.Battle = codec.Battle(b, now)
	}
	return snapshot
}
