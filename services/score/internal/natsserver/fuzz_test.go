package natsserver

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

// FuzzRequest: of any message, either gifts of the subject's live are read, or it is refused; and there is an answer in its
// own encoding.
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
	f.Add("live", "", "", one)
	f.Add("live", "application/protobuf", "GiftEvent", one)
	f.Add("live", "application/x-protobuf; charset=utf-8", "SendGiftsRequest", batch)
	f.Add("live", "application/json", "", text)
	f.Add("live", "application/json; charset=UTF-8", "Unknown", []byte(`{"gifts": [`+string(text)+`,{"live_id":"other"}]}`))
	f.Add("live", "application/json", "", []byte(`{"gifts": null}`))
	f.Add("live", "application/json", "", []byte(`{"gifts": [null]}`))
	f.Add("live", "application/json", "", []byte(`null`))
	f.Add("live", "application/json; x=y", "", []byte(`{}`))
	f.Add("live", "text/plain", "", []byte(`{}`))
	f.Add("a.b", "", "", one)
	f.Add("*", "", "", one)
	f.Add("", "", "", []byte{})
	f.Add("live", "", "SendGiftsRequest", []byte{})
	f.Fuzz(func(t *testing.T, live, media, message string, data []byte) {
		m := &nats.Msg{Subject: prefix + live, Header: nats.Header{}, Data: data}
		if media != "" {
			m.Header.Set(contentType, media)
		}
		if message != "" {
			m.Header.Set(headerMessage, message)
		}
		var refusal *es.Refusal
		q, err := read(m)
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
		if ids.Live("live_id", live) != nil || len(gifts) == 0 || len(gifts) > gift.MaxGifts || !q.batch && len(gifts) != 1 {
			t.Fatalf("%d gifts for %q pass", len(gifts), live)
		}
		verdicts := make([]*scorev1.GiftVerdict, len(gifts))
		for i, g := range gifts {
			if g.LiveID != live {
				t.Fatalf("a gift for %q passes on the subject of %q", g.LiveID, live)
			}
			verdicts[i] = &scorev1.GiftVerdict{EventId: g.EventID, LiveId: g.LiveID}
		}
		reply := &nats.Msg{Header: nats.Header{}}
		if err := q.write(verdicts, reply); err != nil {
			t.Fatal(err)
		}
		if q.json && (!json.Valid(reply.Data) || !utf8.Valid(data)) {
			t.Fatalf("%q, answered %q", data, reply.Data)
		}
	})
}
