package badinput

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// asJSON is the header of a payload in JSON, asBatch of one with many gifts in protobuf.
var (
	asJSON  = nats.Header{"Content-Type": {"application/json"}}
	asBatch = nats.Header{"Faceoff-Message": {"SendGiftsRequest"}}
)

// ask sends a request to the NATS door.
func (s *stack) ask(t *testing.T, subject string, header nats.Header, data []byte) *nats.Msg {
	t.Helper()
	reply, err := s.nc.RequestMsgWithContext(ctx(t), &nats.Msg{Subject: subject, Header: header, Data: data})
	if err != nil {
		t.Fatalf("%q: %v", subject, err)
	}
	return reply
}

// refusedByNATS checks a refusal: a code in the manner of HTTP, and `REASON: field: sentence`.
func refusedByNATS(t *testing.T, m *nats.Msg, code, text string) {
	t.Helper()
	if got := m.Header.Get("Nats-Service-Error"); m.Header.Get("Nats-Service-Error-Code") != code || !strings.HasPrefix(got, text) || len(m.Data) > 0 {
		t.Errorf("answered %v %q, want %s %s", m.Header, m.Data, code, text)
	}
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// given is a request of the gift system.
func (s *stack) given(t *testing.T, g *scorev1.GiftEvent, want scorev1.GiftVerdict_Verdict, reason string) {
	t.Helper()
	reply := s.ask(t, "gifts."+g.GetLiveId(), nil, marshal(t, g))
	v := new(scorev1.GiftVerdict)
	if err := proto.Unmarshal(reply.Data, v); err != nil || v.GetVerdict() != want || v.GetReason() != reason {
		t.Errorf("answered %v %v (%v), want %s %s", reply.Header, v, err, want, reason)
	}
}

// natsRows are bad requests at gifts.<live_id>.
func natsRows() (all []row) {
	add := func(id, name string, writes bool, send func(t *testing.T, s *scene)) {
		all = append(all, row{id: id, name: name, writes: writes, send: send})
	}
	const invalid = "INVALID_ARGUMENT: "
	for _, r := range []struct{ id, name, live string }{
		{"N01", "a wildcard for a live", "*"},
		{"N02", "a tail wildcard for a live", ">"},
		{"N10", "a live of 300 characters", strings.Repeat("a", 300)},
		{"N11", "a live that is not ASCII", "é"},
		{"", "a live with a colon", "a:b"},
	} {
		add(r.id, r.name, false, func(t *testing.T, s *scene) {
			refusedByNATS(t, s.ask(t, "gifts."+r.live, nil, marshal(t, gift(""))), "400", invalid+"live_id: ")
		})
	}
	for _, r := range []struct {
		id, name string
		header   nats.Header
		data     func(t *testing.T) []byte
		text     string
	}{
		{id: "N39", name: "nothing", text: "event_id: "},
		{id: "N39", name: "nothing, as JSON", header: asJSON, text: "not a JSON object: "},
		{id: "N39", name: "nothing, as a batch", header: asBatch, text: "gifts: "},
		{id: "N41", name: "random bytes", data: text("\xde\xad\xbe\xef\xff\x00"), text: "not a GiftEvent: "},
		{id: "N41", name: "random bytes, as JSON", header: asJSON, data: text("\xde\xad\xbe\xef\xff\x00"), text: "not a JSON object: "},
		{id: "N42", name: "JSON where protobuf is due", data: text(`{"event_id":"e1"}`), text: "not a GiftEvent: "},
		{id: "N42", name: "protobuf where JSON is due", header: asJSON, data: func(t *testing.T) []byte { return marshal(t, gift("red")) }, text: "not a JSON object: "},
		{id: "N45", name: "value 0", data: spoilt(func(g *scorev1.GiftEvent) { g.UnitValue = 0 }), text: "unit_value: "},
		{id: "N46", name: "value -1", data: spoilt(func(g *scorev1.GiftEvent) { g.UnitValue = -1 }), text: "unit_value: "},
		{id: "N47", name: "value 2^63-1", data: spoilt(func(g *scorev1.GiftEvent) { g.UnitValue = math.MaxInt64 }), text: "unit_value: "},
		{id: "N58", name: "unknown category", data: spoilt(func(g *scorev1.GiftEvent) { g.Category = 999 }), text: "category: "},
		{id: "N58", name: "unknown category, as JSON", header: asJSON, data: text(`{"category":"GALACTIC"}`), text: "not a GiftEvent: "},
		{id: "N59", name: "another live than the subject's", data: spoilt(func(g *scorev1.GiftEvent) { g.LiveId = "b.*" }), text: `live_id: is "b.*"`},
		{name: "a live with control characters", data: spoilt(func(g *scorev1.GiftEvent) { g.LiveId = "a\r\nb" }), text: `live_id: is "a\r\nb"`},
		{id: "N54", name: "a time before the year 1", data: spoilt(func(g *scorev1.GiftEvent) { g.SentAt = &timestamppb.Timestamp{Seconds: math.MinInt64} }), text: "sent_at: "},
		{name: "no time", data: spoilt(func(g *scorev1.GiftEvent) { g.SentAt = nil }), text: "sent_at: "},
		{name: "a name with U+202E", data: spoilt(func(g *scorev1.GiftEvent) { g.Sender.UserName = "a\u202eb" }), text: "sender.user_name: "},
		{name: "an encoding that is none", header: nats.Header{"Content-Type": {"text/xml"}}, data: text("x"), text: "Content-Type: "},
		{name: "JSON in UTF-16", header: nats.Header{"Content-Type": {"application/json; charset=utf-16"}}, data: text("x"), text: "Content-Type: "},
		{name: "5 000 objects", header: asJSON, data: text(strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000)), text: "not a "},
		{name: "100 000 brackets", header: asJSON, data: text(strings.Repeat("[", 100_000)), text: "not a "},
		{name: "two documents", header: asJSON, data: text(`{}{}`), text: "not a "},
		{name: "the same field twice", header: asJSON, data: text(`{"event_id":"a","eventId":"b"}`), text: "not a GiftEvent: "},
		{name: "bad UTF-8", header: asJSON, data: text("{\"event_id\":\"\xff\"}"), text: "not a GiftEvent: "},
		{name: "600 KiB", data: text(strings.Repeat("x", 600<<10)), text: "gifts: "},
		{name: "501 gifts", header: asBatch, data: func(t *testing.T) []byte {
			all := new(scorev1.SendGiftsRequest)
			for range 501 {
				all.Gifts = append(all.Gifts, gift("red"))
			}
			return marshal(t, all)
		}, text: "gifts: "},
	} {
		add(r.id, r.name, false, func(t *testing.T, s *scene) {
			var data []byte
			if r.data != nil {
				data = r.data(t)
			}
			refusedByNATS(t, s.ask(t, "gifts.red", r.header, data), "400", invalid+r.text)
		})
	}

	// What is well-formed gets a verdict, which is kept.
	sent := func(ago time.Duration) *scorev1.GiftEvent {
		g := gift("red")
		g.SentAt = timestamppb.New(time.Now().Add(-ago))
		return g
	}
	add("N49", "a live that is in no battle", false, func(t *testing.T, s *scene) { s.given(t, gift("green"), scorev1.GiftVerdict_NO_BATTLE, "") })
	add("N50", "a live that is not known", false, func(t *testing.T, s *scene) {
		s.given(t, gift("never-was"), scorev1.GiftVerdict_NO_BATTLE, "")
	})
	add("N54", "of 1970", true, func(t *testing.T, s *scene) {
		g := gift("red")
		g.SentAt = &timestamppb.Timestamp{}
		s.given(t, g, scorev1.GiftVerdict_REJECTED, "TOO_OLD")
	})
	add("N54", "of the year 1", true, func(t *testing.T, s *scene) {
		g := gift("red")
		g.SentAt = timestamppb.New(time.Time{})
		s.given(t, g, scorev1.GiftVerdict_REJECTED, "TOO_OLD")
	})
	add("N54", "of 9999", true, func(t *testing.T, s *scene) {
		g := gift("red")
		g.SentAt = &timestamppb.Timestamp{Seconds: 253402300799}
		s.given(t, g, scorev1.GiftVerdict_REJECTED, "INVALID_ARGUMENT")
	})
	add("N55", "of 10 min ahead", true, func(t *testing.T, s *scene) {
		s.given(t, sent(-10*time.Minute), scorev1.GiftVerdict_REJECTED, "INVALID_ARGUMENT")
	})
	add("N69", "of an hour ahead", true, func(t *testing.T, s *scene) {
		s.given(t, sent(-time.Hour), scorev1.GiftVerdict_REJECTED, "INVALID_ARGUMENT")
	})
	add("N69", "of an hour ago", true, func(t *testing.T, s *scene) { s.given(t, sent(time.Hour), scorev1.GiftVerdict_COUNTED, "") })
	add("N56", "out of order", true, func(t *testing.T, s *scene) {
		for _, ago := range []time.Duration{time.Second, 3 * time.Second, 2 * time.Second, 0} {
			s.given(t, sent(ago), scorev1.GiftVerdict_COUNTED, "")
		}
	})
	add("N48", "more than the score can hold", true, func(t *testing.T, s *scene) {
		a, b := s.pair(t)
		s.fight(t, a, b, 3600)
		g := gift(a)
		g.UnitValue, g.Count, g.Category = 1e12, 1e6, scorev1.GiftEvent_ADVANCED // 12 * 10^18
		s.given(t, g, scorev1.GiftVerdict_REJECTED, "OVERFLOW")
	})
	add("N65", "20 000 requests at once", false, flood)

	// What the NATS server itself, or its client, does not take.
	add("N04", "TAB in a subject", false, func(t *testing.T, s *scene) {
		if err := s.nc.Publish("gifts.re\td", nil); err == nil {
			t.Error("the client sends it")
		}
		s.raw(t, "PUB gifts.re\td 0\r\n\r\n") // to the server, d is where to reply
	})
	add("N08", "a subject with an empty token", false, func(t *testing.T, s *scene) {
		s.raw(t, "PUB .gifts.red 0\r\n\r\n")
		s.raw(t, "PUB gifts..red 0\r\n\r\n")
		s.raw(t, "PUB gifts. 0\r\n\r\n")
	})
	add("", "nowhere to reply to", false, func(t *testing.T, s *scene) {
		if err := s.nc.Publish("gifts.red", []byte("x")); err != nil {
			t.Error(err)
		}
		if err := s.nc.Flush(); err != nil {
			t.Error(err)
		}
	})
	add("N36", "headers of 1 MiB", false, func(t *testing.T, s *scene) {
		m := &nats.Msg{Subject: "gifts.red", Header: nats.Header{"X-Note": {strings.Repeat("x", 1<<20)}}}
		if err := s.nc.PublishMsg(m); err == nil {
			t.Error("the client sends it")
		}
		size := 1<<20 + 100
		if said := s.raw(t, fmt.Sprintf("HPUB gifts.red %d %d\r\n", size, size)); !strings.Contains(said, "Maximum Payload Violation") {
			t.Errorf("the server says %q", said)
		}
	})
	return all
}

