// Package check judges a run of the product from the outside: from the stored bytes of the logs and the answers that
// callers got. It shares no code with what wrote the logs but the format of their messages.
package check

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"sort"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

// Class of a finding.
type Class string

// The classes, as they are counted at the end of a run.
const (
	Lost       Class = "lost"       // answered as done, and not in the log
	Duplicated Class = "duplicated" // in the log more than once
	Stuck      Class = "stuck"      // did not end
	Violation  Class = "violations" // any other rule broken
)

// Finding is one thing that must not be.
type Finding struct {
	Class Class
	Text  string
}

// Findings of one run.
type Findings []Finding

func (f *Findings) add(c Class, format string, args ...any) {
	*f = append(*f, Finding{c, fmt.Sprintf(format, args...)})
}

// decision is one decision of a log, with its place.
type decision[E any] struct {
	seq     uint64
	id      string
	at      int64
	entries []E
	// refusal is the answer that the decision keeps, nil if it is none; without entries and a refusal there was nothing to do.
	refusal *ledgerv1.Decision_Refusal
	// previous is the hash of the group before.
	previous []byte
}

// readLog decodes a log and checks what holds for every log: the chain, log time, and each command id once.
func readLog[E proto.Message](f *Findings, name string, groups [][]byte, entry func() E) []decision[E] {
	var all []decision[E]
	var previous []byte
	var last int64
	ids := make(map[string]uint64)
	for i, raw := range groups {
		seq := uint64(i + 1)
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			f.add(Violation, "%s/%d: %v", name, seq, err)
			return all
		}
		if !bytes.Equal(g.GetPrevious(), previous) {
			f.add(Violation, "%s/%d: the chain is broken", name, seq)
			continue
		}
		sum := sha256.Sum256(raw)
		previous = sum[:]
		for _, d := range g.GetDecisions() {
			if d.GetAtMs() < last {
				f.add(Violation, "%s/%d: log time goes back by %d ms", name, seq, last-d.GetAtMs())
			}
			last = max(last, d.GetAtMs())
			if id := d.GetCommandId(); id != "" {
				if first, again := ids[id]; again {
					f.add(Duplicated, "%s/%d: command %s was decided in group %d", name, seq, id, first)
				}
				ids[id] = seq
			}
			x := decision[E]{seq: seq, id: d.GetCommandId(), at: d.GetAtMs(), refusal: d.GetRefusal(), previous: g.GetPrevious()}
			for _, b := range d.GetEntries() {
				e := entry()
				if err := proto.Unmarshal(b, e); err != nil {
					f.add(Violation, "%s/%d: entry: %v", name, seq, err)
				}
				x.entries = append(x.entries, e)
			}
			all = append(all, x)
		}
	}
	return all
}

// byID finds decisions by their command's id.
func byID[E any](all []decision[E]) map[string]decision[E] {
	m := make(map[string]decision[E], len(all))
	for _, d := range all {
		if _, again := m[d.id]; !again {
			m[d.id] = d
		}
	}
	return m
}

// Window is the part of a log that an answer can rest on: the head when its call began, and when it was there.
type Window struct{ Before, After uint64 }

// state is what a log says after a decision.
type state[S any] struct {
	seq uint64
	s   S
}

// at is the state after the group seq.
func at[S any](states []state[S], seq uint64) S {
	after, _ := slices.BinarySearchFunc(states, seq+1, func(x state[S], seq uint64) int { return cmp.Compare(x.seq, seq) })
	return states[after-1].s
}

// never is a log time that does not come.
const never = math.MaxInt64

const (
	// onTime is how late, in ms, what a deadline brings may be at rest.
	onTime = 1000
	// settled is how long, in ms, after faults have stopped somebody writes for certain.
	settled = 10_000
)

// overdue reports whether a deadline that came at rest was missed.
func overdue(at, deadline, restAt int64) bool {
	return restAt < never && deadline > restAt+settled && at > deadline+onTime
}

// some reports whether ok holds in one of the states of a window. The one after it counts as well: a deadline
// may be stored right after the answer that it decided.
func some[S any](states []state[S], w Window, ok func(S) bool) bool {
	// The first is the one that the log had at w.Before.
	first := max(sort.Search(len(states), func(i int) bool { return states[i].seq > w.Before })-1, 0)
	for first > 0 && states[first-1].seq == w.Before {
		first-- // a group of several decisions
	}
	for _, x := range states[first:] {
		if ok(x.s) {
			return true
		}
		if x.seq > w.After {
			return false
		}
	}
	return false
}

// shown reports whether ok holds after one of the groups of a window, looking backwards. Readers see whole groups only.
func shown[S any](states []state[S], w Window, ok func(S) bool) bool {
	i := sort.Search(len(states), func(i int) bool { return states[i].seq > w.After }) - 1
	for i >= 0 {
		if ok(states[i].s) {
			return true
		}
		seq := states[i].seq
		if seq <= w.Before {
			return false
		}
		for i >= 0 && states[i].seq == seq {
			i--
		}
	}
	return false
}

// place is where and when something was decided.
type place struct {
	seq uint64
	at  int64
}

// Span is a part of a log between a decision that sets a deadline and the one that the deadline brings.
type Span struct {
	What     string
	Log      string
	From, To uint64
	// Takes is how long it is to take, in ms of log time.
	Takes int64
}
