// Package watch gives callers one view of a live: it merges the streams of the services into one, which begins with a
// snapshot or goes on where the caller stands, and holds across restarts of the services.
//
// Nothing of this is stored: the numbers in the offset are those of the services, so any gateway can go on from the offset
// that another gave.
package watch

import (
	"context"
	"log/slog"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Options are what the server needs.
type Options struct {
	Log *slog.Logger
	// Cohost, Battle and Score lead to the services.
	Cohost, Battle, Score grpc.ClientConnInterface
	// MaxWatchers is how many callers may watch at once.
	MaxWatchers int
}

// Server implements GatewayService.
type Server struct {
	gatewayv1.UnimplementedGatewayServiceServer
	o        Options
	watchers atomic.Int64
}

// NewServer makes a Server.
func NewServer(o Options) *Server { return &Server{o: o} }

// WatchLive implements GatewayService.
func (s *Server) WatchLive(req *gatewayv1.WatchLiveRequest, stream grpc.ServerStreamingServer[gatewayv1.WatchLiveResponse]) error {
	if n := s.watchers.Add(1); n > int64(s.o.MaxWatchers) {
		s.watchers.Add(-1)
		return es.Refuse(errorsv1.Reason_RATE_LIMITED.String(), "%d callers watch already, as many as this gateway takes", s.o.MaxWatchers)
	}
	defer s.watchers.Add(-1)
	after := offset{-1, -1}
	if req.GetOffset() != "" {
		var err error
		if after, err = parseOffset(req.GetOffset()); err != nil {
			return err
		}
	}
	ctx, fail := context.WithCancelCause(rpc.Forwarded(stream.Context()))
	defer fail(nil)

	session := s.session(req.GetLiveId())
	// Not waited for: with a caller that does not read, it ends only when the call has.
	go func() { fail(session.box.send(ctx, stream.Send)) }()
	fail(session.run(ctx, after))
	if err := stream.Context().Err(); err != nil {
		return err // the caller has left, or the server stops
	}
	return context.Cause(ctx)
}

// GetLiveState implements GatewayService. Whom the services would not let watch the live, they do not tell of it either.
func (s *Server) GetLiveState(ctx context.Context, req *gatewayv1.GetLiveStateRequest) (*gatewayv1.GetLiveStateResponse, error) {
	ctx, cancel := context.WithCancel(rpc.Forwarded(ctx))
	defer cancel() // ends the streams
	m, err := s.session(req.GetLiveId()).look(ctx, cancel)
	if err != nil {
		return nil, err
	}
	state := m.GetConnected()
	return &gatewayv1.GetLiveStateResponse{
		Offset: m.GetOffset(), ServerNow: timestamppb.Now(),
		Cohost: state.GetCohost(), Battle: state.GetBattle(), Scores: state.GetScores(),
	}, nil
}

// session begins a session for a caller who asks for a live.
func (s *Server) session(live string) *session {
	return &session{
		log:    s.o.Log,
		box:    newOutbox(),
		cohost: &feed{name: "cohost", live: live, open: cohost(s.o.Cohost)},
		battle: &feed{name: "battle", live: live, open: battle(s.o.Battle)},
		score:  scorev1.NewScoreServiceClient(s.o.Score),
	}
}
