//go:build linux

// Package fault harms a cluster by a plan that is drawn from a seed.
package fault

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
)

// Fault is one thing that is done to a cluster, and undone.
type Fault struct {
	Kind string `json:"kind"`
	// Targets are processes, or the two ends of what is between them.
	Targets []string `json:"targets,omitempty"`
	// At is when it begins, from the start of the load; For is how long it lasts.
	At  time.Duration `json:"at"`
	For time.Duration `json:"for"`
	// By is how much, where a kind has a measure.
	By time.Duration `json:"by,omitempty"`
}

// String tells it in few words.
func (f Fault) String() string {
	text := f.Kind
	if len(f.Targets) > 0 {
		text += " " + strings.Join(f.Targets, " ")
	}
	if f.By != 0 {
		text += fmt.Sprintf(" by %v", f.By)
	}
	return fmt.Sprintf("%s at %.1f s for %.1f s", text, f.At.Seconds(), f.For.Seconds())
}

// Plan is what is done in a round.
type Plan struct {
	Nodes  int           `json:"nodes"`
	Load   time.Duration `json:"load"`
	Faults []Fault       `json:"faults"`
}

// Has reports whether the plan has a fault of a kind.
func (p Plan) Has(kinds ...string) bool {
	return slices.ContainsFunc(p.Faults, func(f Fault) bool { return slices.Contains(kinds, f.Kind) })
}

// PowerCuts is how many of its faults are power cuts.
func (p Plan) PowerCuts() (n int) {
	for _, f := range p.Faults {
		if f.Kind == PowerCut {
			n++
		}
	}
	return n
}

// Skewed are the replicas whose clock it sets.
func (p Plan) Skewed() []string {
	var all []string
	for _, f := range p.Faults {
		if f.Kind == Clock {
			all = append(all, f.Targets...)
		}
	}
	return all
}

// Limits is what can be done on this machine.
type Limits struct{ PowerCut, Disk bool }

const (
	firstFault = time.Second // load has begun by then
	mostFaults = 4
	leastLoad  = 6 * time.Second
	mostLoad   = 8 * time.Second
	// afterwards is how long load goes on after the last fault.
	afterwards = time.Second
)

// Draw makes the plan of a round. nodes is 1 or 3, or 0 to draw that as well; with are kinds of faults that must be in it, if they can be.
func Draw(seed uint64, nodes int, can Limits, with ...string) (Plan, error) {
	rng := rand.New(rand.NewPCG(seed, 0xFA17))
	p := Plan{Nodes: 1}
	if rng.IntN(3) == 0 {
		p.Nodes = 3
	}
	if nodes != 0 {
		p.Nodes = nodes
	}
	d := drawer{rng, p.Nodes}
	// What is likely differs from round to round: some have much of the same.
	weights := make([]float64, len(kinds))
	for i, k := range kinds {
		if k.can == nil || k.can(can, p.Nodes) {
			weights[i] = k.weight * math.Exp2(rng.Float64()*4-2)
		}
	}
	var drawn []int
	for _, name := range with {
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
		if i < 0 {
			return p, fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(Kinds(), ", "))
		}
		if weights[i] > 0 {
			drawn = append(drawn, i)
		}
	}
	for n := 1 + rng.IntN(mostFaults); len(drawn) < n; {
		drawn = append(drawn, d.index(weights))
	}
	for _, i := range drawn {
		f := Fault{Kind: kinds[i].name, At: d.between(firstFault, leastLoad-afterwards)}
		kinds[i].draw(d, &f)
		p.Faults = append(p.Faults, f)
	}
	slices.SortFunc(p.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	p.Load = d.between(leastLoad, mostLoad)
	for _, f := range p.Faults {
		p.Load = max(p.Load, f.At+f.For+afterwards)
	}
	return p, nil
}

// drawer draws what faults are made of.
type drawer struct {
	*rand.Rand
	nodes int
}

func (d drawer) index(weights []float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	x := d.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return slices.IndexFunc(weights, func(w float64) bool { return w > 0 })
}

func (d drawer) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.Int64N(int64(most-least)))
}

// spread is between, with as many short times as long ones by their order of magnitude.
func (d drawer) spread(least, most time.Duration) time.Duration {
	return time.Duration(float64(least) * math.Pow(float64(most)/float64(least), d.Float64()))
}

func one[T any](d drawer, of []T) T { return of[d.IntN(len(of))] }

func (d drawer) service() string { return one(d, cluster.Services) }

func (d drawer) replica() string { return one(d, cluster.Replicas(d.service())) }

func (d drawer) node() string { return one(d, cluster.NodeNames(d.nodes)) }

func (d drawer) process() string {
	switch d.IntN(8) {
	case 0:
		return cluster.Redis
	case 1, 2:
		return d.node()
	}
	return d.replica()
}

// link draws two parts that talk to each other.
func (d drawer) link() []string {
	onLog := cluster.Replicas(one(d, []string{cluster.Cohost, cluster.Battle, cluster.Score}))
	switch d.IntN(10) {
	case 0, 1, 2, 3:
		return []string{one(d, onLog), cluster.NATS}
	case 4:
		return []string{one(d, cluster.Replicas(cluster.Score)), cluster.Redis}
	case 5, 6:
		return []string{cluster.Clients, one(d, cluster.Replicas(cluster.Gateway))}
	case 7:
		return []string{cluster.Clients, cluster.NATS}
	}
	caller := d.service()
	for len(cluster.Calls(caller)) == 0 {
		caller = d.service()
	}
	return []string{one(d, cluster.Replicas(caller)), one(d, cluster.Replicas(one(d, cluster.Calls(caller))))}
}
