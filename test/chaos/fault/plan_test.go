//go:build linux

package fault_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/fault"
)

var everything = fault.Limits{PowerCut: true, Disk: true}

func TestPlanFollowsFromTheSeed(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int)
	nodes := make(map[int]int)
	cuts := 0
	const rounds = 500
	for seed := range uint64(rounds) {
		p, err := fault.Draw(seed, 0, everything)
		if err != nil {
			t.Fatal(err)
		}
		again, err := fault.Draw(seed, 0, everything)
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("seed %d gives %v, then %v", seed, p, again)
		}
		nodes[p.Nodes]++
		if p.PowerCuts() > 0 {
			cuts++
		}
		if len(p.Faults) < 1 || len(p.Faults) > 4 {
			t.Errorf("seed %d: %d faults", seed, len(p.Faults))
		}
		for _, f := range p.Faults {
			seen[f.Kind]++
			if f.At < time.Second || f.At+f.For > p.Load || p.Load > 25*time.Second {
				t.Errorf("seed %d: %v in %v of load", seed, f, p.Load)
			}
		}
	}
	for _, kind := range fault.Kinds() {
		if seen[kind] == 0 {
			t.Errorf("%s is never drawn", kind)
		}
	}
	if nodes[1] == 0 || nodes[3] == 0 || len(nodes) != 2 {
		t.Errorf("nodes: %v", nodes)
	}
	if cuts < rounds/10 {
		t.Errorf("%d of %d rounds have a power cut", cuts, rounds)
	}
}

func TestPlanHasWhatCanBeDone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		p, err := fault.Draw(seed, 1, fault.Limits{}, fault.PowerCut, fault.Isolate)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Faults) == 0 || p.Nodes != 1 || p.Has(fault.PowerCut, fault.SlowDisk, fault.FailedDisk, fault.Isolate) {
			t.Fatalf("seed %d: %v", seed, p)
		}
		p, err = fault.Draw(seed, 3, everything, fault.PowerCut, fault.Isolate)
		if err != nil {
			t.Fatal(err)
		}
		if p.Nodes != 3 || !p.Has(fault.PowerCut) || !p.Has(fault.Isolate) {
			t.Fatalf("seed %d: %v", seed, p)
		}
	}
	if _, err := fault.Draw(1, 1, everything, "flood"); err == nil || !strings.Contains(err.Error(), "power-cut") {
		t.Errorf("an unknown fault: %v", err)
	}
}

func TestSkewedAreTheReplicasWhoseClockIsSet(t *testing.T) {
	t.Parallel()
	p, err := fault.Draw(1, 1, everything, fault.Clock, fault.Clock)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Faults {
		if f.Kind == fault.Clock && (f.By == 0 || !slices.Contains(p.Skewed(), f.Targets[0])) {
			t.Errorf("%v, skewed are %v", f, p.Skewed())
		}
	}
}
