package gateway_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/auth"

	"github.com/faceoff-live/faceoff/services/gateway/internal/fakes"
	"github.com/faceoff-live/faceoff/services/gateway/internal/rest"
)

func TestREST(t *testing.T) {
	t.Parallel()
	e := start(t)
	created := e.call(t, http.MethodPost, "/v1/lives", createA, "Idempotency-Key: one:1", "Faceoff-Session: phone:1")
	if created.status != http.StatusOK || created.at(t, "live", "live_id") != "a" || created.at(t, "live", "kind") != "VIDEO" {
		t.Fatalf("create: %d %s", created.status, created.body)
	}
	if v, ok := created.at(t, "live", "connection_id").(string); !ok || v != "" {
		t.Errorf("zero values are left out: %s", created.body)
	}
	if _, ok := created.at(t, "live").(map[string]any)["ended_at"]; ok {
		t.Errorf("an unset object is there: %s", created.body)
	}
	if got := e.cohost.CommandIDs(); len(got) != 1 || got[0] != "one:1" {
		t.Errorf("command ids %q", got)
	}
	if got := e.cohost.Sessions(); len(got) != 1 || got[0] != "phone:1" {
		t.Errorf("sessions %q", got)
	}

	got := e.call(t, http.MethodGet, "/v1/lives/a", "")
	if got.status != http.StatusOK || got.at(t, "live", "host", "user_name") != "Anna" {
		t.Errorf("get: %d %s", got.status, got.body)
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type %s", got.header.Get("Content-Type"))
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Grpc-") {
			t.Errorf("header %s", name)
		}
	}
	if got := e.call(t, http.MethodHead, "/v1/lives/a", ""); got.status != http.StatusOK || got.body != "" {
		t.Errorf("head: %d %q", got.status, got.body)
	}
	if got := e.call(t, http.MethodDelete, "/v1/lives/a", ""); got.status != http.StatusOK || got.at(t, "live", "status") != "ENDED" {
		t.Errorf("delete: %d %s", got.status, got.body)
	}
	if got := e.call(t, http.MethodGet, "/v1/lives?page_size=3", ""); got.status != http.StatusOK || len(got.at(t, "lives").([]any)) != 0 {
		t.Errorf("list: %d %s", got.status, got.body)
	}
	if got := e.call(t, http.MethodGet, "/v1/lives/a/gifts/e:1.x", ""); got.status != http.StatusOK || got.at(t, "verdict", "event_id") != "e:1.x" {
		t.Errorf("gift: %d %s", got.status, got.body)
	}
	gifts := e.call(t, http.MethodPost, "/v1/gifts", gift(`5`))
	if gifts.status != http.StatusOK || gifts.at(t, "verdicts", 0, "points") != "5" || gifts.at(t, "verdicts", 0, "verdict") != "COUNTED" {
		t.Errorf("gifts: %d %s", gifts.status, gifts.body)
	}
	large := `{"gifts":[` + strings.TrimSuffix(strings.Repeat(`{"event_id":"e1","live_id":"a","gift_id":"rose","category":"BASIC","unit_value":5,"count":1},`, 500), ",") + `]}`
	if got := e.call(t, http.MethodPost, "/v1/gifts", large, "Content-Type: application/json; charset=UTF-8"); len(large) < 40<<10 || got.status != http.StatusOK {
		t.Errorf("500 gifts: %d %s", got.status, got.body)
	}
	if got := e.call(t, http.MethodGet, "/v1/lives/a", "", "Accept: text/html, application/*;q=0.5"); got.status != http.StatusOK {
		t.Errorf("accept: %d %s", got.status, got.body)
	}
}

