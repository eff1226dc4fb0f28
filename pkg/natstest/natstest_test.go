package natstest_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/natstest"
)

func TestStartGivesEachTestAServerOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := natstest.Start(t), natstest.Start(t)
	if a.ClientURL() == b.ClientURL() {
		t.Fatalf("both at %s", a.ClientURL())
	}
	js, err := jetstream.New(natstest.Connect(t, a))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S"}); err != nil {
		t.Fatal(err)
	}
}

func TestClusterKeepsReplicas(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	js, err := jetstream.New(natstest.Connect(t, servers[1]))
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "S", []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Cluster == nil || len(info.Cluster.Replicas) != 2 {
		t.Errorf("cluster of the stream: %+v", info.Cluster)
	}
}
