package partition

import (
	"context"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// Told is what the log tells others, as public events. It folds the log by itself: a projector may have to begin where the
// partition's own fold has long been.
func Told(o Options, public func(number int64, n cohost.Notice) *cohostv1.Event) events.Source {
	return func(ctx context.Context, from uint64, handle func(context.Context, uint64, []events.Event) error) error {
		p := fold(o)
		var notices []*cohostv1.Event
		var lives []string
		p.told = func(number int64, n cohost.Notice) {
			notices, lives = append(notices, public(number, n)), append(lives, n.To)
		}
		return ledger.Replay(ctx, p.config(o), from, func(ctx context.Context, seq uint64) error {
			told := make([]events.Event, len(notices))
			for i, m := range notices {
				var err error
				place := events.Place{Seq: seq, Index: uint32(i)}
				if told[i], err = events.New(Name, "cohost", lives[i], place, m.GetAt().AsTime(), m); err != nil {
					return err
				}
			}
			notices, lives = nil, nil
			return handle(ctx, seq, told)
		})
	}
}
