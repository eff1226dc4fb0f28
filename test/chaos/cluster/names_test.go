//go:build linux

package cluster

import (
	"context"
	"net"
	"slices"
	"testing"
)

func TestNameHasAnAddressForEachReplica(t *testing.T) {
	t.Parallel()
	n, err := newNames(replicaHosts(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.close() })
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
	hosts, err := r.LookupHost(t.Context(), "battle.faceoff.test.")
	slices.Sort(hosts)
	if err != nil || !slices.Equal(hosts, replicaHosts(3)) {
		t.Errorf("%v, %v", hosts, err)
	}
}
