package e2e

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/ids"
)

// Bad input is refused with a problem document that names the reason, and the field where there is one.
func TestRESTRefusesBadInput(t *testing.T) {
	t.Parallel()
	s := shared
	backend := s.backend(t)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		reason, field      string
	}{
		"no JSON":            {"POST", "/v1/lives", `{`, 400, "INVALID_ARGUMENT", ""},
		"two documents":      {"POST", "/v1/lives", `{} {}`, 400, "INVALID_ARGUMENT", ""},
		"an array":           {"POST", "/v1/lives", `[]`, 400, "INVALID_ARGUMENT", ""},
		"unknown field":      {"POST", "/v1/lives", `{"live":"x"}`, 400, "INVALID_ARGUMENT", "live"},
		"no live_id":         {"POST", "/v1/lives", `{"kind":"VIDEO","host":{"user_id":"u"}}`, 400, "INVALID_ARGUMENT", "live_id"},
		"live_id with space": {"POST", "/v1/lives", `{"live_id":"a b","kind":"VIDEO","host":{"user_id":"u"}}`, 400, "INVALID_ARGUMENT", "live_id"},
		"live_id with star":  {"POST", "/v1/lives", `{"live_id":"*","kind":"VIDEO","host":{"user_id":"u"}}`, 400, "INVALID_ARGUMENT", "live_id"},
		"long live_id":       {"POST", "/v1/lives", `{"live_id":"` + strings.Repeat("a", 49) + `","kind":"VIDEO","host":{"user_id":"u"}}`, 400, "INVALID_ARGUMENT", "live_id"},
		"no such kind":       {"POST", "/v1/lives", `{"live_id":"a","kind":"RADIO","host":{"user_id":"u"}}`, 400, "INVALID_ARGUMENT", "kind"},
		"no host":            {"POST", "/v1/lives", `{"live_id":"a","kind":"VIDEO"}`, 400, "INVALID_ARGUMENT", "host"},
		"no such live":       {"GET", "/v1/lives/never-was", "", 404, "LIVE_NOT_FOUND", ""},
		"no such battle":     {"GET", "/v1/battles/never-was", "", 404, "BATTLE_NOT_FOUND", ""},
		"no such gift":       {"GET", "/v1/lives/never-was/gifts/g", "", 404, "GIFT_NOT_FOUND", ""},
		"no such path":       {"GET", "/v1/nothing", "", 404, "", ""},
		"no such method":     {"PUT", "/v1/lives", `{}`, 405, "", ""},
		"unknown parameter":  {"GET", "/v1/lives?size=3", "", 400, "INVALID_ARGUMENT", "size"},
		"page too large":     {"GET", "/v1/lives?page_size=5000", "", 400, "INVALID_ARGUMENT", "page_size"},
		"no gifts":           {"POST", "/v1/gifts", `{"gifts":[]}`, 400, "INVALID_ARGUMENT", "gifts"},
		"gift without time": {
			"POST", "/v1/gifts", `{"gifts":[{"event_id":"e","live_id":"l","sender":{"user_id":"u"},"gift_id":"g","category":"BASIC","unit_value":1}]}`,
			400, "INVALID_ARGUMENT", "gifts[0].sent_at",
		},
		"gift of negative value": {
			"POST", "/v1/gifts", `{"gifts":[{"event_id":"e","live_id":"l","sender":{"user_id":"u"},"gift_id":"g","category":"BASIC","unit_value":-1,"sent_at":"2026-01-01T00:00:00Z"}]}`,
			400, "INVALID_ARGUMENT", "gifts[0].unit_value",
		},
		"gift beyond int64": {
			"POST", "/v1/gifts", `{"gifts":[{"event_id":"e","live_id":"l","unit_value":9223372036854775808}]}`, 400, "INVALID_ARGUMENT", "gifts[0].unit_value",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, body := backend.rest(t, c.method, c.path, "", c.body)
			var p struct {
				Status     int
				Reason     string
				Title      string
				Violations []struct{ Field string } `json:"field_violations"`
			}
			if err := json.Unmarshal(body, &p); err != nil {
				t.Fatalf("%d %s: %v", code, body, err)
			}
			if code != c.status || p.Status != c.status || p.Title == "" || c.reason != "" && p.Reason != c.reason {
				t.Errorf("%d %s", code, body)
			}
			if c.field != "" && (len(p.Violations) == 0 || p.Violations[0].Field != c.field) {
				t.Errorf("the field is not named: %s", body)
			}
		})
	}
}

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
	nobody := actor{shared, ""}
	for path, want := range map[string]string{"/healthz": "", "/readyz": "", "/openapi.json": `"openapi"`} {
		code, body := nobody.rest(t, "GET", path, "", "")
		if code != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %.200s", path, code, body)
		}
	}
}
