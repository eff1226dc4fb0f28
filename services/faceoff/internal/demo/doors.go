package demo

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// A door is a way for gifts to come in.
type door string

const (
	byGRPC door = "grpc"
	byREST door = "rest"
	byNATS door = "nats"
)

var doors = []door{byGRPC, byREST, byNATS}

// send sends a gift through a door until there is a verdict, and tells how often it had to.
func (s *stage) send(ctx context.Context, d door, gift *scorev1.GiftEvent) (v *scorev1.GiftVerdict, calls int, err error) {
	calls, err = client.Repeat(ctx, func(ctx context.Context) (err error) {
		switch d {
		case byGRPC:
			v, err = s.sendGRPC(ctx, gift)
		case byREST:
			v, err = s.sendREST(ctx, gift)
		case byNATS:
			v, err = s.c.RequestGift(ctx, gift)
		}
		return err
	})
	if err != nil {
		return nil, calls, fmt.Errorf("gift %s by %s: %w", gift.GetEventId(), d, err)
	}
	return v, calls, nil
}

func (s *stage) sendGRPC(ctx context.Context, gift *scorev1.GiftEvent) (*scorev1.GiftVerdict, error) {
	r, err := s.c.Score.SendGifts(client.As(ctx, s.service, ""), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift}})
	if err != nil {
		return nil, err
	}
	return only(r)
}

func (s *stage) sendREST(ctx context.Context, gift *scorev1.GiftEvent) (*scorev1.GiftVerdict, error) {
	r := new(scorev1.SendGiftsResponse)
	in := &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift}}
	if err := s.c.REST(ctx, s.service, "", http.MethodPost, "/v1/gifts", in, r); err != nil {
		return nil, err
	}
	return only(r)
}

func only(r *scorev1.SendGiftsResponse) (*scorev1.GiftVerdict, error) {
	if n := len(r.GetVerdicts()); n != 1 {
		return nil, fmt.Errorf("one gift was sent and %d verdicts came", n)
	}
	return r.GetVerdicts()[0], nil
}

// changed is the gift with another value: another gift under the same id.
func changed(gift *scorev1.GiftEvent) *scorev1.GiftEvent {
	other := proto.CloneOf(gift)
	other.UnitValue++
	return other
}
