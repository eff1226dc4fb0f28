package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// FuzzProblem: an answer that is not OK is an error whatever its body says: a refusal if that gives a reason, and otherwise
// never one that is certain.
func FuzzProblem(f *testing.F) {
	f.Add(404, []byte(`{"type":"/errors/LIVE_NOT_FOUND","title":"Live not found","status":404,"detail":"no","reason":"LIVE_NOT_FOUND","code":1,"field_violations":[]}`))
	f.Add(503, []byte(`<html>`))
	f.Add(504, []byte(`{}`))
	f.Add(500, []byte(`{"reason":1}`))
	f.Add(200, []byte(`{"reason":""}`))
	f.Add(400, []byte(`{"reason":"A","Reason":"B"}`))
	f.Fuzz(func(t *testing.T, status int, data []byte) {
		err := problem(status, data)
		if err == nil {
			t.Fatalf("%d %q is no error", status, data)
		}
		var body struct{ Reason, Detail, Title string }
		given := json.Unmarshal(data, &body) == nil && body.Reason != ""
		var refusal *es.Refusal
		switch isRefusal := errors.As(err, &refusal); {
		case given && (!isRefusal || refusal.Reason != body.Reason || refusal.Detail != body.Detail):
			t.Fatalf("%d %q: %v", status, data, err)
		case !given && isRefusal && refusal.Reason != es.ReasonUnavailable && refusal.Reason != es.ReasonDeadlineExceeded:
			t.Fatalf("%d %q: %v", status, data, err)
		case !given && isRefusal != (status == http.StatusServiceUnavailable || status == http.StatusBadGateway || status == http.StatusGatewayTimeout):
			t.Fatalf("%d %q: %v", status, data, err)
		}
	})
}
