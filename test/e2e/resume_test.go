package e2e

import (
	"slices"
	"testing"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// Who comes back with the offset of the last message goes on after it, without a gap and without a repeat.
func TestWatcherResumes(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	for range 3 {
		invite(t, s, ann, ben, 0)
		if _, err := s.cohost.CancelHostConnection(ann.host.ctx(t), &cohostv1.CancelHostConnectionRequest{LiveId: ann.live, ToLiveId: ben.live}); err != nil {
			t.Fatal(err)
		}
	}
	all := events(t, ben.view, 6)
	offsets := []string{offset(ben.view, 0)}
	for i, n := range all {
		if n != int64(i+1) {
			t.Fatalf("the events are numbered %v", all)
		}
	}
	for at := range 6 {
		offsets = append(offsets, offset(ben.view, at+1))
	}
	for missed, from := range offsets[:6] {
		again := watch(t, ben.host, ben.live, from)
		if got := events(t, again, 6-missed); !slices.Equal(got, all[missed:]) {
			t.Errorf("after %s came %v, want %v", from, got, all[missed:])
		}
		recovered := await(t, again, "the connection", func(m *message) (bool, bool) {
			return m.GetConnected().GetRecovered(), m.GetConnected() != nil
		})
		if !recovered {
			t.Errorf("after %s came a snapshot", from)
		}
	}
	// Further events reach those who resumed.
	last := watch(t, ben.host, ben.live, offsets[6])
	invite(t, s, ann, ben, 0)
	if got := events(t, last, 1); got[0] != 7 {
		t.Errorf("then came event %d", got[0])
	}
}

// events returns the numbers of the first n co-host events.
func events(t *testing.T, v *view, n int) []int64 {
	t.Helper()
	var numbers []int64
	return await(t, v, "further events", func(m *message) ([]int64, bool) {
		if e := m.GetCohost(); e != nil {
			numbers = append(numbers, e.GetNumber())
		}
		return numbers, len(numbers) == n
	})
}

// offset is that of the i-th co-host event; 0: of the snapshot.
func offset(v *view, i int) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.messages {
		if m.GetConnected() != nil && i == 0 || m.GetCohost() != nil && m.GetCohost().GetNumber() == int64(i) {
			return m.GetOffset()
		}
	}
	return ""
}
