//go:build linux

package cluster

import "testing"

func TestClustersShareNoPort(t *testing.T) {
	t.Parallel()
	taken := make(map[int]bool)
	for range 20 {
		p, err := claimPorts()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.close(); err != nil {
				t.Error(err)
			}
		})
		for range 3 {
			port, err := p.next(replicaHosts(replicas)...)
			if err != nil {
				t.Fatal(err)
			}
			if taken[port] {
				t.Fatalf("port %d is given twice", port)
			}
			taken[port] = true
		}
	}
}
