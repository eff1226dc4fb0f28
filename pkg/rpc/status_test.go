package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

func TestEveryReasonHasItsCodeAndNumber(t *testing.T) {
	t.Parallel()
	for number, name := range errorsv1.Reason_name {
		s := status.Convert(rpc.Status(es.Refuse(name, "no")))
		if number == 0 {
			continue // says nothing; given by nobody
		}
		if s.Code() == codes.OK || s.Code() == codes.Unknown || s.Code() > codes.Unauthenticated || s.Message() != "no" {
			t.Errorf("%s: %v", name, s)
		}
		r, ok := rpc.Refusal(s.Err())
		if diff := cmp.Diff(&es.Refusal{Reason: name, Detail: "no"}, r); !ok || diff != "" {
			t.Errorf("%s: %v %s", name, ok, diff)
		}
	}
	if rpc.ReferenceNumber("BATTLE_ENDED") != 100421 || rpc.ReferenceNumber("LIVE_KIND_MISMATCH") != -4 || rpc.ReferenceNumber("HOST_LOST") != 0 {
		t.Error("reference numbers")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	info := func(reason string, code string) *errdetails.ErrorInfo {
		i := &errdetails.ErrorInfo{Reason: reason, Domain: "faceoff"}
		if code != "" {
			i.Metadata = map[string]string{"code": code}
		}
		return i
	}
	internal := status.New(codes.Internal, "internal error")
	gone := status.New(codes.Unavailable, "nobody can answer now; the outcome is not known")
	late := status.New(codes.DeadlineExceeded, "no answer in the call's time; the outcome is not known")
	downstream := rpc.Status(es.Refuse("NOT_IN_BATTLE", "no"))
	plain := status.Error(codes.ResourceExhausted, "larger than max")
	secret := "dial tcp 10.0.0.1: password=x"
	for name, c := range map[string]struct {
		err     error
		want    *status.Status
		details []any
	}{
		"refusal": {
			es.Refuse("BATTLE_ENDED", "it is over"),
			status.New(codes.FailedPrecondition, "it is over"),
			[]any{info("BATTLE_ENDED", "100421")},
		},
		"wrapped refusal without a number": {
			fmt.Errorf("%s: %w", secret, es.Refuse("HOST_LOST", "gone")),
			status.New(codes.FailedPrecondition, "gone"),
			[]any{info("HOST_LOST", "")},
		},
		"refusal of the moment": {
			es.Refuse("BATTLE_RATE_LIMITED", "later").After(1500 * time.Millisecond),
			status.New(codes.ResourceExhausted, "later"),
			[]any{info("BATTLE_RATE_LIMITED", "100413"), &errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)}},
		},
		"field": {
			es.Invalid("live_id", "is empty"),
			status.New(codes.InvalidArgument, "live_id: is empty"),
			[]any{
				info("INVALID_ARGUMENT", "100002"),
				&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "live_id", Description: "is empty"}}},
			},
		},
		"reason out of the list":       {es.Refuse("NONSENSE", "%s", secret), internal, []any{info("INTERNAL", "100001")}},
		"anything else":                {errors.New(secret), internal, []any{info("INTERNAL", "100001")}},
		"unavailable":                  {fmt.Errorf("x: %w", ledger.ErrUnavailable), gone, []any{info("UNAVAILABLE", "")}},
		"later":                        {es.ErrLater, gone, []any{info("UNAVAILABLE", "")}},
		"cancelled":                    {context.Canceled, gone, []any{info("UNAVAILABLE", "")}},
		"deadline":                     {fmt.Errorf("x: %w", context.DeadlineExceeded), late, []any{info("DEADLINE_EXCEEDED", "")}},
		"unknown when the time is up":  {errors.Join(ledger.ErrUnavailable, context.DeadlineExceeded), late, []any{info("DEADLINE_EXCEEDED", "")}},
		"answer of another service":    {fmt.Errorf("%s: %w", secret, downstream), status.New(codes.FailedPrecondition, "no"), []any{info("NOT_IN_BATTLE", "100414")}},
		"no connection to a service":   {status.Error(codes.Unavailable, secret), gone, []any{info("UNAVAILABLE", "")}},
		"call to a service timed out":  {status.Error(codes.DeadlineExceeded, secret), late, []any{info("DEADLINE_EXCEEDED", "")}},
		"service that knows no better": {status.Error(codes.Unknown, secret), internal, []any{info("INTERNAL", "100001")}},
		"limit of the transport":       {plain, status.Convert(plain), []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := status.Convert(rpc.Status(c.err))
			if got.Code() != c.want.Code() || got.Message() != c.want.Message() {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if diff := cmp.Diff(c.details, got.Details(), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if rpc.Status(nil) != nil {
		t.Error("nil is no error")
	}
}

func TestEveryViolationIsNamed(t *testing.T) {
	t.Parallel()
	err := protovalidate.Validate(&userv1.User{UserId: "a b", UserName: strings.Repeat("x", 65)})
	got := status.Convert(rpc.Status(err))
	if got.Code() != codes.InvalidArgument || !strings.HasPrefix(got.Message(), "user_id: ") {
		t.Errorf("got %v", got)
	}
	var fields []string
	for _, d := range got.Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	if diff := cmp.Diff([]string{"user_id", "user_name"}, fields); diff != "" {
		t.Error(diff)
	}
	r, ok := rpc.Refusal(got.Err())
	if !ok || r.Reason != "INVALID_ARGUMENT" || r.Field != "user_id" || strings.HasPrefix(r.Detail, "user_id") {
		t.Errorf("refusal %+v", r)
	}
}

func TestWhatIsNoRefusal(t *testing.T) {
	t.Parallel()
	other, err := status.New(codes.NotFound, "x").WithDetails(&errdetails.ErrorInfo{Reason: "LIVE_NOT_FOUND", Domain: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{nil, errors.New("x"), status.Error(codes.Unavailable, "x"), other.Err()} {
		if r, ok := rpc.Refusal(err); ok {
			t.Errorf("%v: %v", err, r)
		}
	}
	later := es.Refuse("RATE_LIMITED", "later").After(time.Second)
	if r, ok := rpc.Refusal(rpc.Status(later)); !ok || *r != *later {
		t.Errorf("refusal of the moment: %+v", r)
	}
	if r, ok := rpc.Refusal(fmt.Errorf("x: %w", es.Refuse("OVERFLOW", "no"))); !ok || r.Reason != "OVERFLOW" {
		t.Errorf("refusal of this process: %v", r)
	}
}

// The doors that speak in the manner of HTTP say the same.
func TestHTTPStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]int{
		codes.OK: 200, codes.InvalidArgument: 400, codes.FailedPrecondition: 400, codes.OutOfRange: 400, codes.Unauthenticated: 401,
		codes.PermissionDenied: 403, codes.NotFound: 404, codes.AlreadyExists: 409, codes.ResourceExhausted: 429, codes.Internal: 500,
		codes.Unimplemented: 501, codes.Unavailable: 503, codes.DeadlineExceeded: 504, codes.Canceled: 504,
	} {
		if got := rpc.HTTPStatus(code); got != want {
			t.Errorf("%s is %d, want %d", code, got, want)
		}
	}
}
