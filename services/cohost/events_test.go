package cohost_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// TestEventsAreWhatWatchersAreTold: for every live the stream EVENTS holds what WatchLive tells, with its numbers and in its
// order, whatever replica writes, and across restarts.
func TestEventsAreWhatWatchersAreTold(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	ctx := patiently(t)
	lives := []string{"a", "b", "c"}
	for round := range 3 {
		one, stopOne := start(t, server)
		two, stopTwo := start(t, server)
		if round == 0 {
			create(ctx, t, one, lives...)
		}
		must(one.RequestHostConnection(ctx, request("a", "b")))(t)
		stopOne() // the other takes over
		must(two.AcceptHostConnection(ctx, accept("b", "a")))(t)
		must(two.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: "b"}))(t)
		must(two.RequestHostConnection(ctx, request("a", "c")))(t)
		if round < 2 {
			must(two.CancelHostConnection(ctx, &cohostv1.CancelHostConnectionRequest{LiveId: "a", ToLiveId: "c"}))(t)
		}
		stopTwo()
	}
	client, stop := start(t, server)
	defer stop()
	told, n := make(map[string][]*cohostv1.Event), 0
	for _, live := range lives {
		must(client.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: live}))(t)
		watch := must(client.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live}))(t)
		for ended := false; !ended; n++ {
			e := next(t, watch)
			told[live], ended = append(told[live], e), e.GetLiveEnded() != nil
		}
	}

	js := must(natsjs.New(natstest.Connect(t, server)))(t)
	consumer := must(js.OrderedConsumer(ctx, "EVENTS", natsjs.OrderedConsumerConfig{}))(t)
	messages := must(consumer.Messages())(t)
	defer messages.Stop()
	got, ids := make(map[string][]*cohostv1.Event), make(map[string]bool)
	for range n {
		m := must(messages.Next(natsjs.NextContext(ctx)))(t)
		tokens, h, event := strings.Split(m.Subject(), "."), m.Headers(), new(cohostv1.Event)
		if err := proto.Unmarshal(m.Data(), event); err != nil {
			t.Fatal(err)
		}
		if h.Get("ce-type") != "faceoff.cohost.v1."+tokens[2] || h.Get("ce-subject") != tokens[3] || h.Get("ce-specversion") != "1.0" ||
			h.Get("ce-source") != "/faceoff/cohost" || h.Get("ce-datacontenttype") != "application/protobuf" || h.Get("ce-time") == "" {
			t.Errorf("%s: %v", m.Subject(), h)
		}
		id := h.Get("ce-id")
		if ids[id] || !strings.HasPrefix(id, "COHOST_00-") {
			t.Errorf("the id %q", id)
		}
		ids[id] = true
		got[tokens[3]] = append(got[tokens[3]], event)
	}
	if diff := cmp.Diff(told, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-WatchLive +EVENTS):\n%s", diff)
	}
	for live, all := range got {
		for i, e := range all {
			if e.GetNumber() != int64(i+1) {
				t.Errorf("%s: event %d has the number %d", live, i+1, e.GetNumber())
			}
		}
	}
	stream := must(js.Stream(ctx, "EVENTS"))(t)
	if in := stream.CachedInfo().State.Msgs; in != uint64(n) {
		t.Errorf("%d messages for %d events", in, n)
	}
}
