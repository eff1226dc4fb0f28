package cohost_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"

	"github.com/faceoff-live/faceoff/services/cohost"
)

const log = "COHOST_00"

// told is what WatchLive has told of each live.
type told map[string][]*cohostv1.Event

// hear reads what lives were told since.
func (h told) hear(ctx context.Context, t *testing.T, c cohostv1.CohostServiceClient, lives ...string) {
	t.Helper()
	for _, live := range lives {
		now := must(must(c.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: -1}))(t).Recv())(t).GetSnapshot().GetNumber()
		heard := int64(len(h[live]))
		watch := must(c.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: heard}))(t)
		for ; heard < now; heard++ {
			h[live] = append(h[live], next(t, watch))
		}
	}
}

// meet has a and b connect and part, and a invite c in vain.
func meet(ctx context.Context, t *testing.T, c cohostv1.CohostServiceClient) {
	t.Helper()
	request := func(live, target string) *cohostv1.RequestHostConnectionRequest {
		r := request(live, target)
		r.TimeoutSeconds = 60 // it is answered before, however busy the machine is
		return r
	}
	must(c.RequestHostConnection(ctx, request("a", "b")))(t)
	must(c.AcceptHostConnection(ctx, accept("b", "a")))(t)
	must(c.UpdateLive(ctx, &cohostv1.UpdateLiveRequest{LiveId: "a", Host: &cohostv1.UpdateLiveRequest_HostProfile{UserName: proto.String(ids.New())}}))(t)
	must(c.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: "b"}))(t)
	must(c.RequestHostConnection(ctx, request("a", "c")))(t)
	must(c.CancelHostConnection(ctx, &cohostv1.CancelHostConnectionRequest{LiveId: "a", ToLiveId: "c"}))(t)
}

// compare compares what the stream EVENTS holds with what lives were told: the same bytes in the same order with dense numbers, each
// once.
func (h told) compare(ctx context.Context, t *testing.T, server *natsd.Server) {
	t.Helper()
	js := must(natsjs.New(natstest.Connect(t, server)))(t)
	consumer := must(js.OrderedConsumer(ctx, "EVENTS", natsjs.OrderedConsumerConfig{}))(t)
	messages := must(consumer.Messages())(t)
	defer messages.Stop()
	all := 0
	for _, events := range h {
		all += len(events)
	}
	got, seen := make(map[string]int), make(map[string]bool)
	for range all {
		m := must(messages.Next(natsjs.NextContext(ctx)))(t)
		tokens, header := strings.Split(m.Subject(), "."), m.Headers()
		if header.Get("ce-type") != "faceoff.cohost.v1."+tokens[2] || header.Get("ce-subject") != tokens[3] || header.Get("ce-specversion") != "1.0" ||
			header.Get("ce-source") != "/faceoff/cohost" || header.Get("ce-datacontenttype") != "application/protobuf" || header.Get("ce-time") == "" {
			t.Errorf("%s: %v", m.Subject(), header)
		}
		id, live := header.Get("ce-id"), tokens[3]
		if seen[id] || !strings.HasPrefix(id, log+"-") {
			t.Errorf("the id %q", id)
		}
		seen[id] = true
		n := got[live]
		got[live]++
		if n >= len(h[live]) {
			t.Fatalf("%s has an event too many: %s", live, m.Subject())
		}
		want := h[live][n]
		if raw := must(proto.MarshalOptions{Deterministic: true}.Marshal(want))(t); !bytes.Equal(raw, m.Data()) || want.GetNumber() != int64(n+1) {
			e := new(cohostv1.Event)
			t.Fatalf("event %d of %s is told as %v, stored as %v (%v)", n+1, live, want, e, proto.Unmarshal(m.Data(), e))
		}
	}
	if in := must(js.Stream(ctx, "EVENTS"))(t).CachedInfo().State.Msgs; in != uint64(all) {
		t.Errorf("%d messages for %d events", in, all)
	}
}

// TestEventsAreWhatWatchersAreTold: for every live the stream EVENTS holds what WatchLive tells, whatever replica writes, and
// across restarts.
func TestEventsAreWhatWatchersAreTold(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	ctx := patiently(t)
	for round := range 3 {
		one, stopOne := start(t, server)
		two, stopTwo := start(t, server)
		if round == 0 {
			create(ctx, t, one, "a", "b", "c")
		}
		meet(ctx, t, one)
		stopOne() // the other takes over
		meet(ctx, t, two)
		stopTwo()
	}
	client, stop := start(t, server)
	defer stop()
	told := make(told)
	for _, live := range []string{"a", "b", "c"} {
		told.hear(ctx, t, client, live)
		must(client.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: live}))(t)
	}
	for live := range told {
		watch := must(client.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: int64(len(told[live]))}))(t)
		for ended := false; !ended; {
			e := next(t, watch)
			told[live], ended = append(told[live], e), e.GetLiveEnded() != nil
		}
	}
	told.compare(ctx, t, server)
}

