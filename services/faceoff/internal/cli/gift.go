package cli

import (
	"context"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

type giftCommands struct {
	Send    giftSend    `cmd:"" help:"Send a gift and print its verdict."`
	Receipt giftReceipt `cmd:"" help:"Print what became of a gift."`
}

const verdictHeader = "LIVE,EVENT,VERDICT,POINTS,BATTLE,REPEAT,REASON,DECIDED"

func verdictRow(v *scorev1.GiftVerdict) []any {
	return []any{v.GetLiveId(), v.GetEventId(), v.GetVerdict(), v.GetPoints(), v.GetBattleId(), v.GetDuplicate(), v.GetReason(), v.GetDecidedAt()}
}

type giftSend struct {
	Live     string    `arg:"" name:"live-id" help:"The live that receives it."`
	Event    string    `name:"event-id" help:"Id of the gift event; a new one if not given. The same id never counts twice."`
	Sender   string    `help:"user_id of who gives." required:""`
	Gift     string    `name:"gift-id" help:"Name of the gift." default:"rose"`
	Category string    `help:"BASIC, INTERMEDIATE, ADVANCED, SPECIAL or LIKE." enum:"BASIC,INTERMEDIATE,ADVANCED,SPECIAL,LIKE" default:"BASIC"`
	Value    int64     `help:"Value of one." default:"1"`
	Count    int64     `help:"How many." default:"1"`
	Fixed    int64     `name:"fixed-score" help:"Points of a SPECIAL gift." default:"0"`
	SentAt   time.Time `help:"When it was sent, as 2006-01-02T15:04:05Z; now if not given. Part of what a repeat must equal."`
	target
}

// Run sends the gift and prints the verdict.
func (c giftSend) Run(ctx context.Context, out io.Writer) error {
	if c.Event == "" {
		c.Event = ids.New()
	}
	if c.SentAt.IsZero() {
		c.SentAt = time.Now().Truncate(time.Millisecond)
	}
	gift := &scorev1.GiftEvent{
		EventId: c.Event, LiveId: c.Live, Sender: &userv1.User{UserId: c.Sender}, GiftId: c.Gift,
		Category:  scorev1.GiftEvent_Category(scorev1.GiftEvent_Category_value[c.Category]),
		UnitValue: c.Value, Count: c.Count, FixedScore: c.Fixed, SentAt: timestamppb.New(c.SentAt),
	}
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		var r *scorev1.SendGiftsResponse
		if _, err := client.Repeat(ctx, func(ctx context.Context) (err error) {
			r, err = s.Score.SendGifts(ctx, &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift}})
			return err
		}); err != nil {
			return err
		}
		var rows [][]any
		for _, v := range r.GetVerdicts() {
			rows = append(rows, verdictRow(v))
		}
		return c.show(out, r, verdictHeader, rows...)
	})
}

type giftReceipt struct {
	Live  string `arg:"" name:"live-id" help:"The live that received it."`
	Event string `arg:"" name:"event-id" help:"Id of the gift event."`
	target
}

// Run prints the receipt.
func (c giftReceipt) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Score.GetGift(ctx, &scorev1.GetGiftRequest{LiveId: c.Live, EventId: c.Event})
		if err != nil {
			return err
		}
		return c.show(out, r, verdictHeader, verdictRow(r.GetVerdict()))
	})
}
