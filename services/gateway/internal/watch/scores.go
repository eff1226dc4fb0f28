package watch

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// scoresOf returns the scores of a battle that a snapshot tells of; nil if there are none: there is no battle, gifts do not
// count for it yet, or it did not come to that.
func scoresOf(ctx context.Context, score scorev1.ScoreServiceClient, b *battlev1.Battle) (*scorev1.BattleScores, error) {
	if b.GetStartsAt() == nil {
		return nil, nil
	}
	limited, cancel := context.WithTimeout(ctx, firstScores)
	defer cancel()
	answer, err := score.GetBattleScores(limited, &scorev1.GetBattleScoresRequest{BattleId: b.GetBattleId()})
	if r, ok := rpc.Refusal(err); ok && r.Reason == errorsv1.Reason_BATTLE_NOT_FOUND.String() {
		return nil, nil
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = status.Error(codes.Unavailable, "score says nothing")
	}
	return answer.GetScores(), err
}

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
