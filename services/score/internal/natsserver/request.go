package natsserver

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/natsdoor"

	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

const (
	// headerMessage names the message of a protobuf payload; without it, it is a GiftEvent.
	headerMessage = "Faceoff-Message"
	batchMessage  = "SendGiftsRequest"
	oneMessage    = "GiftEvent"
)

// request is one gift, or a batch.
type request struct {
	gifts []*scorev1.GiftEvent
	batch bool
}

// read decodes the gifts of a request.
func read(r *natsdoor.Request) (*request, error) {
	q := new(request)
	var err error
	if q.batch, err = isBatch(r); err != nil {
		return nil, err
	}
	if q.batch {
		var all scorev1.SendGiftsRequest
		err = r.Unmarshal(&all)
		q.gifts = all.GetGifts()
	} else {
		one := new(scorev1.GiftEvent)
		err = r.Unmarshal(one)
		q.gifts = []*scorev1.GiftEvent{one}
	}
	if err != nil {
		return nil, err
	}
	for i, g := range q.gifts {
		if err := r.SameLive(q.field(i)+"live_id", &g.LiveId); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func isBatch(r *natsdoor.Request) (bool, error) {
	if r.JSON {
		var top map[string]json.RawMessage
		if err := json.Unmarshal(r.Data, &top); err != nil {
			return false, es.Invalid("", "not a JSON object: %s", err)
		}
		_, batch := top["gifts"]
		return batch, nil
	}
	switch name := r.Header.Get(headerMessage); name {
	case "", oneMessage:
		return false, nil
	case batchMessage:
		return true, nil
	default:
		return false, es.Invalid(headerMessage, "must be %s or %s, is %q", oneMessage, batchMessage, name)
	}
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

// answer has the verdicts as the gifts came.
func (q *request) answer(verdicts []*scorev1.GiftVerdict) proto.Message {
	if q.batch {
		return &scorev1.SendGiftsResponse{Verdicts: verdicts}
	}
	return verdicts[0]
}
