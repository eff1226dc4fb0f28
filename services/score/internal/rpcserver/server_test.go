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

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// TestWhoMay asks a service whose logs are not open: who may ask gets past the door, and then hears that nothing is there.
func TestWhoMay(t *testing.T) {
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
	service := &auth.Principal{User: "s", Live: auth.EveryLive, Role: auth.Service}
	host := &auth.Principal{User: "h", Live: "mine", Role: auth.Host}
	audience := &auth.Principal{User: "a", Live: "mine", Role: auth.Audience}
	stranger := &auth.Principal{User: "x", Live: "other", Role: auth.Host}
	denied, unknown := es.Refuse("PERMISSION_DENIED", ""), es.Refuse("UNAUTHENTICATED", "")
	missing := es.Refuse("GIFT_NOT_FOUND", "")
	for _, row := range []struct {
		name string
		who  *auth.Principal
		call func(context.Context) error
		want error
	}{
		{"a service sends", service, send, ledger.ErrUnavailable},
		{"a host does not send", host, send, denied},
		{"nobody sends", nil, send, unknown},
		{"a service reads", service, get, missing},
		{"the host reads", host, get, missing},
		{"its audience reads", audience, get, missing},
		{"another host does not read", stranger, get, denied},
		{"nobody reads", nil, get, unknown},
		{"scores of a battle nobody knows", host, scores, ledger.ErrUnavailable},
		{"scores for nobody", nil, scores, unknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if row.who != nil {
				ctx = auth.With(ctx, *row.who)
			}
			if err := row.call(ctx); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}
