package score_test

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

func TestPartition(t *testing.T) {
	t.Parallel()
	var load [16]int
	for i := range 16_000 {
		live := fmt.Sprintf("live-%d", i)
		h := fnv.New64a()
		h.Write([]byte(live))
		p := score.Partition(live, 16)
		if want := int(h.Sum64() % 16); p != want {
			t.Fatalf("Partition(%q) = %d, FNV-1a says %d", live, p, want)
		}
		load[p]++
	}
	for p, n := range load {
		if n < 800 || n > 1200 {
			t.Errorf("partition %d has %d of 16000 lives", p, n)
		}
	}
	if score.Partition("", 1) != 0 {
		t.Error("one partition has everything")
	}
}
