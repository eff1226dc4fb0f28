package ledger

import "testing"

func TestPace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		pace         Pace
		folded, size int64
		due          bool
	}{
		{"little", Pace{}, snapshotBytes - 1, 0, false},
		{"enough", Pace{}, snapshotBytes, 1, true},
		{"less than the last one has", Pace{}, 20 << 20, 20<<20 + 1, false},
		{"as much as the last one has", Pace{}, 20 << 20, 20 << 20, true},
		{"as set, whatever the last one has", Pace{Bytes: 10}, 10, 1 << 30, true},
		{"less than set", Pace{Bytes: 10}, 9, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if due := c.pace.due(c.folded, c.size); due != c.due {
				t.Errorf("due: %v, want %v", due, c.due)
			}
		})
	}
}
