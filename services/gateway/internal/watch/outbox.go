package watch

import (
	"context"
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/faceoff-live/faceoff/pkg/es"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// maxQueued is how many messages may wait for a caller. Both contexts may hand over all the events that they keep at once
// (256 each), so it is well above that.
const maxQueued = 1024

// outbox holds what one caller has not been sent yet: messages in their order, and of the scores only the latest.
type outbox struct {
	changed chan struct{} // holds one token when there may be something to send

	mu     sync.Mutex
	queue  []*gatewayv1.WatchLiveResponse
	scores *scorev1.BattleScores
	offset string // of the last message taken; empty before the first
}

func newOutbox() *outbox {
	return &outbox{changed: make(chan struct{}, 1)}
}

// put adds a message; the error is the refusal of a caller that reads too slowly.
func (b *outbox) put(m *gatewayv1.WatchLiveResponse) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == maxQueued {
		return es.Refuse(errorsv1.Reason_RATE_LIMITED.String(), "the caller reads too slowly; go on from the last offset")
	}
	b.queue = append(b.queue, m)
	b.wake()
	return nil
}

// putScores replaces the scores that wait; nil: none wait any more.
func (b *outbox) putScores(s *scorev1.BattleScores) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scores = s
	b.wake()
}

func (b *outbox) wake() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// send passes everything on until ctx ends or the caller cannot be sent to.
func (b *outbox) send(ctx context.Context, send func(*gatewayv1.WatchLiveResponse) error) error {
	for {
		m := b.take()
		if m == nil {
			select {
			case <-b.changed:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		m.ServerNow = timestamppb.Now()
		if err := send(m); err != nil {
			return err
		}
	}
}

// take returns the next message; nil when there is none. No scores go out before the first message.
func (b *outbox) take() *gatewayv1.WatchLiveResponse {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) > 0 {
		m := b.queue[0]
		b.queue[0], b.queue = nil, b.queue[1:]
		b.offset = m.GetOffset()
		return m
	}
	if b.scores == nil || b.offset == "" {
		return nil
	}
	m := &gatewayv1.WatchLiveResponse{Offset: b.offset, Payload: &gatewayv1.WatchLiveResponse_Scores{Scores: b.scores}}
	b.scores = nil
	return m
}
