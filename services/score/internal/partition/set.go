package partition

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Set is all partitions.
type Set struct {
	partitions []*Partition
	hub        *hub
	verdicts   verdictCounters
}

// NewSet makes count partitions; cfg's Name and Settings.Partition are set for each. reg may be nil.
func NewSet(count int, cfg Config, reg prometheus.Registerer) *Set {
	s := &Set{hub: newHub(), verdicts: newVerdictCounters(reg)}
	for i := range count {
		own := cfg
		own.Name = LogName(i)
		own.Settings.Partition, own.Settings.Partitions = i, count
		s.partitions = append(s.partitions, newPartition(own, s.hub))
	}
	return s
}

// LogName is the name of a partition's log.
func LogName(partition int) string { return fmt.Sprintf("SCORE_%02d", partition) }

// Subject is the subject of a partition's log.
func Subject(partition int) string { return fmt.Sprintf("log.score.%02d", partition) }

// All returns the partitions by number.
func (s *Set) All() []*Partition { return s.partitions }

// Of returns the partition that decides for a live.
func (s *Set) Of(liveID string) *Partition {
	return s.partitions[score.Partition(liveID, len(s.partitions))]
}

// Run runs all partitions until ctx ends or one fails; then all end. ready is called once, when all are.
func (s *Set) Run(ctx context.Context, ready func()) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	var starting atomic.Int64
	starting.Store(int64(len(s.partitions)))
	started := func() {
		if starting.Add(-1) == 0 {
			ready()
		}
	}
	for _, p := range s.partitions {
		running.Go(func() {
			if err := p.Run(ctx, started); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("%s: %w", p.cfg.Name, err))
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// CatchUp waits until every partition has read the battle service's log to its present head.
func (s *Set) CatchUp(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for _, p := range s.partitions {
		running.Go(func() {
			l := p.bound()
			if l == nil {
				cancel(ledger.ErrUnavailable)
				return
			}
			if _, err := l.Submit(ctx, ledger.Command[score.Command]{Body: score.CountGifts{Fresh: true}}); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}
