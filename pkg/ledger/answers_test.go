package ledger

import (
	"testing"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// TestKeptAnswers: the log keeps what is true of a command for good, and what nobody else would say in the same way.
func TestKeptAnswers(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		id   string
		err  error
		kept bool
	}{
		{"a", nil, true},
		{"a", es.Refuse("LIVE_NOT_FOUND", ""), true},
		{"", es.Refuse("LIVE_NOT_FOUND", ""), false},
		{"a", es.Invalid("live_id", ""), false},
		{"a", es.Refuse(es.ReasonRateLimited, ""), false},
		{"a", es.Refuse(es.ReasonUnavailable, ""), false},
		{"a", es.RefusePassing("CONNECTION_RATE_LIMITED", ""), false},
		{"a", es.ErrLater, false},
	} {
		d, _, out := withoutEvents(&pending[[]byte, []byte]{id: x.id}, es.Place{Seq: 3}, x.err)
		if (d != nil) != x.kept || (out.err == nil) != (x.err == nil) {
			t.Errorf("%q, %v: kept %v, answered %v", x.id, x.err, d != nil, out.err)
		}
	}
}
