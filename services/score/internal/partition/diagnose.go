package partition

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/diagnose"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Diagnose says how the logs are on this replica that are open, and what waits.
func (s *Set) Diagnose() []*diagnosticsv1.Partition {
	var all []*diagnosticsv1.Partition
	for _, p := range s.partitions {
		if d := p.diagnose(); d != nil {
			all = append(all, d)
		}
	}
	return all
}

func (p *Partition) diagnose() *diagnosticsv1.Partition {
	p.mu.RLock()
	l, feed := p.ledger, p.feed
	p.mu.RUnlock()
	if l == nil {
		return nil
	}
	d := diagnose.Partition(l.Status())
	now := d.GetNow().AsTime()
	if d.GetWrites() {
		d.Readers = []*diagnosticsv1.Reader{{Into: p.cfg.Name, Log: BattleLog, Read: feed.Read()}}
	}
	d.Waiting = diagnose.Oldest(p.late(now))
	for _, e := range p.effects {
		v, ok := e.(Viewed)
		if !ok {
			continue
		}
		if took, why := v.Failing(); took > 0 {
			d.Waiting = append(d.Waiting, &diagnosticsv1.Waiting{
				Kind: diagnosticsv1.Waiting_SCORES, Since: timestamppb.New(now.Add(-took)), Detail: fmt.Sprint(why),
			})
		}
	}
	return d
}

// late tells of the gifts that wait for lives which are past their end.
func (p *Partition) late(now time.Time) (waiting []*diagnosticsv1.Waiting) {
	calls := p.parked.waiting()
	if len(calls) == 0 {
		return nil
	}
	p.View(func(s *score.State, _ Place) {
		for live, n := range calls {
			if r := s.Current(live); r != nil && r.Phase == score.Open && r.EndsAt.Before(now) {
				waiting = append(waiting, &diagnosticsv1.Waiting{
					Kind: diagnosticsv1.Waiting_GIFTS, Id: live, Since: timestamppb.New(r.EndsAt), Calls: int64(n), Detail: "of battle " + r.BattleID,
				})
			}
		}
	})
	return waiting
}
