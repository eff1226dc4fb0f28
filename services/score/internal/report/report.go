// Package report tells the battle service which lives have opened and closed. What is to be reported is in the fold, so a
// crash loses nothing: a report is repeated until the battle service's own log shows what followed from it.
package report

import (
	"context"
	"log/slog"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

const (
	// Repeat is how often a report is repeated.
	Repeat = 500 * time.Millisecond
	// callTime bounds one call.
	callTime = 2 * time.Second
	// atOnce bounds the calls under way of a partition.
	atOnce = 32
)

// Reporter reports for one partition. It is a partition.Effect.
type Reporter struct {
	partition *partition.Partition
	battle    battlev1.BattleCoordinationServiceClient
	log       *slog.Logger
	wake      chan struct{}
}

// New makes a Reporter.
func New(p *partition.Partition, battle battlev1.BattleCoordinationServiceClient, log *slog.Logger) *Reporter {
	return &Reporter{partition: p, battle: battle, log: log, wake: make(chan struct{}, 1)}
}

// Committed implements partition.Effect: markers are reported at once.
func (r *Reporter) Committed(g ledger.Group[score.Event]) {
	for _, e := range g.Events {
		switch e.Event.(type) {
		case score.LiveOpened, score.LiveClosed:
			select {
			case r.wake <- struct{}{}:
			default:
			}
			return
		}
	}
}

// Run implements partition.Effect.
func (r *Reporter) Run(ctx context.Context) {
	var calls sync.WaitGroup
	defer calls.Wait()
	places := make(chan struct{}, atOnce)
	tick := time.NewTicker(Repeat)
	defer tick.Stop()
	last := make(map[report]time.Time)
	for {
		due := make(map[report]*score.Room)
		r.partition.View(func(s *score.State, _ partition.Place) {
			for b := range s.Unfinished() {
				for _, room := range b.Rooms {
					if kind, ok := owed(room); ok {
						due[report{room.BattleID, room.LiveID, kind}] = room
					}
				}
			}
		})
		for x := range last {
			if _, ok := due[x]; !ok {
				delete(last, x)
			}
		}
		for x, room := range due {
			if now := time.Now(); now.Sub(last[x]) >= Repeat {
				last[x] = now
				select {
				case places <- struct{}{}:
				case <-ctx.Done():
					return
				}
				calls.Go(func() {
					defer func() { <-places }()
					r.send(ctx, x.kind, room)
				})
			}
		}
		select {
		case <-tick.C:
		case <-r.wake:
		case <-ctx.Done():
			return
		}
	}
}

// kind of a report.
type kind string

const (
	opened kind = "opened"
	closed kind = "closed"
)

type report struct {
	battle, live string
	kind         kind
}

// owed returns the report that is due for a room.
func owed(r *score.Room) (kind, bool) {
	switch {
	case r.Phase == score.Open && !r.Started:
		return opened, true
	case r.OwesTotal():
		return closed, true
	default:
		return "", false
	}
}

func (r *Reporter) send(ctx context.Context, k kind, room *score.Room) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var err error
	if k == opened {
		_, err = r.battle.ReportOpened(ctx, &battlev1.ReportOpenedRequest{
			BattleId: room.BattleID, LiveId: room.LiveID, Partition: int32(r.partition.Number()),
			Sequence: room.OpenedAt.Seq, Index: room.OpenedAt.Index,
		})
	} else {
		_, err = r.battle.ReportClosed(ctx, &battlev1.ReportClosedRequest{
			BattleId: room.BattleID, LiveId: room.LiveID, Total: room.Total, TopGifters: codec.ToGifters(room.Top),
			Proof:   codec.Proof(r.partition.Number(), room.OpenedAt, room.ClosedAt, room.Gifts),
			Rejoins: room.Rejoins,
		})
	}
	if err != nil && ctx.Err() == nil {
		r.log.Debug("report not taken; it will be repeated", "kind", string(k), "battle", room.BattleID, "live", room.LiveID, "error", err)
	}
}
