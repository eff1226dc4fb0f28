package workload

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// Only a refusal that is certain is a failure. Whatever else comes back, the call may have been done.
func TestOutcome(t *testing.T) {
	t.Parallel()
	if kind, text := outcome(nil); kind != history.OK || text != "" {
		t.Errorf("no error is %s %s", kind, text)
	}
	for _, reason := range []string{
		"INVALID_ARGUMENT", "LIVE_NOT_FOUND", "PERMISSION_DENIED", "INVITATION_ENDED", "LIVE_EXISTS", "PAYLOAD_MISMATCH", "CONNECTION_FULL", "CONNECTION_RATE_LIMITED",
	} {
		for _, err := range []error{es.Refuse(reason, "x"), rpc.Status(es.Refuse(reason, "x")), fmt.Errorf("wrapped: %w", es.Refuse(reason, "x"))} {
			if kind, text := outcome(err); kind != history.Fail || text != reason+": x" {
				t.Errorf("%v is %s %q", err, kind, text)
			}
		}
	}
	for _, err := range []error{
		es.Refuse("UNAVAILABLE", "x"), es.Refuse("DEADLINE_EXCEEDED", "x"), es.Refuse("INTERNAL", "x"), es.Refuse("RATE_LIMITED", "x"), es.Refuse("UNAUTHENTICATED", "x"),
		es.Refuse("A_REASON_OF_TOMORROW", "x"), rpc.Status(context.DeadlineExceeded), context.Canceled, errors.New("HTTP status 502"),
		status.Error(codes.NotFound, "no such method"), status.Error(codes.Unavailable, "x"), status.Error(codes.ResourceExhausted, "x"),
	} {
		if kind, _ := outcome(err); kind != history.Unknown {
			t.Errorf("%v is %s", err, kind)
		}
	}
}
