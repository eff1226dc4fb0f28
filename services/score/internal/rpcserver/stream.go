package rpcserver

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

const (
	// streamAhead is how many requests of a stream are decided at the same time.
	streamAhead = 16
	// streamTime bounds the decision of one of them.
	streamTime = 30 * time.Second
	// watchPause is the least time between two messages of WatchLive.
	watchPause = 100 * time.Millisecond
)

// StreamGifts implements ScoreService: requests are decided side by side and answered in their order. The first error ends
// the stream.
func (s *Server) StreamGifts(stream grpc.BidiStreamingServer[scorev1.StreamGiftsRequest, scorev1.StreamGiftsResponse]) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	type answer struct {
		verdicts []*scorev1.GiftVerdict
		err      error
	}
	answers := make(chan chan answer, streamAhead)
	go func() {
		defer close(answers)
		for {
			req, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			var gifts []gift.Gift
			if err == nil {
				gifts, err = gift.ParseAll(req.GetGifts())
			}
			next := make(chan answer, 1)
			select {
			case answers <- next:
			case <-ctx.Done():
				return
			}
			if err != nil {
				next <- answer{err: err}
				return
			}
			go func() {
				ctx, cancel := context.WithTimeout(ctx, streamTime)
				defer cancel()
				verdicts, err := s.set.Count(ctx, gifts)
				next <- answer{verdicts, err}
			}()
		}
	}()
	for next := range answers {
		a := <-next
		if a.err != nil {
			return a.err
		}
		if err := stream.Send(&scorev1.StreamGiftsResponse{Verdicts: a.verdicts}); err != nil {
			return err
		}
	}
	return nil
}

// WatchLive implements ScoreService. A reader that is slow gets fewer messages, never older ones.
func (s *Server) WatchLive(req *scorev1.WatchLiveRequest, stream grpc.ServerStreamingServer[scorev1.WatchLiveResponse]) error {
	ctx := stream.Context()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	changed, stop := s.set.Watch(req.GetLiveId())
	defer stop()
	var sent *scorev1.BattleScores
	for {
		var turn <-chan time.Time // when the status changes by time alone
		if scores, ok := s.set.Current(req.GetLiveId()); ok {
			if now := scores.Proto(); !same(sent, now) {
				if err := stream.Send(&scorev1.WatchLiveResponse{Scores: now}); err != nil {
					return err
				}
				sent = now
			}
			if d := scores.Until(); d > 0 {
				turn = time.After(d)
			}
		}
		pause := time.NewTimer(watchPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// same compares what is shown of scores.
func same(a, b *scorev1.BattleScores) bool {
	if a.GetBattleId() != b.GetBattleId() || a.GetStatus() != b.GetStatus() || len(a.GetScores()) != len(b.GetScores()) {
		return false
	}
	for user, score := range b.GetScores() {
		if was, ok := a.GetScores()[user]; !ok || was != score {
			return false
		}
	}
	return true
}
