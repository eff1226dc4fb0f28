package natstest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

// clusterTime is how long a cluster may take until it has a leader.
const clusterTime = 30 * time.Second

// Cluster starts n servers as one JetStream cluster for the length of the test. It returns when streams with n replicas
// can be made.
func Cluster(t testing.TB, n int) []*natsd.Server {
	t.Helper()
	// Every server has to know its routes before it starts, so their ports are chosen here; one may be lost to another
	// process until then.
	var err error
	for range 3 {
		var servers []*natsd.Server
		if servers, err = startCluster(t, freePorts(t, n)); err == nil {
			awaitReplicas(t, Connect(t, servers[0]), n)
			return servers
		}
	}
	t.Fatal(err)
	return nil
}

func startCluster(t testing.TB, ports []int) ([]*natsd.Server, error) {
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	}
	var servers []*natsd.Server
	for i, port := range ports {
		s, err := natsd.Start(natsd.Options{Dir: t.TempDir(), Tune: func(o *server.Options) {
			o.ServerName = fmt.Sprintf("n%d", i+1)
			o.Cluster = server.ClusterOpts{Name: "faceoff", Host: "127.0.0.1", Port: port}
			o.Routes = routes
		}})
		if err != nil {
			for _, s := range servers {
				s.Shutdown()
			}
			return nil, err
		}
		t.Cleanup(s.Shutdown)
		servers = append(servers, s)
	}
	return servers, nil
}

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer lis.Close() // after all are chosen, so that they differ
		ports[i] = lis.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// awaitReplicas makes a stream on all n servers, and deletes it.
func awaitReplicas(t testing.TB, nc *nats.Conn, n int) {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), clusterTime)
	defer cancel()
	const name = "CLUSTER_PROBE"
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		_, err := js.CreateStream(attempt, jetstream.StreamConfig{Name: name, Replicas: n})
		cancel()
		if err == nil {
			break
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("no cluster of %d within %v: %v", n, clusterTime, err)
		}
	}
	if err := js.DeleteStream(ctx, name); err != nil {
		t.Fatal(err)
	}
}
