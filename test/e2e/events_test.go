package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
)

// The one process is killed again and again while hosts connect, battle and part: for every live the stream EVENTS holds
// what WatchLive told, the same bytes in the same order, each event once and none missing. Where to go on is in the stream itself: a
// projector that trusts its mark, or begins anew, tells events twice. With one process nobody else projects; that the fence is needed
// where others do is shown by TestOnJetStream of pkg/events.
func TestEventsOnceAcrossKills(t *testing.T) {
	t.Parallel()
	p := own(t)
	three := gather(t, p.stack, 3)
	want := make(map[string]map[string][][]byte) // by context and live
	want["cohost"], want["battle"] = make(map[string][][]byte), make(map[string][][]byte)
	all := 0
	for range 2 {
		b := fightAll(t, three, 2)
		p.kill()
		if err := p.restart(); err != nil {
			t.Fatal(err)
		}
		for _, h := range three {
			ended(t, h, b.GetBattleId())
		}
		p.kill()
		if err := p.restart(); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range three {
		h.host.call(t, http.MethodDelete, "/v1/lives/"+h.live, "", nil)
	}
	for _, h := range three {
		await(t, h.view, "LiveEnded", func(m *message) (bool, bool) { return true, m.GetCohost().GetLiveEnded() != nil })
		for _, e := range h.view.all() {
			var context string
			var number int64
			var m proto.Message
			switch {
			case e.GetCohost() != nil:
				context, number, m = "cohost", e.GetCohost().GetNumber(), e.GetCohost()
			case e.GetBattle() != nil:
				context, number, m = "battle", e.GetBattle().GetNumber(), e.GetBattle()
			default:
				continue // no event
			}
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			want[context][h.live] = append(want[context][h.live], raw)
			all++
			if n := int64(len(want[context][h.live])); number != n {
				t.Errorf("event %d of %s is told with the number %d", n, h.live, number)
			}
		}
	}

	js, err := jetstream.New(p.stack.nats)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(t.Context(), "EVENTS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	ids, read := make(map[string]bool), make(map[string]int)
	for range all {
		m, err := messages.Next(jetstream.NextMaxWait(patience))
		if err != nil {
			t.Fatalf("%d of %d events are stored: %v", len(ids), all, err)
		}
		tokens := strings.Split(m.Subject(), ".")
		told, n := want[tokens[1]][tokens[3]], read[tokens[1]+tokens[3]]
		if n >= len(told) || !bytes.Equal(told[n], m.Data()) {
			t.Fatalf("event %d on %s is not what was told", n+1, m.Subject())
		}
		read[tokens[1]+tokens[3]]++
		ids[m.Headers().Get("ce-id")] = true
	}
	stream, err := js.Stream(t.Context(), "EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	if in := stream.CachedInfo().State.Msgs; len(ids) != all || in != uint64(all) {
		t.Errorf("%d ids and %d messages for %d events", len(ids), in, all)
	}
	t.Logf("%d events", all)
}