func text(s string) func(*testing.T) []byte {
	return func(*testing.T) []byte { return []byte(s) }
}

func spoilt(spoil func(*scorev1.GiftEvent)) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		g := gift("red")
		spoil(g)
		return marshal(t, g)
	}
}

// raw speaks to the NATS server without a client, and returns what it says until it has answered a ping or closes.
func (s *stack) raw(t *testing.T, text string) string {
	t.Helper()
	conn, in := say(t, s.nats, "CONNECT {\"verbose\":false,\"headers\":true}\r\n"+text+"PING\r\n", nil)
	defer func() { _ = conn.Close() }()
	var said strings.Builder
	for {
		line, err := in.ReadString('\n')
		said.WriteString(line)
		if err != nil || strings.HasPrefix(line, "PONG") {
			return said.String()
		}
	}
}

// flood sends more gifts than are decided at a time. All are answered, and another caller does not wait for them.
func flood(t *testing.T, s *scene) {
	const requests, askers = 20_000, 64
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			for range requests / askers {
				data, err := proto.Marshal(gift("green"))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := s.nc.Request("gifts.green", data, patience); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); all.Wait() }()
	var worst time.Duration
	for {
		before := time.Now()
		data, err := protojson.Marshal(gift("never-was"))
		if err != nil {
			t.Fatal(err)
		}
		s.ask(t, "gifts.never-was", asJSON, data)
		worst = max(worst, time.Since(before))
		select {
		case <-done:
			if worst > 5*time.Second {
				t.Errorf("another caller waited %v", worst)
			}
			return
		default:
		}
	}
}
