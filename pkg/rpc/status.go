package rpc

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

const (
	// domain of the ErrorInfo that carries a reason.
	domain = "faceoff"
	// codeKey is the ErrorInfo's metadata key for the reference product's number; absent for a reason without one.
	codeKey = "code"
)

// Status is the one place where errors become gRPC statuses:
//
//   - a *es.Refusal becomes the code of its reason, with an ErrorInfo, for a malformed field a BadRequest, and a RetryInfo if
//     it says how long to wait;
//   - an outcome that is not known becomes UNAVAILABLE or DEADLINE_EXCEEDED: the caller repeats with the same ids;
//   - a status that another service gave with a reason passes as it is;
//   - anything else becomes INTERNAL, without a word about what it was.
func Status(err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*es.Refusal](err); ok {
		return refusal(r)
	}
	if v, ok := errors.AsType[*protovalidate.ValidationError](err); ok {
		return violations(v)
	}
	if s, ok := errors.AsType[statusError](err); ok {
		return foreign(s.GRPCStatus())
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fromCode(codes.DeadlineExceeded)
	case errors.Is(err, ledger.ErrUnavailable), errors.Is(err, es.ErrLater), errors.Is(err, context.Canceled):
		return fromCode(codes.Unavailable)
	}
	return fromCode(codes.Internal)
}

type statusError interface {
	error
	GRPCStatus() *status.Status
}

// foreign passes a status from outside on if it says why in our terms; else it keeps the code only, and of that only what
// a caller can use.
func foreign(s *status.Status) error {
	if _, ok := info(s); ok {
		return s.Err()
	}
	switch s.Code() {
	case codes.OK, codes.Unknown, codes.Internal, codes.DataLoss:
		return fromCode(codes.Internal)
	case codes.DeadlineExceeded:
		return fromCode(codes.DeadlineExceeded)
	case codes.Unavailable, codes.Canceled, codes.Aborted:
		return fromCode(codes.Unavailable)
	}
	return s.Err()
}

func fromCode(c codes.Code) error {
	switch c {
	case codes.DeadlineExceeded:
		return refusal(es.Refuse(es.ReasonDeadlineExceeded, "no answer in the call's time; the outcome is not known"))
	case codes.Unavailable:
		return refusal(es.Refuse(es.ReasonUnavailable, "nobody can answer now; the outcome is not known"))
	}
	return refusal(es.Refuse(es.ReasonInternal, "internal error"))
}

func refusal(r *es.Refusal) error {
	known, ok := reasons[r.Reason]
	if !ok {
		return fromCode(codes.Internal) // not in the closed list
	}
	// A text that no message can hold would cost the reason.
	field, detail := strings.ToValidUTF8(r.Field, "\ufffd"), strings.ToValidUTF8(r.Detail, "\ufffd")
	var more []protoadapt.MessageV1
	if r.RetryAfter > 0 {
		more = append(more, &errdetails.RetryInfo{RetryDelay: durationpb.New(r.RetryAfter)})
	}
	if field == "" {
		return known.status(detail, more...)
	}
	return known.status(field+": "+detail, append(more, badRequest(&errdetails.BadRequest_FieldViolation{Field: field, Description: detail}))...)
}

func violations(v *protovalidate.ValidationError) error {
	fields := make([]*errdetails.BadRequest_FieldViolation, len(v.Violations))
	for i, violation := range v.Violations {
		fields[i] = &errdetails.BadRequest_FieldViolation{
			Field:       protovalidate.FieldPathString(violation.Proto.GetField()),
			Description: violation.Proto.GetMessage(),
		}
	}
	sentence := fields[0].GetDescription()
	if field := fields[0].GetField(); field != "" { // a rule of the whole message has none
		sentence = field + ": " + sentence
	}
	return reasons[es.ReasonInvalidArgument].status(sentence, badRequest(fields...))
}

func badRequest(fields ...*errdetails.BadRequest_FieldViolation) *errdetails.BadRequest {
	return &errdetails.BadRequest{FieldViolations: fields}
}

// status is that of the reason, with more details than the reason itself.
func (r reason) status(sentence string, more ...protoadapt.MessageV1) error {
	s := status.New(r.code, sentence)
	why := &errdetails.ErrorInfo{Reason: r.name, Domain: domain}
	if r.number != 0 {
		why.Metadata = map[string]string{codeKey: strconv.Itoa(int(r.number))}
	}
	full, err := s.WithDetails(append([]protoadapt.MessageV1{why}, more...)...)
	if err != nil {
		return s.Err() // details of a status that is OK, or that do not marshal: neither can be
	}
	return full.Err()
}

// Refusal is the way back: the refusal that a status carries. Its reason UNAVAILABLE, DEADLINE_EXCEEDED or INTERNAL says
// that the outcome is not known. false: the error is nil or not an answer of ours.
func Refusal(err error) (*es.Refusal, bool) {
	if r, ok := errors.AsType[*es.Refusal](err); ok {
		return r, true
	}
	s, ok := status.FromError(err)
	if !ok {
		return nil, false
	}
	why, ok := info(s)
	if !ok {
		return nil, false
	}
	r := &es.Refusal{Reason: why.GetReason(), Detail: s.Message()}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.BadRequest:
			if len(d.GetFieldViolations()) > 0 {
				first := d.GetFieldViolations()[0]
				r.Field, r.Detail = first.GetField(), first.GetDescription()
			}
		case *errdetails.RetryInfo:
			r.RetryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	return r, true
}

func info(s *status.Status) (*errdetails.ErrorInfo, bool) {
	for _, d := range s.Details() {
		if why, ok := d.(*errdetails.ErrorInfo); ok && why.GetDomain() == domain {
			return why, true
		}
	}
	return nil, false
}

// RetryAfter is after how many seconds a call that was refused for a reason may be repeated with hope (RFC 9110, section 10.2.3), given
// what its refusal says of that, 0 if nothing; 0 if it is not known. Load passes: a second is as good as any. What is full is not the
// time's to change.
func RetryAfter(reason string, said time.Duration) int64 {
	switch {
	case said > 0:
		return int64((said + time.Second - 1) / time.Second)
	case reason == es.ReasonUnavailable, reason == es.ReasonRateLimited:
		return 1
	}
	return 0
}
