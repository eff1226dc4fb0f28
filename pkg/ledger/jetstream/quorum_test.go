package jetstream

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestConfirm(t *testing.T) {
	t.Parallel()
	replica := func(name string, active time.Duration) *jetstream.PeerInfo {
		return &jetstream.PeerInfo{Name: name, Active: active}
	}
	for _, c := range []struct {
		name string
		info *jetstream.ClusterInfo
		ok   bool
	}{
		{"one server", nil, true},
		{"one copy in a cluster", &jetstream.ClusterInfo{Leader: "n1"}, true},
		{"a leader with all", &jetstream.ClusterInfo{Leader: "n1", Replicas: []*jetstream.PeerInfo{replica("n2", time.Second), replica("n3", time.Millisecond)}}, true},
		{"a leader with one of two", &jetstream.ClusterInfo{Leader: "n1", Replicas: []*jetstream.PeerInfo{replica("n2", time.Hour), replica("n3", time.Millisecond)}}, true},
		{"a leader that is cut off", &jetstream.ClusterInfo{Leader: "n1", Replicas: []*jetstream.PeerInfo{replica("n2", 4*time.Second), replica("n3", 5*time.Second)}}, false},
		{"a leader that has heard nobody yet", &jetstream.ClusterInfo{Leader: "n1", Replicas: []*jetstream.PeerInfo{replica("n2", 0), replica("n3", 0)}}, false},
		{"a follower", &jetstream.ClusterInfo{Leader: "n2", Replicas: []*jetstream.PeerInfo{replica("n2", time.Millisecond), replica("n3", time.Millisecond)}}, false},
		{"nobody leads", &jetstream.ClusterInfo{Replicas: []*jetstream.PeerInfo{replica("n1", time.Millisecond), replica("n2", time.Millisecond), replica("n3", time.Millisecond)}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := confirm(c.info); (err == nil) != c.ok {
				t.Errorf("got %v, want ok: %v", err, c.ok)
			}
		})
	}
}
