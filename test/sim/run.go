package sim

import (
	"context"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// Result of one run.
type Result struct {
	Faults  int
	Tried   int // commands and gifts, each with all its repeats
	Acked   int // answered with ok, or with a verdict
	Unknown int // never answered
	// Settled is how many battles were fought to the end.
	Settled int
	// Snapshots is how many were opened to start from.
	Snapshots int
	// Sizes counts connections by the most lives that they had.
	Sizes map[int]int
	// Done counts commands that were answered with ok, by kind, and Became what became of battles.
	Done, Became map[string]int
	// Refusals counts commands that were refused, by kind and reason.
	Refusals map[string]int
	Findings check.Findings
	// Story is all that is known of a run with findings.
	Story string
}

const (
	// perStep is about how long a step takes; it only says how long faults are planned for.
	perStep = 45 * time.Millisecond
	// rest is how long everything may take to end once faults have stopped.
	rest = 60 * time.Second
)

// Run makes one run. It must be called within a testing/synctest bubble, and leaves no goroutine behind.
func Run(seed uint64, steps int) (Result, error) {
	p := newPlan(seed, time.Duration(steps)*perStep+2*time.Second)
	w, err := newWorld(seed, p)
	if err != nil {
		return Result{}, err
	}
	h := new(history)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.mishaps(ctx) }()
	hosts := newCrew(w, h, seed)
	work(w, h, seed, steps)
	stop()
	<-ended

	r := Result{Faults: w.faults.stop()}
	close(hosts.resting)
	heads := w.heads()
	w.ceased = w.now()
	w.settle()
	stuck := w.awaitEnd()
	stuck = append(stuck, w.awaitPresence(h, hosts)...)
	frozen := ""
	if len(stuck) > 0 {
		frozen = stacks()
	}
	hosts.stop()
	stuck = append(stuck, w.endHosted(h)...)
	if len(stuck) == 0 {
		stuck = w.bookAll(h)
	}
	if len(stuck) > 0 && frozen == "" {
		frozen = stacks()
	}
	w.compare(h)
	w.close()
	r.judge(w, h, heads, stuck)
	if len(r.Findings) > 0 {
		r.Story = w.story(h, r.Findings, frozen)
	}
	return r, nil
}

// settle waits until what was put off has happened and all replicas serve.
func (w *world) settle() {
	w.under.Wait()
	late := time.After(rest)
	for slot := range slots {
		if r := w.replica(slot); r != nil {
			select {
			case <-r.ready:
			case <-late:
				w.found("replica %s is not ready after %v without faults", r.id, rest)
			}
		}
	}
}

// awaitEnd waits until nothing is open any more, and returns what is all the same. A series goes on by itself: each of its
// rounds, and each phase of it, may take its time, but all of them not more than a few times that.
func (w *world) awaitEnd() []string {
	began := time.Now()
	var last []string
	for since := began; ; {
		open := check.Open(w.groups())
		if !slices.Equal(open, last) {
			since, last = time.Now(), open
		}
		if len(open) == 0 || time.Since(since) > rest || time.Since(began) > 10*rest {
			return open
		}
		_ = wait(context.Background(), time.Second)
	}
}

// judge has the checks judge the run.
func (r *Result) judge(w *world, h *history, rest map[string]uint64, stuck []string) {
	report := check.Check(check.Run{
		Presence: w.presence(h),
		Logs:     w.groups(), Ops: h.ops, Gifts: h.gifts, Sent: h.tried, Reads: h.reads, Told: h.told, Scores: h.scores, Complete: true, Limits: w.shape.limits, Rest: rest,
	})
	r.Findings, r.Settled, r.Sizes, r.Became = report.Findings, report.Settled, report.Sizes, report.Became
	r.Done, r.Refusals = map[string]int{}, map[string]int{}
	for _, s := range stuck {
		r.Findings = append(r.Findings, check.Finding{Class: check.Stuck, Text: s})
	}
	for _, s := range append(w.findings, w.takeovers.overtaken()...) {
		r.Findings = append(r.Findings, check.Finding{Class: check.Violation, Text: s})
	}
	r.Unknown, r.Snapshots = h.giftsLost, int(w.opened.Load())
	for _, o := range h.ops {
		switch o.Outcome {
		case check.OK:
			r.Acked++
			r.Done[string(o.Kind)]++
		case check.Unknown:
			r.Unknown++
		case check.Refused:
			r.Refusals[string(o.Kind)+" "+o.Reason]++
		}
		for _, reason := range o.Refusals {
			if reason != "" {
				r.Refusals[string(o.Kind)+" "+reason]++
			}
		}
	}
	r.Acked += len(h.gifts)
	r.Tried = len(h.ops) + len(h.gifts) + h.giftsLost
}
