package natsserver

import (
	"mime"
	"strings"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

const (
	// maxBytes of a request, far more than it can need.
	maxBytes = 1 << 10

	contentType = "Content-Type"
)

// request is a sign of life, and how its answer is to look.
type request struct {
	heartbeat *cohostv1.HeartbeatRequest
	json      bool
}

// read decodes a message; an empty one is a sign of life without a session. The live is the subject's; one in the payload
// must be the same.
func read(m *nats.Msg) (*request, error) {
	live := strings.TrimPrefix(m.Subject, prefix)
	if err := ids.Live("live_id", live); err != nil {
		return nil, err
	}
	if len(m.Data) > maxBytes {
		return nil, es.Invalid("", "the message has %d bytes, more than %d", len(m.Data), maxBytes)
	}
	q := &request{heartbeat: new(cohostv1.HeartbeatRequest)}
	var err error
	if q.json, err = isJSON(m.Header.Get(contentType)); err != nil {
		return nil, err
	}
	switch {
	case len(m.Data) == 0:
	case q.json:
		err = protojson.Unmarshal(m.Data, q.heartbeat)
	default:
		err = proto.Unmarshal(m.Data, q.heartbeat)
	}
	if err != nil {
		// protobuf's errors have a prefix that varies on purpose, with a no-break space.
		text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
		return nil, es.Invalid("", "not a HeartbeatRequest: %s", strings.TrimPrefix(text, "proto: "))
	}
	switch q.heartbeat.GetLiveId() {
	case "":
		q.heartbeat.LiveId = live
	case live:
	default:
		return nil, es.Invalid("live_id", "is %q, but the subject says %q", q.heartbeat.GetLiveId(), live)
	}
	return q, nil
}

func isJSON(header string) (bool, error) {
	if header == "" {
		return false, nil
	}
	media, params, err := mime.ParseMediaType(header)
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			media = ""
		}
	}
	switch {
	case err == nil && media == "application/json":
		return true, nil
	case err == nil && (media == "application/protobuf" || media == "application/x-protobuf"):
		return false, nil
	default:
		return false, es.Invalid(contentType, "must be application/json (charset utf-8) or application/protobuf")
	}
}

// write puts the response into the reply, in the encoding of the request.
func (q *request) write(response *cohostv1.HeartbeatResponse, reply *nats.Msg) (err error) {
	if q.json {
		reply.Header.Set(contentType, "application/json")
		reply.Data, err = protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(response)
		return err
	}
	reply.Data, err = proto.Marshal(response)
	return err
}
