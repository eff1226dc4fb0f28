package watch

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// followScores puts the scores of a live's battles into the box until ctx ends or the caller may not see them. Each
// message holds all scores, so after a break nothing is needed but the next one.
func followScores(ctx context.Context, score scorev1.ScoreServiceClient, live string, box *outbox) error {
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		stream, err := score.WatchLive(ctx, &scorev1.WatchLiveRequest{LiveId: live})
		for err == nil {
			var m *scorev1.WatchLiveResponse
			if m, err = stream.Recv(); err == nil {
				box.putScores(m.GetScores())
				wait = shortestWait
			}
		}
		if code := status.Code(err); code == codes.PermissionDenied || code == codes.Unauthenticated {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}
