package natsserver

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

const (
	// maxBytes of a request; 500 gifts fit.
	maxBytes = 512 << 10

	contentType = "Content-Type"
	// headerMessage names the message of a protobuf payload; without it, it is a GiftEvent.
	headerMessage = "Faceoff-Message"
	batchMessage  = "SendGiftsRequest"
	oneMessage    = "GiftEvent"
)

// request is what a message asks for, and how its answer is to look.
type request struct {
	gifts []*scorev1.GiftEvent
	json  bool
	batch bool
}

// read decodes a message. The live is the subject's; one in the payload must be the same.
func read(m *nats.Msg) (*request, error) {
	live := strings.TrimPrefix(m.Subject, prefix)
	if err := ids.Live("live_id", live); err != nil {
		return nil, err
	}
	if len(m.Data) > maxBytes {
		return nil, es.Invalid("gifts", "the message has %d bytes, more than %d", len(m.Data), maxBytes)
	}
	q := &request{}
	var err error
	if q.json, err = isJSON(m.Header.Get(contentType)); err != nil {
		return nil, err
	}
	if q.batch, err = q.isBatch(m); err != nil {
		return nil, err
	}
	if q.batch {
		var all scorev1.SendGiftsRequest
		err = q.unmarshal(m.Data, &all)
		q.gifts = all.GetGifts()
	} else {
		one := new(scorev1.GiftEvent)
		err = q.unmarshal(m.Data, one)
		q.gifts = []*scorev1.GiftEvent{one}
	}
	if err != nil {
		return nil, err
	}
	for i, g := range q.gifts {
		switch g.GetLiveId() {
		case "":
			g.LiveId = live
		case live:
		default:
			return nil, es.Invalid(q.field(i)+"live_id", "is %q, but the subject says %q", g.GetLiveId(), live)
		}
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

func (q *request) isBatch(m *nats.Msg) (bool, error) {
	if q.json {
		var top map[string]json.RawMessage
		if err := json.Unmarshal(m.Data, &top); err != nil {
			return false, es.Invalid("", "not a JSON object: %s", err)
		}
		_, batch := top["gifts"]
		return batch, nil
	}
	switch name := m.Header.Get(headerMessage); name {
	case "", oneMessage:
		return false, nil
	case batchMessage:
		return true, nil
	default:
		return false, es.Invalid(headerMessage, "must be %s or %s, is %q", oneMessage, batchMessage, name)
	}
}

func (q *request) unmarshal(b []byte, m proto.Message) error {
	var err error
	if q.json {
		err = protojson.Unmarshal(b, m)
	} else {
		err = proto.Unmarshal(b, m)
	}
	if err != nil {
		// protobuf's errors have a prefix that varies on purpose, with a no-break space.
		text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
		return es.Invalid("", "not a %s: %s", m.ProtoReflect().Descriptor().Name(), strings.TrimPrefix(text, "proto: "))
	}
	return nil
}

// field is how a field of a gift is named in a refusal.
func (q *request) field(i int) string {
	if q.batch {
		return fmt.Sprintf("gifts[%d].", i)
	}
	return ""
}

func (q *request) parse() ([]gift.Gift, error) {
	if q.batch {
		return gift.ParseAll(q.gifts)
	}
	g, err := gift.Parse(q.gifts[0])
	return []gift.Gift{g}, err
}

// write puts the verdicts into the reply, in the encoding of the request.
func (q *request) write(verdicts []*scorev1.GiftVerdict, reply *nats.Msg) (err error) {
	var m proto.Message = verdicts[0]
	if q.batch {
		m = &scorev1.SendGiftsResponse{Verdicts: verdicts}
	}
	if q.json {
		reply.Header.Set(contentType, "application/json")
		reply.Data, err = protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(m)
		return err
	}
	reply.Data, err = proto.Marshal(m)
	return err
}
