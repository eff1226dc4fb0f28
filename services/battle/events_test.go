package battle_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// TestEventsAreWhatWatchersAreTold: for every live the stream EVENTS holds what WatchLive tells, whatever replica writes, and
// across restarts: the same bytes in the same order with dense numbers, each once.
func TestEventsAreWhatWatchersAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cohost.connect("x", "a", "b", "c")
	w.score.set("a", 7)
	told, lives := make(map[string][]*battlev1.Event), []string{"a", "b", "c"}
	hear := func(r *replica) {
		t.Helper()
		for _, live := range lives {
			now := r.watch(t, live, -1).snapshot().GetNumber()
			for watch := r.watch(t, live, int64(len(told[live]))); watch.last < now; {
				told[live] = append(told[live], watch.next())
			}
		}
	}
	config := &battlev1.BattleConfig{DurationSeconds: 1, NeedResponse: true, PunishmentSeconds: 1}
	for round := range 2 {
		one, two := w.startWith(short), w.startWith(short)
		stopScore := w.score.run(w.jetstream(), two)
		request := &battlev1.RequestBattleRequest{InviterLiveId: "a", TargetLiveIds: []string{"b", "c"}, Config: config}
		id := must(one.battle().RequestBattle(host(t, "a"), request))(t).GetBattle().GetBattleId()
		must(one.battle().AcceptBattle(host(t, "b"), &battlev1.AcceptBattleRequest{BattleId: id, LiveId: "b"}))(t)
		hear(one)
		one.stop() // the other takes over
		must(two.battle().RejectBattle(host(t, "c"), &battlev1.RejectBattleRequest{BattleId: id, LiveId: "c", Reason: "later"}))(t)
		watch := two.watch(t, "b", int64(len(told["b"])))
		for ended := false; !ended; {
			e := watch.next()
			told["b"], ended = append(told["b"], e), e.GetPunishmentEnded() != nil
		}
		if round == 1 {
			must(two.battle().CancelBattleRequest(host(t, "a"), &battlev1.CancelBattleRequestRequest{
				BattleId: must(two.battle().RequestBattle(host(t, "a"), request))(t).GetBattle().GetBattleId(), LiveId: "a",
			}))(t)
		}
		hear(two)
		stopScore()
		two.stop()
	}
	w.start()

	stream := must(w.jetstream().Stream(t.Context(), "EVENTS"))(t)
	consumer := must(stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{}))(t)
	messages := must(consumer.Messages())(t)
	defer messages.Stop()
	got, ids, all := make(map[string][]*battlev1.Event), make(map[string]bool), 0
	for _, events := range told {
		all += len(events)
	}
	for range all {
		m := must(messages.Next(jetstream.NextMaxWait(patience)))(t)
		tokens, e := strings.Split(m.Subject(), "."), new(battlev1.Event)
		if err := proto.Unmarshal(m.Data(), e); err != nil {
			t.Fatal(err)
		}
		live := tokens[3]
		if n := len(got[live]); n < len(told[live]) && !bytes.Equal(must(proto.MarshalOptions{Deterministic: true}.Marshal(told[live][n]))(t), m.Data()) {
			t.Errorf("event %d of %s has other bytes than what was told", n+1, live)
		}
		got[live], ids[m.Headers().Get("ce-id")] = append(got[live], e), true
		if at := must(time.Parse(time.RFC3339Nano, m.Headers().Get("ce-time")))(t); !at.Equal(e.GetAt().AsTime()) || tokens[1] != "battle" ||
			m.Headers().Get("ce-type") != "faceoff.battle.v1."+tokens[2] || m.Headers().Get("ce-source") != "/faceoff/battle" {
			t.Errorf("%s: %v", m.Subject(), m.Headers())
		}
		if e.GetNumber() != int64(len(got[live])) {
			t.Errorf("event %d of %s has the number %d", len(got[live]), live, e.GetNumber())
		}
	}
	if diff := cmp.Diff(told, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-WatchLive +EVENTS):\n%s", diff)
	}
	if in := must(stream.Info(t.Context()))(t).State.Msgs; len(ids) != all || in != uint64(all) {
		t.Errorf("%d ids and %d messages for %d events", len(ids), in, all)
	}
}
