package natsserver

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/natstest"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

// counter is a Counter that counts whatever it gets.
type counter func(ctx context.Context, gifts []gift.Gift) error

func (c counter) Count(ctx context.Context, gifts []gift.Gift) ([]*scorev1.GiftVerdict, error) {
	if err := c(ctx, gifts); err != nil {
		return nil, err
	}
	verdicts := make([]*scorev1.GiftVerdict, len(gifts))
	for i, g := range gifts {
		verdicts[i] = &scorev1.GiftVerdict{EventId: g.EventID, LiveId: g.LiveID, Verdict: scorev1.GiftVerdict_COUNTED}
	}
	return verdicts, nil
}

func serve(t *testing.T, c counter) *nats.Conn {
	t.Helper()
	nc := natstest.Connect(t, natstest.Start(t))
	s := New(nc, c, Options{InFlight: 8, Timeout: time.Second, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Component().Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return nc
}

func event(id string) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: id, Sender: &userv1.User{UserId: "u"}, GiftId: "rose", Category: scorev1.GiftEvent_BASIC, UnitValue: 1,
		SentAt: timestamppb.New(time.UnixMilli(1_800_000_000_000)),
	}
}

func binary(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	nc := serve(t, func(context.Context, []gift.Gift) error { return nil })
	batch := &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{event("1"), event("2")}}
	withLive := event("1")
	withLive.LiveId = "live"
	foreign := event("2")
	foreign.LiveId = "other"
	noTime := event("2")
	noTime.SentAt = nil
	asJSON := nats.Header{"Content-Type": {"application/json; charset=utf-8"}}
	asBatch := nats.Header{"Faceoff-Message": {"SendGiftsRequest"}}

	rows := []struct {
		name   string
		header nats.Header
		data   []byte
		// ids of the verdicts, or the refusal
		ids  string
		code string
		text string
	}{
		{name: "protobuf", data: binary(t, event("1")), ids: "1"},
		{name: "protobuf, with its live", data: binary(t, withLive), ids: "1"},
		{name: "protobuf, said so", header: nats.Header{"Content-Type": {"application/protobuf"}, "Faceoff-Message": {"GiftEvent"}}, data: binary(t, event("1")), ids: "1"},
		{name: "protobuf batch", header: asBatch, data: binary(t, batch), ids: "1 2"},
		{name: "JSON", header: asJSON, data: []byte(protojson.Format(event("1"))), ids: "1"},
		{name: "JSON batch", header: asJSON, data: []byte(protojson.Format(batch)), ids: "1 2"},
		{name: "JSON by hand", header: asJSON, data: []byte(`{"event_id":"1","sender":{"user_id":"u"},"gift_id":"rose","category":"BASIC","unit_value":"5","count":1,"sent_at":"2026-01-01T00:00:00Z"}`), ids: "1"},

		{name: "foreign live", data: binary(t, foreign), code: "400", text: `INVALID_ARGUMENT: live_id: is "other", but the subject says "live"`},
		{name: "foreign live in a batch", header: asBatch, data: binary(t, &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{withLive, foreign}}), code: "400", text: `INVALID_ARGUMENT: gifts[1].live_id: is "other", but the subject says "live"`},
		{name: "no time", data: binary(t, noTime), code: "400", text: "INVALID_ARGUMENT: sent_at: is required"},
		{name: "no time in a batch", header: asBatch, data: binary(t, &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{withLive, noTime}}), code: "400", text: "INVALID_ARGUMENT: gifts[1].sent_at: is required"},
		{name: "empty batch", header: asBatch, code: "400", text: "INVALID_ARGUMENT: gifts: must have 1 to 500 gifts, has 0"},
		{name: "no protobuf", data: []byte("hello"), code: "400", text: "INVALID_ARGUMENT: not a GiftEvent: "},
		{name: "no JSON", header: asJSON, data: []byte("hello"), code: "400", text: "INVALID_ARGUMENT: not a JSON object: "},
		{name: "JSON null", header: asJSON, data: []byte("null"), code: "400", text: "INVALID_ARGUMENT: not a GiftEvent: "},
		{name: "unknown field", header: asJSON, data: []byte(`{"event_id":"1","price":5}`), code: "400", text: `INVALID_ARGUMENT: not a GiftEvent: (line 1:17): unknown field "price"`},
		{name: "unknown message", header: nats.Header{"Faceoff-Message": {"Gift"}}, code: "400", text: `INVALID_ARGUMENT: Faceoff-Message: must be`},
		{name: "unknown encoding", header: nats.Header{"Content-Type": {"text/xml"}}, code: "400", text: `INVALID_ARGUMENT: Content-Type: must be`},
		{name: "too large", data: make([]byte, maxBytes+1), code: "400", text: `INVALID_ARGUMENT: gifts: the message has 524289 bytes`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			answer, err := nc.RequestMsgWithContext(t.Context(), &nats.Msg{Subject: "gifts.live", Header: row.header, Data: row.data})
			if err != nil {
				t.Fatal(err)
			}
			code, text := answer.Header.Get("Nats-Service-Error-Code"), answer.Header.Get("Nats-Service-Error")
			if code != row.code || !strings.HasPrefix(text, row.text) || row.code == "" && text != "" {
				t.Fatalf("answered %q %q; want %q %q", code, text, row.code, row.text)
			}
			if row.code == "" {
				if got := verdictIDs(t, answer, row.header.Get("Content-Type") != "" && row.header.Get("Faceoff-Message") == "", strings.Contains(row.ids, " ")); got != row.ids {
					t.Errorf("verdicts of %q, want %q", got, row.ids)
				}
			}
		})
	}
}

func verdictIDs(t *testing.T, m *nats.Msg, isJSON, batch bool) string {
	t.Helper()
	var one scorev1.GiftVerdict
	var all scorev1.SendGiftsResponse
	var into proto.Message = &one
	if batch {
		into = &all
	}
	var err error
	if isJSON {
		err = protojson.Unmarshal(m.Data, into)
		if !strings.Contains(string(m.Data), `"duplicate":`) || !strings.Contains(string(m.Data), `"event_id":`) {
			t.Errorf("%s lacks zero values, or has other names than the proto", m.Data)
		}
	} else {
		err = proto.Unmarshal(m.Data, into)
	}
	if err != nil {
		t.Fatalf("%q: %v", m.Data, err)
	}
	if !batch {
		return one.GetEventId()
	}
	var ids []string
	for _, v := range all.GetVerdicts() {
		ids = append(ids, v.GetEventId())
	}
	return strings.Join(ids, " ")
}
