package partition

import (
	"context"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// projection returns what tells others of the log while this replica writes.
func (p *Partition) projection(store ledger.Store) (run func(context.Context)) {
	if p.o.Events == nil {
		return func(context.Context) {}
	}
	stream, marks := p.o.Events(Log, "battle")
	return events.NewProjector(events.Options{
		Log:    Log,
		Source: Told(p.o, store),
		Stream: stream, Marks: marks, Head: store.Log.Head,
		Logger: p.o.Log, Metrics: p.o.Metrics,
	}).Run
}

// Told is what the log tells others, as public events. It folds the log by itself: a projector may have to begin where the
// partition's own fold has long been.
func Told(o Options, store ledger.Store) events.Source {
	return func(ctx context.Context, from uint64, handle func(context.Context, uint64, []events.Event) error) error {
		p := New(o)
		var messages []*battlev1.Event
		var lives []string
		p.battles.Tell(func(liveID string, e *battlev1.Event) {
			messages, lives = append(messages, e), append(lives, liveID)
		})
		return ledger.Replay(ctx, p.config(store), from, func(ctx context.Context, seq uint64) error {
			told := make([]events.Event, len(messages))
			for i, m := range messages {
				var err error
				place := events.Place{Seq: seq, Index: uint32(i)}
				if told[i], err = events.New(Log, "battle", lives[i], place, m.GetAt().AsTime(), m); err != nil {
					return err
				}
			}
			messages, lives = nil, nil
			return handle(ctx, seq, told)
		})
	}
}
