//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	sim "github.com/faceoff-live/faceoff/test/sim/check"
)

// sum adds rounds up.
type sum struct {
	rounds, faults, powerCuts           int
	tried, acked, unknown               int
	lost, duplicated, stuck, violations int
	inconclusive                        int
	acks                                map[sim.Kind]int
	outages                             map[place][]time.Duration
}

// place is a kind of fault at a number of nodes; of all kinds if it is empty.
type place struct {
	kind  string
	nodes int
}

func (s *sum) add(r *round) {
	s.rounds++
	s.faults += r.report.Faults
	s.powerCuts += r.plan.PowerCuts()
	s.tried += r.report.Tried
	s.acked += r.report.Acked
	s.unknown += r.report.Unknown
	s.lost += r.report.Lost
	s.duplicated += r.report.Duplicated
	s.stuck += r.report.Stuck
	s.violations += len(r.report.Violations) + len(r.found)
	if r.report.Inconclusive != "" {
		s.inconclusive++
	}
	if s.acks == nil {
		s.acks = make(map[sim.Kind]int)
	}
	for kind, n := range r.report.Acks {
		s.acks[kind] += n
	}
	if s.outages == nil {
		s.outages = make(map[place][]time.Duration)
	}
	for _, o := range r.outages {
		for _, kind := range []string{o.kind, ""} {
			at := place{kind, r.plan.Nodes}
			s.outages[at] = append(s.outages[at], o.took)
		}
	}
}

func (s *sum) green() bool { return s.lost+s.duplicated+s.stuck+s.violations+len(s.unacked()) == 0 }

// enough is how many rounds acknowledge every command, whatever is done in them.
const enough = 10

// unacked are the commands that were never acknowledged, though there were enough rounds: of these the run proves nothing.
func (s *sum) unacked() []sim.Kind {
	never := []sim.Kind{}
	for _, kind := range call.Commands {
		if s.rounds >= enough && s.acks[kind] == 0 {
			never = append(never, kind)
		}
	}
	return never
}

// result is the last line.
type result struct {
	Runs       int `json:"runs"`
	Faults     int `json:"faults"`
	Tried      int `json:"tried"`
	Acked      int `json:"acked"`
	Unknown    int `json:"unknown"`
	Lost       int `json:"lost"`
	Duplicated int `json:"duplicated"`
	Stuck      int `json:"stuck"`
	Violations int `json:"violations"`

	PowerCuts    int `json:"power_cuts"`
	Inconclusive int `json:"inconclusive"`

	Acks    map[sim.Kind]int `json:"acks"`
	Unacked []sim.Kind       `json:"unacked"`

	P501 int64 `json:"outage_ms_p50_1"`
	Max1 int64 `json:"outage_ms_max_1"`
	P503 int64 `json:"outage_ms_p50_3"`
	Max3 int64 `json:"outage_ms_max_3"`
}

// result prints the outages and returns the last line.
func (s *sum) result(out io.Writer) result {
	for _, durations := range s.outages {
		slices.Sort(durations)
	}
	kinds := slices.SortedFunc(maps.Keys(s.outages), func(a, b place) int {
		if a.nodes != b.nodes {
			return a.nodes - b.nodes
		}
		return slices.Compare([]byte(a.kind), []byte(b.kind))
	})
	fmt.Fprintf(out, "\n%-14s %6s %6s %10s %10s\n", "outage after", "nodes", "faults", "p50 ms", "max ms")
	for _, at := range kinds {
		all := s.outages[at]
		fmt.Fprintf(out, "%-14s %6d %6d %10d %10d\n", cmp.Or(at.kind, "any"), at.nodes, len(all), middle(all).Milliseconds(), slices.Max(all).Milliseconds())
	}
	p50 := func(nodes int) int64 { return middle(s.outages[place{"", nodes}]).Milliseconds() }
	most := func(nodes int) int64 {
		if all := s.outages[place{"", nodes}]; len(all) > 0 {
			return slices.Max(all).Milliseconds()
		}
		return 0
	}
	return result{
		Runs: s.rounds, Faults: s.faults, Tried: s.tried, Acked: s.acked, Unknown: s.unknown,
		Lost: s.lost, Duplicated: s.duplicated, Stuck: s.stuck, Violations: s.violations,
		PowerCuts: s.powerCuts, Inconclusive: s.inconclusive, Acks: s.acks, Unacked: s.unacked(),
		P501: p50(1), Max1: most(1), P503: p50(3), Max3: most(3),
	}
}

// middle is the median of sorted durations; 0 if there are none.
func middle(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}
