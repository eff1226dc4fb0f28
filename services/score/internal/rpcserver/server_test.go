package rpcserver

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// TestLogsThatAreNotOpen asks a service that has not opened its logs: nothing is there, and what only a log knows is not said.
func TestLogsThatAreNotOpen(t *testing.T) {
	t.Parallel()
	s := New(partition.NewSet(2, partition.Config{Log: slog.New(slog.DiscardHandler), Settings: score.Settings{Rules: rules.Book}}, nil), nil)
	send := func(ctx context.Context) error {
		_, err := s.SendGifts(ctx, &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{{
			EventId: "e", LiveId: "mine", Sender: &userv1.User{UserId: "u"}, GiftId: "rose", Category: scorev1.GiftEvent_BASIC, UnitValue: 1,
			SentAt: timestamppb.New(time.Now()),
		}}})
		return err
	}
	get := func(ctx context.Context) error {
		_, err := s.GetGift(ctx, &scorev1.GetGiftRequest{LiveId: "mine", EventId: "e"})
		return err
	}
	scores := func(ctx context.Context) error {
		_, err := s.GetBattleScores(ctx, &scorev1.GetBattleScoresRequest{BattleId: "b"})
		return err
	}
	for name, row := range map[string]struct {
		call func(context.Context) error
		want error
	}{
		"gifts":  {send, ledger.ErrUnavailable},
		"a gift": {get, es.Refuse("GIFT_NOT_FOUND", "")},
		"scores": {scores, ledger.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := row.call(t.Context()); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}
