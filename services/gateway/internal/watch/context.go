package watch

import (
	"context"

	"google.golang.org/grpc"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
)

// update is one message of a context's stream: a snapshot that holds all events up to its number, or the event of its
// number.
type update struct {
	number   int64
	snapshot bool
	// show puts the update where callers look for it.
	show func(*gatewayv1.WatchLiveResponse)
}

// stream receives the updates of one live in one context, one after another.
type stream func() (update, error)

// opener opens the stream of a live after the event of a number; -1 asks for a snapshot.
type opener func(ctx context.Context, live string, after int64) (stream, error)

func cohost(conn grpc.ClientConnInterface) opener {
	client := cohostv1.NewCohostServiceClient(conn)
	return func(ctx context.Context, live string, after int64) (stream, error) {
		s, err := client.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: after})
		if err != nil {
			return nil, err
		}
		return func() (update, error) {
			for { // passes over what it does not know
				m, err := s.Recv()
				if err != nil {
					return update{}, err
				}
				switch p := m.GetPayload().(type) {
				case *cohostv1.WatchLiveResponse_Snapshot_:
					return update{p.Snapshot.GetNumber(), true, func(r *gatewayv1.WatchLiveResponse) {
						r.GetConnected().Cohost = p.Snapshot
					}}, nil
				case *cohostv1.WatchLiveResponse_Event:
					return update{p.Event.GetNumber(), false, func(r *gatewayv1.WatchLiveResponse) {
						r.Payload = &gatewayv1.WatchLiveResponse_Cohost{Cohost: p.Event}
					}}, nil
				}
			}
		}, nil
	}
}

func battle(conn grpc.ClientConnInterface) opener {
	client := battlev1.NewBattleServiceClient(conn)
	return func(ctx context.Context, live string, after int64) (stream, error) {
		s, err := client.WatchLive(ctx, &battlev1.WatchLiveRequest{LiveId: live, AfterNumber: after})
		if err != nil {
			return nil, err
		}
		return func() (update, error) {
			for { // passes over what it does not know
				m, err := s.Recv()
				if err != nil {
					return update{}, err
				}
				switch p := m.GetPayload().(type) {
				case *battlev1.WatchLiveResponse_Snapshot_:
					return update{p.Snapshot.GetNumber(), true, func(r *gatewayv1.WatchLiveResponse) {
						r.GetConnected().Battle = p.Snapshot
					}}, nil
				case *battlev1.WatchLiveResponse_Event:
					return update{p.Event.GetNumber(), false, func(r *gatewayv1.WatchLiveResponse) {
						r.Payload = &gatewayv1.WatchLiveResponse_Battle{Battle: p.Event}
					}}, nil
				}
			}
		}, nil
	}
}
