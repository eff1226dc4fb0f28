package workload

import (
	"encoding/json"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// record makes a call and records it. It returns the type of the record that ended it.
func (c *client) record(f, id string, val any, do func() (res any, err error)) string {
	i := c.h.Append(history.Record{P: c.p, F: f, Type: history.Invoke, ID: id, Val: value(val)})
	res, err := do()
	end := history.Record{I: i, P: c.p, F: f, ID: id}
	if end.Type, end.Err = outcome(err); err == nil {
		end.Res = value(res)
	}
	c.h.Append(end)
	return end.Type
}

func value(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // of what package call declares, nothing cannot be encoded
	}
	return raw
}

// outcome is what an error says about a call: only some refusals are certain.
func outcome(err error) (kind, text string) {
	if err == nil {
		return history.OK, ""
	}
	refusal, ok := rpc.Refusal(err)
	if !ok {
		return history.Unknown, err.Error()
	}
	switch status.Code(rpc.Status(refusal)) {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.FailedPrecondition, codes.AlreadyExists:
		return history.Fail, refusal.Error()
	case codes.ResourceExhausted:
		if refusal.Reason != errorsv1.Reason_RATE_LIMITED.String() { // that may be about a part of a call
			return history.Fail, refusal.Error()
		}
	}
	return history.Unknown, refusal.Error()
}
