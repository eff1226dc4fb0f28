package natsdoor

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

// FuzzRequest: any message either is a request about a live, and has an answer in its own encoding, or is refused.
func FuzzRequest(f *testing.F) {
	f.Add("a", "", []byte{})
	f.Add("a", "application/protobuf", []byte("\n\x03ann"))
	f.Add("a", "application/x-protobuf; charset=utf-8", []byte{0xff})
	f.Add("a", "application/json; charset=UTF-8", []byte(`{"user_id": "ann"}`))
	f.Add("a", "application/json; x=y", []byte(`{}`))
	f.Add("a", "text/plain", []byte(`{}`))
	f.Add("a.b", "", []byte{})
	f.Add("*", "", []byte{})
	f.Add("", "", []byte{})
	f.Fuzz(func(t *testing.T, live, media string, data []byte) {
		m := &nats.Msg{Subject: "greet." + live, Header: nats.Header{}, Data: data}
		if media != "" {
			m.Header.Set(contentType, media)
		}
		u := new(userv1.User)
		r, err := options(1).read(m)
		if err == nil {
			err = r.Unmarshal(u)
		}
		if err != nil {
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != es.ReasonInvalidArgument || refusal.Detail == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if r.LiveID != live || ids.Live("live_id", live) != nil {
			t.Fatalf("%q passes as a live", live)
		}
		reply := &nats.Msg{Header: nats.Header{}}
		if err := r.write(u, reply); err != nil || r.JSON && !json.Valid(reply.Data) {
			t.Fatalf("answered %q, %v", reply.Data, err)
		}
	})
}
