package natsserver

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

// FuzzRead: of any message, either a sign of life of the subject's live is read, or it is refused; and there is an answer in
// its own encoding.
func FuzzRead(f *testing.F) {
	binary, err := proto.Marshal(&cohostv1.HeartbeatRequest{LiveId: "live", SessionId: "phone"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("live", "", []byte{})
	f.Add("live", "", binary)
	f.Add("other", "application/protobuf", binary)
	f.Add("live", "application/json; charset=utf-8", []byte(`{"session_id": "desk"}`))
	f.Add("live", "application/json", []byte(`{"live_id": "other"}`))
	f.Add("live", "application/json", []byte(`null`))
	f.Add("live", "text/plain", []byte(`{}`))
	f.Add("a b", "", []byte{})
	f.Fuzz(func(t *testing.T, live, media string, data []byte) {
		m := &nats.Msg{Subject: prefix + live, Header: nats.Header{}, Data: data}
		if media != "" {
			m.Header.Set(contentType, media)
		}
		q, err := read(m)
		if err != nil {
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != es.ReasonInvalidArgument || refusal.Detail == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if ids.Live("live_id", live) != nil || q.heartbeat.GetLiveId() != live {
			t.Fatalf("%q passes on the subject of %q", q.heartbeat.GetLiveId(), live)
		}
		reply := &nats.Msg{Header: nats.Header{}}
		if err := q.write(&cohostv1.HeartbeatResponse{}, reply); err != nil || q.json != json.Valid(reply.Data) {
			t.Fatalf("answered %q, %v", reply.Data, err)
		}
	})
}