func TestRESTRefusals(t *testing.T) {
	t.Parallel()
	e := start(t)
	audience := "Authorization: Bearer " + fakes.Token(t, "carl", "a", auth.Audience)
	e.call(t, http.MethodPost, "/v1/lives", createA)
	for _, row := range []struct {
		name         string
		method, path string
		body         string
		headers      []string
		status       int
		reason       string
		code         float64
	}{
		{"not found", "GET", "/v1/lives/b", "", nil, 404, "LIVE_NOT_FOUND", 100004},
		{"exists", "POST", "/v1/lives", createA, nil, 409, "LIVE_EXISTS", 100003},
		{"no number", "GET", "/v1/lives/b", "", []string{"Authorization: "}, 401, "UNAUTHENTICATED", 0},
		{"of a role", "POST", "/v1/lives", createA, []string{audience}, 403, "PERMISSION_DENIED", 100006},
		{"of the state", "POST", "/v1/battles/x:accept", `{"live_id":"a"}`, nil, 400, "BATTLE_ENDED", 100421},
		{"of a field", "POST", "/v1/lives", "", nil, 400, "INVALID_ARGUMENT", 100002},
		{"not offered yet", "POST", "/v1/battles/x:exit", `{"live_id":"a"}`, nil, 501, "INVALID_ARGUMENT", 100002},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := e.call(t, row.method, row.path, row.body, row.headers...)
			if got.status != row.status || got.at(t, "reason") != row.reason || got.at(t, "code") != row.code {
				t.Errorf("%d %s", got.status, got.body)
			}
			checkProblem(t, got)
			if row.status != 501 && got.at(t, "type") != "/errors/"+row.reason {
				t.Errorf("type: %s", got.body)
			}
		})
	}
}

// TestServiceDown: what the transport says about a service stays inside.
func TestServiceDown(t *testing.T) {
	t.Parallel()
	e := start(t)
	ready := e.call(t, http.MethodGet, "/readyz", "", "Authorization: ")
	if ready.status != http.StatusOK || ready.at(t, "status") != "ready" || ready.at(t, "parts", "cohost") != "SERVING" {
		t.Errorf("ready: %d %s", ready.status, ready.body)
	}
	e.cohost.Stop()
	got := e.call(t, http.MethodGet, "/v1/lives/a", "")
	if got.status != http.StatusServiceUnavailable || got.at(t, "reason") != "UNAVAILABLE" || strings.Contains(got.body, "transport") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	checkProblem(t, got)
	if got := e.call(t, http.MethodGet, "/healthz", "", "Authorization: "); got.status != http.StatusOK {
		t.Errorf("alive: %d %s", got.status, got.body)
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.battle.Stop()
	e.score.SetServing(false)
	got := e.call(t, http.MethodGet, "/readyz", "", "Authorization: ")
	if got.status != http.StatusServiceUnavailable || got.at(t, "status") != "not ready" {
		t.Errorf("%d %s", got.status, got.body)
	}
	for part, want := range map[string]string{"cohost": "SERVING", "battle": "UNREACHABLE", "score": "NOT_SERVING"} {
		if got.at(t, "parts", part) != want {
			t.Errorf("%s: %s", part, got.body)
		}
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	e := start(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := e.call(t, http.MethodPost, "/v1/gifts", gift(`true`)); got.at(t, "field_violations", 0, "field") != "gifts[0].unit_value" {
				t.Error(got.body)
			}
			if got := e.call(t, http.MethodPost, "/v1/gifts", gift(`7`)); got.at(t, "verdicts", 0, "points") != "7" {
				t.Error(got.body)
			}
		})
	}
	all.Wait()
}

// TestRoutes: what the annotations declare is what the mux serves.
func TestRoutes(t *testing.T) {
	t.Parallel()
	e := start(t)
	param := regexp.MustCompile(`{\w+}`)
	for _, r := range rest.Routes(rest.Services()...) {
		got := e.call(t, r.Method, param.ReplaceAllString(r.Template, "x"), "")
		if got.status == http.StatusMethodNotAllowed || strings.Contains(got.body, "about:blank") && got.status == http.StatusNotFound {
			t.Errorf("%s %s: %d %s", r.Method, r.Template, got.status, got.body)
		}
	}
	if got := e.call(t, http.MethodGet, "/", "", "Authorization: "); got.status != http.StatusSeeOther {
		t.Errorf("page: %d", got.status)
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/asyncapi.json"} {
		if got := e.call(t, http.MethodGet, path, "", "Authorization: "); got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d", path, got.status)
		}
		if got := e.call(t, http.MethodPost, path, ""); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
}
