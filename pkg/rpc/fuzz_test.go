package rpc

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// FuzzStatus: whatever status another server gives, it is passed on as an error that says no more than it may: one of ours
// as it is, a fault of the other without a word about it.
func FuzzStatus(f *testing.F) {
	because := func(domain, reason string) *anypb.Any {
		a, err := anypb.New(&errdetails.ErrorInfo{Domain: domain, Reason: reason})
		if err != nil {
			f.Fatal(err)
		}
		return a
	}
	for _, s := range []*spb.Status{
		{Code: int32(codes.NotFound), Message: "no", Details: []*anypb.Any{because(domain, "LIVE_NOT_FOUND")}},
		{Code: int32(codes.Internal), Message: "at 10.0.0.1", Details: []*anypb.Any{because("other", "X")}},
		{Code: int32(codes.Unknown), Message: "at 10.0.0.1"},
		{Code: 99, Message: "x"},
		{Code: -1},
		{Code: int32(codes.Aborted)},
		{Code: int32(codes.DataLoss), Details: []*anypb.Any{{TypeUrl: "type.googleapis.com/none", Value: []byte{1}}, nil}},
	} {
		b, err := proto.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(spb.Status)
		if proto.Unmarshal(b, m) != nil || m.GetCode() == int32(codes.OK) {
			return
		}
		given := status.FromProto(m)
		passed := Status(given.Err())
		if passed == nil || HTTPStatus(status.Code(passed)) < 400 {
			t.Fatalf("%v is passed on as %v", given, passed)
		}
		why, ours := info(given)
		refusal, told := Refusal(passed)
		switch {
		case ours && (!told || refusal.Reason != why.GetReason() || status.Code(passed) != given.Code()):
			t.Fatalf("%v is passed on as %v", given, passed)
		case !ours && (given.Code() == codes.Internal || given.Code() == codes.Unknown || given.Code() == codes.DataLoss) && status.Convert(passed).Message() != "internal error":
			t.Fatalf("%v is passed on as %v", given, passed)
		}
		if again := Status(passed); !proto.Equal(status.Convert(again).Proto(), status.Convert(passed).Proto()) {
			t.Fatalf("%v, and passed on again %v", passed, again)
		}
	})
}

// FuzzRefusal: a refusal is the same on the other side; one whose reason is not in the closed list is a fault.
func FuzzRefusal(f *testing.F) {
	f.Add("LIVE_NOT_FOUND", "no such live", "")
	f.Add("INVALID_ARGUMENT", "is too long", "gifts[0].event_id")
	f.Add("NEVER_HEARD_OF", "x", "y")
	f.Add("", "", "")
	f.Add("INVALID_ARGUMENT", "\xff", "\xff")
	f.Fuzz(func(t *testing.T, reason, detail, field string) {
		got, ok := Refusal(Status(&es.Refusal{Reason: reason, Detail: detail, Field: field}))
		if _, known := reasons[reason]; !known {
			if !errors.Is(got, es.Refuse(es.ReasonInternal, "")) {
				t.Fatalf("%q is told as %v", reason, got)
			}
			return
		}
		detail, field = strings.ToValidUTF8(detail, "\ufffd"), strings.ToValidUTF8(field, "\ufffd")
		if !ok || got.Reason != reason || got.Field != field || got.Detail != detail {
			t.Fatalf("%q %q %q, there %+v", reason, detail, field, got)
		}
	})
}
