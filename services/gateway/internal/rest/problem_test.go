package rest

import (
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// TestRetryAfter: an answer says in whole seconds, never too few, when a repeat has hope; where nobody knows it says nothing.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		err    error
		status int
		want   string
	}{
		{"a moment", rpc.Status(es.Refuse("RATE_LIMITED", "later").After(time.Millisecond)), 429, "1"},
		{"a second", rpc.Status(es.Refuse("BATTLE_RATE_LIMITED", "later").After(time.Second)), 429, "1"},
		{"more than a second", rpc.Status(es.Refuse("CONNECTION_RATE_LIMITED", "later").After(time.Second + 1)), 429, "2"},
		{"a minute", rpc.Status(es.Refuse("BATTLE_RATE_LIMITED", "later").After(time.Minute)), 429, "60"},
		{"load", rpc.Status(es.Refuse("RATE_LIMITED", "later")), 429, "1"},
		{"a limit of the transport", status.Error(codes.ResourceExhausted, "x"), 429, "1"},
		{"full", rpc.Status(es.Refuse("CONNECTION_FULL", "no")), 429, ""},
		{"too many pending", rpc.Status(es.Refuse("CONNECTION_RATE_LIMITED", "no")), 429, ""},
		{"nobody there", status.Error(codes.Unavailable, "x"), 503, "1"},
		{"of the state", rpc.Status(es.Refuse("BATTLE_ENDED", "no")), 400, ""},
	} {
		w := httptest.NewRecorder()
		ofStatus(status.Convert(row.err)).write(w)
		if got := w.Header().Get("Retry-After"); w.Code != row.status || got != row.want {
			t.Errorf("%s: %d, Retry-After %q, want %d, %q", row.name, w.Code, got, row.status, row.want)
		}
	}
}
