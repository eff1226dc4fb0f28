package demo

import (
	"slices"
	"testing"
)

// The plan has every kind of gift by every door, repeated in every way, and one live gets more than the other.
func TestPlan(t *testing.T) {
	t.Parallel()
	all := plan("red", "blue")
	if len(all) != giftsOfAnn+giftsOfBen {
		t.Fatalf("%d gifts", len(all))
	}
	count := newTally()
	ids, ways, first := make(map[string]bool), make(map[repeats]bool), make(map[int]bool)
	for _, g := range all {
		ids[g.event.GetLiveId()+g.event.GetEventId()] = true
		ways[g.repeats], first[g.first] = true, true
		count.count(g.event)
	}
	if len(ids) != len(all) || len(ways) != int(repeatKinds) || len(first) != len(doors) {
		t.Errorf("%d ids, %d ways, %d doors", len(ids), len(ways), len(first))
	}
	red, gifts := count.total("red")
	blue, _ := count.total("blue")
	if red <= blue || gifts != giftsOfAnn {
		t.Errorf("red %d with %d gifts, blue %d", red, gifts, blue)
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	count := newTally()
	for i := range 5 { // 50, 400, 1200, 999 and 35, by fans 0 1 2 3 0
		count.count(newGift("red", "", i))
	}
	if points, gifts := count.total("red"); points != 2684 || gifts != 5 {
		t.Errorf("%d points of %d gifts", points, gifts)
	}
	want := []fan{{"fan-2-of-red", 1200}, {"fan-3-of-red", 999}, {"fan-1-of-red", 400}, {"fan-0-of-red", 85}}
	if got := count.top("red"); !slices.Equal(got, want) {
		t.Errorf("the best are %v", got)
	}
	if changed(newGift("red", "", 0)).GetUnitValue() == newGift("red", "", 0).GetUnitValue() {
		t.Error("another gift is the same")
	}
}
