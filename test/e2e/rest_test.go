package e2e

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/ids"
)

// The same call under the same Idempotency-Key gets the first answer; another payload under it is refused.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := shared
	backend := s.backend(t)
	id, live := ids.New(), "room-"+ids.New()[:10]
	body := `{"live_id":"` + live + `","kind":"VIDEO","host":{"user_id":"ann","user_name":"Ann"}}`
	code, first := backend.rest(t, "POST", "/v1/lives", id, body)
	if code != 200 {
		t.Fatalf("%d %s", code, first)
	}
	code, again := backend.rest(t, "POST", "/v1/lives", id, body)
	if code != 200 || !sameJSON(t, first, again) {
		t.Errorf("the repeat: %d %s, first %s", code, again, first)
	}
	code, other := backend.rest(t, "POST", "/v1/lives", id, strings.Replace(body, "VIDEO", "VOICE", 1))
	if code != 409 || !strings.Contains(string(other), `"PAYLOAD_MISMATCH"`) {
		t.Errorf("another payload: %d %s", code, other)
	}
	code, fresh := backend.rest(t, "POST", "/v1/lives", ids.New(), body)
	if code != 409 || !strings.Contains(string(fresh), `"LIVE_EXISTS"`) {
		t.Errorf("a new call: %d %s", code, fresh)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("no JSON: %s, %s", a, b)
	}
	return reflect.DeepEqual(x, y)
}

func TestOpenDoors(t *testing.T) {
	t.Parallel()
	nobody := actor{s: shared}
	for path, want := range map[string]string{"/healthz": "", "/readyz": "", "/openapi.json": `"openapi"`} {
		code, body := nobody.rest(t, "GET", path, "", "")
		if code != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %.200s", path, code, body)
		}
	}
}
