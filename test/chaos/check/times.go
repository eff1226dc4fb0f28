package check

import (
	"cmp"
	"math"
	"slices"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

const (
	// slack is how late anything may be that waits for nothing.
	slack = 5e9
	// recovery is how long after a fault its effects may be felt.
	recovery = 15e9
	// drift is the share by which log time may run fast or slow.
	drift = 0.1
)

// span is a time in which something was harmed.
type span struct{ from, to int64 }

// times is what happened when.
type times struct {
	faults int
	harmed []span // with what follows of each fault, in order
	clocks bool   // a clock was harmed
	quiet  int64  // when everything had ended; 0: never
}

// mark is a moment in a fault, as package fault writes it.
type mark struct {
	Kind  string `json:"kind"`
	N     int    `json:"n"`
	Phase string `json:"phase"`
}

// readTimes reads when faults began and ended. One without an end is over when the run is brought to rest.
func readTimes(records []history.Record) times {
	var t times
	open := map[int]int{} // by the fault's number: its place in harmed
	end := func(i int, at int64) { t.harmed[i].to = at + recovery }
	for _, r := range records {
		var m mark
		switch {
		case r.F == call.Rest:
			for _, i := range open {
				end(i, r.T)
			}
			clear(open)
		case r.F == call.Quiet:
			t.quiet = r.T
		case r.P != history.Fault || read(r.Val, &m) != nil:
		case m.Phase == "began":
			open[m.N] = len(t.harmed)
			t.harmed = append(t.harmed, span{r.T, math.MaxInt64})
		case m.Phase == "done":
			t.faults++
			t.clocks = t.clocks || m.Kind == "clock"
		case m.Phase == "ended":
			if i, ok := open[m.N]; ok {
				end(i, r.T)
				delete(open, m.N)
			}
		}
	}
	slices.SortFunc(t.harmed, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return t
}

// calm reports whether nothing was harmed between two moments, nor felt of what was before.
func (t times) calm(from, to int64) bool {
	return from > 0 && t.outage(from, to) == 0
}

// outage is how much of a time something was harmed.
func (t times) outage(from, to int64) (sum int64) {
	for _, s := range t.harmed {
		if a, b := max(from, s.from), min(to, s.to); b > a {
			sum += b - a
			from = b
		}
	}
	return sum
}

// spans: what a deadline brings comes neither early nor late, by the clock of who looked on. When a group was stored is
// known to a tenth of a second or so.
func (r *run) spans(all []check.Span) {
	for _, s := range all {
		from, fromBy := r.heads.stored(s.Log, s.From)
		to, toBy := r.heads.stored(s.Log, s.To)
		takes := float64(s.Takes) * 1e6
		// What was decided may be stored much later while something is harmed.
		calm := !r.times.clocks && toBy < math.MaxInt64 && r.times.calm(max(1, from-slack), toBy)
		if longest := float64(toBy - from); calm && longest < takes*(1-drift) {
			r.found(check.Violation, "%s: after %.0f ms at most, it takes %d", s.What, longest/1e6, s.Takes)
		}
		if fromBy > to {
			continue
		}
		if shortest, outage := float64(to-fromBy), r.times.outage(fromBy, to); shortest > takes/(1-drift)+slack+float64(outage) {
			r.found(check.Violation, "%s: after %.0f ms at least, it takes %d, and for %d ms something was harmed", s.What, shortest/1e6, s.Takes, outage/1e6)
		}
	}
}
