// Package natsserver is the NATS door of the score service: requests on gifts.<live_id>, answered with verdicts when the
// log has them.
package natsserver

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/natsdoor"

	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

// maxBytes of a request; 500 gifts fit.
const maxBytes = 512 << 10

// Counter decides gifts; see partition.Set.Count.
type Counter interface {
	Count(ctx context.Context, gifts []gift.Gift) ([]*scorev1.GiftVerdict, error)
}

// Options of the door.
type Options struct {
	// InFlight bounds the requests that are decided at the same time.
	InFlight int
	// Timeout bounds the decision of one.
	Timeout time.Duration
	Log     *slog.Logger
}

// New makes the door.
func New(nc *nats.Conn, counter Counter, o Options) *natsdoor.Server {
	return natsdoor.New(nc, func(ctx context.Context, r *natsdoor.Request) (proto.Message, error) {
		q, err := read(r)
		if err != nil {
			return nil, err
		}
		gifts, err := q.parse()
		if err != nil {
			return nil, err
		}
		verdicts, err := counter.Count(ctx, gifts)
		if err != nil {
			return nil, err
		}
		return q.answer(verdicts), nil
	}, natsdoor.Options{
		Name: "gifts by NATS", Prefix: "gifts.", Queue: "score", Payload: "gifts", MaxBytes: maxBytes,
		InFlight: o.InFlight, PendingBytes: 64 << 20, Timeout: o.Timeout, Log: o.Log,
	})
}
