package check

import (
	"math"
	"sort"
	"strings"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// attempt is one call: how it began, and how it ended. One that never ended is of unknown outcome.
type attempt struct {
	history.Record
	end history.Record
}

// kind is the type of the record that ended the call.
func (a attempt) kind() string {
	if a.end.Type == "" {
		return history.Unknown
	}
	return a.end.Type
}

// until is when the call had ended, at the latest.
func (a attempt) until() int64 {
	if a.end.Type == "" {
		return math.MaxInt64
	}
	return a.end.T
}

// reason of a refusal.
func (a attempt) reason() string {
	reason, _, _ := strings.Cut(a.end.Err, ":")
	return reason
}

// pair puts beginnings and ends of calls together, in the order of the beginnings.
func pair(records []history.Record) []attempt {
	var all []attempt
	place := map[uint64]int{}
	for _, r := range records {
		switch i, known := place[r.I]; {
		case r.P == history.Fault || r.Type == history.Info:
		case r.Type == history.Invoke:
			place[r.I] = len(all)
			all = append(all, attempt{Record: r})
		case known:
			all[i].end = r
		}
	}
	return all
}

// poll is one reading of the length of the logs: each had that length at some moment between the two times.
type poll struct {
	from, to int64
	length   map[string]uint64
}

// heads is how long the logs were, as far as it was read.
type heads struct{ polls []poll }

func readHeads(records []history.Record) heads {
	var h heads
	for _, a := range pair(records) {
		p := poll{from: a.T, to: a.end.T}
		if a.F == call.Heads && a.kind() == history.OK && read(a.end.Res, &p.length) == nil {
			h.polls = append(h.polls, p)
		}
	}
	return h
}

// before is a length that a log had at a moment, at least.
func (h heads) before(log string, t int64) uint64 {
	n := sort.Search(len(h.polls), func(i int) bool { return h.polls[i].to > t })
	for i := n - 1; i >= 0; i-- {
		if length, ok := h.polls[i].length[log]; ok {
			return length
		}
	}
	return 0
}

// after is a length that a log had at a moment, at most. Two readings are taken for one: the first may be of a server that
// does not know yet that another leads.
func (h heads) after(log string, t int64) uint64 {
	n := sort.Search(len(h.polls), func(i int) bool { return h.polls[i].from >= t })
	var longest uint64
	found := 0
	for _, p := range h.polls[n:] {
		if length, ok := p.length[log]; ok {
			longest, found = max(longest, length), found+1
			if found == 2 {
				return longest
			}
		}
	}
	return math.MaxUint64
}

// window is the part of a log that a call can rest on.
func (h heads) window(log string, a attempt) check.Window {
	return check.Window{Before: h.before(log, a.T), After: h.after(log, a.until())}
}

// stored is when a group was stored: after the one moment, before the other.
func (h heads) stored(log string, seq uint64) (after, before int64) {
	n := sort.Search(len(h.polls), func(i int) bool { return h.polls[i].length[log] >= seq })
	before = math.MaxInt64
	if n < len(h.polls) {
		before = h.polls[n].to
	}
	if n > 0 {
		after = h.polls[n-1].from
	}
	return after, before
}

// check: what was once seen in a log stays there.
func (h heads) check(r *run) {
	longest := map[string]uint64{}
	for _, p := range h.polls {
		for log, length := range p.length {
			longest[log] = max(longest[log], length)
		}
	}
	for log, length := range longest {
		if saved := uint64(len(r.logs[log])); saved < length {
			r.found(check.Lost, "%s has %d groups, it had %d", log, saved, length)
		}
	}
}
