//go:build linux

package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// F is what a record of a fault says is done. Its Val is a Mark.
const F = "fault"

// Mark is a moment in a fault.
type Mark struct {
	Fault
	// N is the fault's place in the plan.
	N int `json:"n"`
	// Phase is Began, Done or Ended.
	Phase string `json:"phase"`
}

// The phases of a fault.
const (
	Began = "began" // it is about to be done
	Done  = "done"  // it is done
	Ended = "ended" // it is undone; what was down may need a moment more
)

// Window is when a fault was felt, by the clock of the history.
type Window struct{ From, To time.Duration }

// Run does what the plan says, each fault in its time, and returns when all are undone. When ctx ends it undoes them at once.
func (p Plan) Run(ctx context.Context, c *cluster.Cluster, h *history.Writer) ([]Window, error) {
	errs := make([]error, len(p.Faults))
	windows := make([]Window, len(p.Faults))
	var all sync.WaitGroup
	for i, f := range p.Faults {
		mark := func(phase string) {
			val, err := json.Marshal(Mark{f, i, phase})
			if err != nil {
				panic(err) // it is text and numbers
			}
			h.Append(history.Record{P: history.Fault, F: F, Type: history.Info, Val: val})
		}
		all.Go(func() {
			windows[i].From = h.Now() + f.At
			if err := f.run(ctx, c, mark); err != nil {
				errs[i] = fmt.Errorf("%v: %w", f, err)
			}
			windows[i].To = h.Now()
		})
	}
	all.Wait()
	return windows, errors.Join(errs...)
}

func (f Fault) run(ctx context.Context, c *cluster.Cluster, mark func(phase string)) error {
	k := kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == f.Kind })]
	if !wait(ctx, f.At) {
		return nil
	}
	mark(Began)
	end, err := k.begin(ctx, c, f)
	if end == nil {
		return err
	}
	mark(Done)
	wait(ctx, f.For)
	err = errors.Join(err, end(context.WithoutCancel(ctx)))
	mark(Ended)
	return err
}

// wait returns after d, or sooner with false when ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
