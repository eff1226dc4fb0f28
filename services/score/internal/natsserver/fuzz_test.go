package natsserver

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/natsdoor"

	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

// FuzzRequest: of any payload, either gifts of the subject's live are read, or it is refused.
func FuzzRequest(f *testing.F) {
	one, err := proto.Marshal(event("1"))
	if err != nil {
		f.Fatal(err)
	}
	batch, err := proto.Marshal(&scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{event("1"), event("2")}})
	if err != nil {
		f.Fatal(err)
	}
	text, err := protojson.Marshal(event("1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(false, "", one)
	f.Add(false, "GiftEvent", one)
	f.Add(false, "SendGiftsRequest", batch)
	f.Add(true, "", text)
	f.Add(true, "Unknown", []byte(`{"gifts": [`+string(text)+`,{"live_id":"other"}]}`))
	f.Add(true, "", []byte(`{"gifts": null}`))
	f.Add(true, "", []byte(`{"gifts": [null]}`))
	f.Add(true, "", []byte(`null`))
	f.Add(true, "", []byte(`{}`))
	f.Add(false, "", []byte{})
	f.Add(false, "SendGiftsRequest", []byte{})
	f.Fuzz(func(t *testing.T, json bool, message string, data []byte) {
		r := &natsdoor.Request{LiveID: "live", Header: nats.Header{}, JSON: json, Data: data}
		if message != "" {
			r.Header.Set(headerMessage, message)
		}
		var refusal *es.Refusal
		q, err := read(r)
		var gifts []gift.Gift
		if err == nil {
			gifts, err = q.parse()
		}
		if err != nil {
			if !errors.As(err, &refusal) || refusal.Reason != es.ReasonInvalidArgument || refusal.Detail == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if len(gifts) == 0 || len(gifts) > gift.MaxGifts || !q.batch && len(gifts) != 1 || json && !utf8.Valid(data) {
			t.Fatalf("%d gifts pass: %q", len(gifts), data)
		}
		verdicts := make([]*scorev1.GiftVerdict, len(gifts))
		for i, g := range gifts {
			if g.LiveID != "live" {
				t.Fatalf("a gift for %q passes on the subject of live", g.LiveID)
			}
			verdicts[i] = &scorev1.GiftVerdict{EventId: g.EventID, LiveId: g.LiveID}
		}
		if _, all := q.answer(verdicts).(*scorev1.SendGiftsResponse); all != q.batch {
			t.Fatal("answered in another form than asked")
		}
	})
}
