package natsdoor

import (
	"mime"
	"strings"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

const contentType = "Content-Type"

// Request is a message about a live.
type Request struct {
	// LiveID is the subject's. One in the payload must be the same; see SameLive.
	LiveID string
	Header nats.Header
	Data   []byte
	// JSON: Data is JSON, and so is the answer. Otherwise both are protobuf.
	JSON bool
}

// read takes a message as a request. The error is a *es.Refusal, INVALID_ARGUMENT.
func (o Options) read(m *nats.Msg) (*Request, error) {
	r := &Request{LiveID: strings.TrimPrefix(m.Subject, o.Prefix), Header: m.Header, Data: m.Data}
	if err := ids.Live("live_id", r.LiveID); err != nil {
		return nil, err
	}
	if len(m.Data) > o.MaxBytes {
		return nil, es.Invalid(o.Payload, "the message has %d bytes, more than %d", len(m.Data), o.MaxBytes)
	}
	var err error
	r.JSON, err = isJSON(m.Header.Get(contentType))
	return r, err
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

// Unmarshal decodes the payload into m. The error is a *es.Refusal, INVALID_ARGUMENT.
func (r *Request) Unmarshal(m proto.Message) error {
	decode := proto.Unmarshal
	if r.JSON {
		decode = protojson.Unmarshal
	}
	if err := decode(r.Data, m); err != nil {
		// protobuf's errors have a prefix that varies on purpose, with a no-break space.
		text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
		return es.Invalid("", "not a %s: %s", m.ProtoReflect().Descriptor().Name(), strings.TrimPrefix(text, "proto: "))
	}
	return nil
}

// SameLive makes the live that a field of the payload names the subject's, if it names none. The error is a *es.Refusal, INVALID_ARGUMENT:
// it names another.
func (r *Request) SameLive(field string, named *string) error {
	switch *named {
	case "":
		*named = r.LiveID
	case r.LiveID:
	default:
		return es.Invalid(field, "is %q, but the subject says %q", *named, r.LiveID)
	}
	return nil
}

// write puts an answer into the reply, in the encoding of the request.
func (r *Request) write(answer proto.Message, reply *nats.Msg) (err error) {
	if r.JSON {
		reply.Header.Set(contentType, "application/json")
		reply.Data, err = protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(answer)
		return err
	}
	reply.Data, err = proto.Marshal(answer)
	return err
}
