package rpcserver

import (
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/watch"
)

// WatchLive streams what a live is told until the caller goes away. Its header is sent as soon as no later event can be
// missed.
func (s *Server) WatchLive(r *cohostv1.WatchLiveRequest, stream grpc.ServerStreamingServer[cohostv1.WatchLiveResponse]) error {
	ctx := stream.Context()
	p, err := s.partition()
	if err != nil {
		return err
	}
	sub, snapshot, ok := p.Watch(r.GetLiveId(), r.GetAfterNumber())
	if !ok {
		return liveNotFound(r.GetLiveId())
	}
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	if snapshot != nil {
		first := &cohostv1.WatchLiveResponse_Snapshot{
			Number: sub.After(), Live: liveMessage(snapshot.Live), State: stateMessage(*snapshot),
		}
		if err := stream.Send(&cohostv1.WatchLiveResponse{Payload: &cohostv1.WatchLiveResponse_Snapshot_{Snapshot: first}}); err != nil {
			return err
		}
	}
	for {
		number, notice, err := sub.Next(ctx)
		if errors.Is(err, watch.ErrTooSlow) {
			return es.Refuse("RATE_LIMITED", "the reader is too slow: its next event is not kept any more; watch again")
		}
		if err != nil {
			return err
		}
		event := &cohostv1.WatchLiveResponse_Event{Event: EventMessage(number, notice)}
		if err := stream.Send(&cohostv1.WatchLiveResponse{Payload: event}); err != nil {
			return err
		}
	}
}
