package client

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/es"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// RequestGift sends one gift by NATS request and returns its verdict.
func (c *Client) RequestGift(ctx context.Context, gift *scorev1.GiftEvent) (*scorev1.GiftVerdict, error) {
	nc, err := c.NATS()
	if err != nil {
		return nil, err
	}
	data, err := proto.Marshal(gift)
	if err != nil {
		return nil, err
	}
	reply, err := nc.RequestWithContext(ctx, "gifts."+gift.GetLiveId(), data)
	if err != nil {
		return nil, err
	}
	if text := reply.Header.Get("Nats-Service-Error"); text != "" {
		reason, detail, _ := strings.Cut(text, ": ")
		return nil, es.Refuse(reason, "%s", detail)
	}
	v := new(scorev1.GiftVerdict)
	if err := proto.Unmarshal(reply.Data, v); err != nil {
		return nil, err
	}
	return v, nil
}
