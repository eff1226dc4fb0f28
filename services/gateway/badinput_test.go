package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/faceoff-live/faceoff/services/gateway/internal/fakes"
)

// gift is a call with one gift whose unit_value is the given JSON.
func gift(unitValue string) string {
	return fmt.Sprintf(`{"gifts":[{"event_id":"e1","live_id":"a","gift_id":"rose","category":"BASIC","unit_value":%s,"count":1}]}`, unitValue)
}

// TestBadInput sends what no well-behaved client sends. test/badinput/testdata/rows.tsv has the ids; there the whole product
// is sent all of it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	e := start(t)
	for _, row := range []struct {
		id, name     string
		method, path string
		body         string
		headers      []string
		status       int
		field        string // that the answer names
	}{
		{id: "R04", name: "array", path: "/v1/lives", body: `[]`, status: 400},
		{id: "R05", name: "trailing garbage", path: "/v1/lives", body: createA + ` trailing`, status: 400},
		{id: "R05", name: "trailing letter", path: "/v1/lives", body: `{}x`, status: 400},
		{id: "R06", name: "two documents", path: "/v1/lives", body: createA + createA, status: 400},
		{id: "R09", name: "unknown field", path: "/v1/lives", body: `{"live_id":"a","isAdmin":true}`, status: 400, field: "isAdmin"},
		{id: "R09", name: "unknown field, nested", path: "/v1/lives", body: `{"host":{"user_id":"u","role":"admin"}}`, status: 400, field: "host.role"},
		{id: "R10", name: "20 000 brackets", path: "/v1/lives", body: strings.Repeat("[", 20_000), status: 400},
		{id: "R11", name: "5 000 objects", path: "/v1/lives", body: strings.Repeat(`{"host":`, 5_000) + "1" + strings.Repeat("}", 5_000), status: 400},
		{id: "R12", name: "1 MiB", path: "/v1/lives", body: `{"live_id":"` + strings.Repeat("a", 1<<20) + `"}`, status: 413},
		{id: "R12", name: "1 MiB of gifts", path: "/v1/gifts", body: `{"gifts":[` + strings.Repeat(" ", 1<<20) + `]}`, status: 413},
		{id: "R15", name: "content encoding", path: "/v1/lives", body: createA, headers: []string{"Content-Encoding: gzip"}, status: 415},
		{id: "R16", name: "text/plain", path: "/v1/lives", body: createA, headers: []string{"Content-Type: text/plain"}, status: 415},
		{id: "R16", name: "form", path: "/v1/lives", body: "live_id=a", headers: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 415},
		{id: "R16", name: "no content type", path: "/v1/lives", body: createA, headers: []string{"Content-Type: "}, status: 415},
		{id: "R17", name: "utf-16", path: "/v1/lives", body: createA, headers: []string{"Content-Type: application/json; charset=utf-16"}, status: 415},
		{id: "R18", name: "byte order mark", path: "/v1/lives", body: "\ufeff" + createA, status: 400},
		{name: "bad utf-8", path: "/v1/lives", body: "{\"live_id\":\"\xff\"}", status: 400},
		{name: "null", path: "/v1/lives", body: `null`, status: 400},
		{name: "same field twice", path: "/v1/lives", body: `{"live_id":"a","liveId":"b"}`, status: 400, field: "liveId"},
		{name: "unknown enum value", path: "/v1/lives", body: `{"live_id":"a","kind":"HOLOGRAM"}`, status: 400, field: "kind"},
		{name: "body against path", path: "/v1/lives/a/cohost:accept", body: `{"live_id":"b","from_live_id":"c"}`, status: 400, field: "live_id"},
		{name: "body of a GET", method: "GET", path: "/v1/lives/a", body: `{}`, status: 400},

		{id: "R22", name: "number as string", path: "/v1/gifts", body: gift(`"5"`), status: 200},
		{id: "R22", name: "number", path: "/v1/gifts", body: gift(`5`), status: 200},
		{id: "R25", name: "2^63", path: "/v1/gifts", body: gift(`9223372036854775808`), status: 400, field: "gifts[0].unit_value"},
		{id: "R30", name: "true", path: "/v1/gifts", body: gift(`true`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "hexadecimal", path: "/v1/gifts", body: gift(`"0x10"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "underscore", path: "/v1/gifts", body: gift(`"1_000"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "blank", path: "/v1/gifts", body: gift(`" 1"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "plus", path: "/v1/gifts", body: gift(`"+1"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "leading zero", path: "/v1/gifts", body: gift(`"01"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "Arabic digits", path: "/v1/gifts", body: gift(`"١٢"`), status: 400, field: "gifts[0].unit_value"},

		{id: "R37", name: "long key", path: "/v1/lives", body: createA, headers: []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, status: 400, field: "Idempotency-Key"},
		{id: "R37", name: "session with a blank", path: "/v1/lives", body: createA, headers: []string{"Faceoff-Session: a b"}, status: 400, field: "Faceoff-Session"},
		{id: "R37", name: "key with a blank", path: "/v1/lives", body: createA, headers: []string{"Idempotency-Key: a b"}, status: 400, field: "Idempotency-Key"},

		{id: "R39", name: "escaped slashes", method: "GET", path: "/v1/battles/..%2f..%2fadmin", status: 400, field: "battle_id"},
		{id: "R39", name: "escaped dots", method: "GET", path: "/v1/battles/%2e%2e", status: 400, field: "battle_id"},
		{id: "R39", name: "escaped twice", method: "GET", path: "/v1/battles/a%252fb", status: 400, field: "battle_id"},
		{id: "R40", name: "NUL", method: "GET", path: "/v1/battles/%00", status: 400, field: "battle_id"},
		{id: "R40", name: "not UTF-8", method: "GET", path: "/v1/battles/%ff", status: 404},
		{id: "R40", name: "a parameter that is not UTF-8", method: "GET", path: "/v1/battles?live_id=%ff", status: 400},
		{id: "R41", name: "blank", method: "GET", path: "/v1/battles/a%20b", status: 400, field: "battle_id"},
		{id: "R42", name: "wildcard", method: "GET", path: "/v1/battles/*", status: 400, field: "battle_id"},
		{id: "R42", name: "tail wildcard", method: "GET", path: "/v1/battles/%3E", status: 400, field: "battle_id"},
		{id: "R43", name: "doubled slashes", method: "GET", path: "//v1//battles/x", status: 404},
		{id: "R43", name: "trailing slash", method: "GET", path: "/v1/battles/", status: 404},
		{id: "R43", name: "dots", method: "GET", path: "/v1/battles/x/../y", status: 404},
		{id: "R44", name: "PUT", method: "PUT", path: "/v1/lives", body: createA, status: 405},
		{name: "method override", path: "/v1/lives/a", headers: []string{"X-HTTP-Method-Override: DELETE"}, status: 405},
		{name: "unknown parameter", method: "GET", path: "/v1/lives?page_sice=3", status: 400, field: "page_sice"},
		{name: "parameter of a POST", path: "/v1/lives?live_id=a", body: createA, status: 400, field: "live_id"},
		{name: "parameter against path", method: "GET", path: "/v1/lives/a?live_id=b", status: 400, field: "live_id"},
		{name: "not a number", method: "GET", path: "/v1/lives?page_size=abc", status: 400, field: "page_size"},
		{name: "parameter twice", method: "GET", path: "/v1/lives?page_size=1&page_size=2", status: 400, field: "page_size"},
		{name: "out of range", method: "GET", path: "/v1/lives?page_size=1001", status: 400, field: "page_size"},
		{name: "malformed query", method: "GET", path: "/v1/lives?a=%zz", status: 400},

		{id: "R58", name: "no token", method: "GET", path: "/v1/lives/a", headers: []string{"Authorization: "}, status: 401},
		{id: "R58", name: "no token and a bad body", path: "/v1/lives", body: `[`, headers: []string{"Authorization: "}, status: 401},
		{id: "R59", name: "Basic", method: "GET", path: "/v1/lives/a", headers: []string{"Authorization: Basic dTpw"}, status: 401},
		{id: "R61", name: "no signature", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil), status: 401},
		{id: "R61", name: "HS512", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodHS512, []byte(fakes.Secret), nil, nil), status: 401},
		{id: "R62", name: "kid is a path", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodHS256, []byte("x"), map[string]any{"kid": "../../dev/null"}, nil), status: 401},
		{id: "R62", name: "kid is SQL", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodHS256, []byte("x"), map[string]any{"kid": "' OR 1=1"}, nil), status: 401},
		{id: "R64", name: "no exp", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodHS256, []byte(fakes.Secret), nil, jwt.MapClaims{"exp": nil}), status: 401},
		{id: "R65", name: "exp in the year 9999", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodHS256, []byte(fakes.Secret), nil, jwt.MapClaims{"exp": 253402300799}), status: 401},
		{id: "R66", name: "nbf ahead", method: "GET", path: "/v1/lives/a", headers: bearer(jwt.SigningMethodHS256, []byte(fakes.Secret), nil, jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()}), status: 401},
		{id: "R68", name: "five parts", method: "GET", path: "/v1/lives/a", headers: []string{"Authorization: Bearer a.b.c.d.e"}, status: 401},
		{id: "R68", name: "two parts", method: "GET", path: "/v1/lives/a", headers: []string{"Authorization: Bearer a.b"}, status: 401},
		{id: "R74", name: "preflight", method: "OPTIONS", path: "/v1/lives", headers: []string{"Origin: https://evil.example", "Access-Control-Request-Method: POST"}, status: 405},
		{id: "R76", name: "long name", path: "/v1/lives", body: `{"live_id":"a","kind":"VIDEO","host":{"user_id":"u","user_name":"` + strings.Repeat("ä", 300) + `"}}`, status: 400, field: "host.user_name"},
		{id: "R78", name: "javascript avatar", path: "/v1/lives", body: `{"live_id":"a","kind":"VIDEO","host":{"user_id":"u","avatar_url":"javascript:alert(1)"}}`, status: 400, field: "host.avatar_url"},
		{id: "R79", name: "data avatar", path: "/v1/lives", body: `{"live_id":"a","kind":"VIDEO","host":{"user_id":"u","avatar_url":"data:text/html,x"}}`, status: 400, field: "host.avatar_url"},
		{id: "R99", name: "XML wanted", method: "GET", path: "/v1/lives/a", headers: []string{"Accept: application/xml"}, status: 406},
		{id: "R99", name: "JSON not wanted", method: "GET", path: "/v1/lives/a", headers: []string{"Accept: application/json;q=0"}, status: 406},
		{id: "R100", name: "pprof", method: "GET", path: "/debug/pprof", status: 404},
		{id: "R100", name: "metrics", method: "GET", path: "/metrics", status: 404},
		{id: "R100", name: "service not for outside", path: "/faceoff.battle.v1.BattleCoordinationService/LeaveBattle", body: `{}`, status: 404},
	} {
		t.Run(strings.TrimSpace(row.id+" "+row.name), func(t *testing.T) {
			t.Parallel()
			if row.method == "" {
				row.method = http.MethodPost
			}
			got := e.call(t, row.method, row.path, row.body, row.headers...)
			if got.status != row.status {
				t.Fatalf("status %d, want %d: %s", got.status, row.status, got.body)
			}
			if row.status < 400 {
				return
			}
			checkProblem(t, got)
			if row.field != "" && got.at(t, "field_violations", 0, "field") != row.field {
				t.Errorf("want field %s named: %s", row.field, got.body)
			}
			if allow := got.header.Get("Allow"); (row.status == 405) != (allow != "") {
				t.Errorf("Allow: %q", allow)
			}
			if row.status == 401 && got.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("WWW-Authenticate: %q", got.header.Get("WWW-Authenticate"))
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("foreign origins are let in")
			}
		})
	}
}

// checkProblem checks that an answer is one as of RFC 9457, with our members.
func checkProblem(t *testing.T, a answer) {
	t.Helper()
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("Content-Type: %s", kind)
	}
	if got := a.at(t, "status"); got != float64(a.status) {
		t.Errorf("status %v in the body of %d", got, a.status)
	}
	for _, key := range []string{"type", "title", "detail", "reason"} {
		if s, _ := a.at(t, key).(string); s == "" {
			t.Errorf("no %s: %s", key, a.body)
		}
	}
	if _, ok := a.at(t, "code").(float64); !ok {
		t.Errorf("no code: %s", a.body)
	}
	if _, ok := a.at(t, "field_violations").([]any); !ok {
		t.Errorf("no field_violations: %s", a.body)
	}
}

// bearer makes a token that is good but for what is given.
func bearer(method jwt.SigningMethod, key any, header map[string]any, claims jwt.MapClaims) []string {
	all := jwt.MapClaims{
		"iss": fakes.Key, "sub": "backend", "exp": time.Now().Add(time.Hour).Unix(),
		"live": map[string]any{"room": "*", "role": "service"},
	}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	token := jwt.NewWithClaims(method, all)
	for name, value := range header {
		token.Header[name] = value
	}
	signed, err := token.SignedString(key)
	if err != nil {
		panic(err)
	}
	return []string{"Authorization: Bearer " + signed}
}

// TestBadHTTP sends what is hardly HTTP, byte by byte.
func TestBadHTTP(t *testing.T) {
	t.Parallel()
	e := start(t)
	get := "GET /healthz HTTP/1.1\r\n"
	for _, row := range []struct {
		id, name string
		request  string
		status   []int
	}{
		{"R13", "body shorter than announced", "POST /v1/lives HTTP/1.1\r\nHost: x\r\nAuthorization: " + token(t) + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}", []int{400}},
		{"R38", "key with a control character", "POST /v1/lives HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\x01b\r\nContent-Length: 0\r\n\r\n", []int{400}},
		{"R48", "two lengths", "POST /v1/lives HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", []int{400}},
		{"R50", "no host", get + "\r\n", []int{400}},
		{"R50", "two hosts", get + "Host: a\r\nHost: b\r\n\r\n", []int{400}},
		{"R51", "64 KiB header", get + "Host: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", []int{431}},
		{"R67", "100 KiB token", get + "Host: x\r\nAuthorization: Bearer " + strings.Repeat("x", 100<<10) + "\r\n\r\n", []int{431}},
	} {
		t.Run(row.id+" "+row.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", e.address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			go func() { // the server may answer and close before it has read all
				_, _ = io.WriteString(conn, row.request)
				_ = conn.(*net.TCPConn).CloseWrite()
			}()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != row.status[0] {
				t.Errorf("status %d, want %v", response.StatusCode, row.status)
			}
		})
	}
}

func token(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(bearer(jwt.SigningMethodHS256, []byte(fakes.Secret), nil, nil)[0], "Authorization: ")
}

// TestSmuggling: a request with both framings (R47) leaves nothing behind that is taken for a second request.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	e := start(t)
	conn, err := net.Dial("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST /v1/lives HTTP/1.1\r\nHost: x\r\nAuthorization: "+token(t)+"\r\nContent-Type: application/json\r\n"+
		"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(all), "HTTP/1.1 4") {
		t.Errorf("%d answers: %q", n, all)
	}
}