// TestEventsFromASnapshot: the projector goes on from a snapshot when the log's first stream was dropped, which waits for the events
// that it tells.
func TestEventsFromASnapshot(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	ctx := patiently(t)
	soon := func(s *ledgerjs.Stores, _ *cohost.Deps) { s.PaceSnapshots(1, 100*time.Millisecond) }
	client, stop := startWith(t, server, soon)
	create(ctx, t, client, "a", "b", "c")
	told := make(told)
	meet(ctx, t, client)
	told.hear(ctx, t, client, "a", "b", "c")

	stores := must(ledgerjs.NewStores(natstest.Connect(t, server), 1))(t)
	ended, _, err := stores.Continue(ctx, log, cohost.Logs()[0].Subject)
	if err != nil {
		t.Fatal(err)
	}
	meet(ctx, t, client)
	told.hear(ctx, t, client, "a", "b", "c")
	e := must(ledger.Export(ctx, stores.Other(log), t.TempDir(), ledger.Exported{Log: log, Stream: ended.Stream, First: ended.First, Last: ended.Last, Previous: ended.Previous}))(t)
	latest := func() (seq uint64) {
		for _, id := range must(stores.Snapshots(log).List(ctx))(t) {
			seq = max(seq, id.Seq)
		}
		return seq
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := stores.Drop(ctx, log, ended.Stream, e, 0, latest())
		if err == nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
	stop()

	client, stop = startWith(t, server, soon)
	defer stop()
	meet(ctx, t, client)
	told.hear(ctx, t, client, "a", "b", "c")
	told.compare(ctx, t, server)
}

// TestEventsWait: while EVENTS takes nothing, because it is full, or because there is no room to make it, commands are decided and
// watchers are told as ever, the lag says so, and nothing is lost.
func TestEventsWait(t *testing.T) {
	t.Parallel()
	whole := ledgerjs.EventsConfig(1, time.Hour, 64<<20)
	full := whole
	full.MaxMsgs, full.Discard = 4, natsjs.DiscardNew
	for name, row := range map[string]struct {
		before func(context.Context, *testing.T, natsjs.JetStream)
		mend   func(context.Context, natsjs.JetStream) error
	}{
		"full": {
			before: func(ctx context.Context, t *testing.T, js natsjs.JetStream) {
				t.Helper()
				must(js.CreateStream(ctx, full))(t)
			},
			mend: func(ctx context.Context, js natsjs.JetStream) error {
				_, err := js.UpdateStream(ctx, whole)
				return err
			},
		},
		"away": {
			before: func(context.Context, *testing.T, natsjs.JetStream) {},
			mend: func(ctx context.Context, js natsjs.JetStream) error {
				_, err := js.CreateStream(ctx, whole)
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := natstest.Start(t)
			ctx := patiently(t)
			js := must(natsjs.New(natstest.Connect(t, server)))(t)
			row.before(ctx, t, js)
			metrics := prometheus.NewRegistry()
			client, stop := startWith(t, server, func(s *ledgerjs.Stores, d *cohost.Deps) {
				s.LimitEvents(time.Hour, 1<<60) // more than any store has
				d.Metrics = metrics
			})
			defer stop()
			create(ctx, t, client, "a", "b", "c")
			told := make(told)
			began := time.Now()
			for range 3 {
				meet(ctx, t, client)
			}
			told.hear(ctx, t, client, "a", "b", "c")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("18 commands took %v", took)
			}
			awaitLag(ctx, t, metrics, func(groups float64) bool { return groups > 3 })
			if err := row.mend(ctx, js); err != nil {
				t.Fatal(err)
			}
			told.compare(ctx, t, server)
			awaitLag(ctx, t, metrics, func(groups float64) bool { return groups == 0 })
		})
	}
}

// awaitLag waits until the projector's lag is as it should be.
func awaitLag(ctx context.Context, t *testing.T, metrics prometheus.Gatherer, is func(groups float64) bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, family := range must(metrics.Gather())(t) {
			if family.GetName() == "faceoff_events_lag_groups" && is(family.GetMetric()[0].GetGauge().GetValue()) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("faceoff_events_lag_groups does not get there")
		}
	}
}
