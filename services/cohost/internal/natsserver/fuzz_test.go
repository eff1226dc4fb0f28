package natsserver

import (
	"errors"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/natsdoor"
)

// FuzzRead: of any payload, either a sign of life of the subject's live is read, or it is refused.
func FuzzRead(f *testing.F) {
	binary, err := proto.Marshal(&cohostv1.HeartbeatRequest{LiveId: "live", SessionId: "phone"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(false, []byte{})
	f.Add(true, []byte{})
	f.Add(false, binary)
	f.Add(true, []byte(`{"session_id": "desk"}`))
	f.Add(true, []byte(`{"live_id": "other"}`))
	f.Add(true, []byte(`null`))
	f.Fuzz(func(t *testing.T, json bool, data []byte) {
		heartbeat, err := read(&natsdoor.Request{LiveID: "live", JSON: json, Data: data})
		var refusal *es.Refusal
		var invalid *protovalidate.ValidationError
		switch {
		case err == nil && heartbeat.GetLiveId() != "live":
			t.Fatalf("%q passes on the subject of live", heartbeat.GetLiveId())
		case err == nil, errors.As(err, &invalid):
		case !errors.As(err, &refusal) || refusal.Reason != es.ReasonInvalidArgument || refusal.Detail == "":
			t.Fatalf("refused with %v", err)
		}
	})
}
