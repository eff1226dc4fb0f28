package badinput

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// call is a request of REST. headers are "Name: value"; they replace those that a well-behaved client sends, and an empty
// value leaves one out.
type call struct {
	method, path string // POST if empty
	body         string
	headers      []string
}

// answer is what a request of REST got.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem is the body of a refusal.
type problem struct {
	Type, Title, Detail, Reason string
	Status                      int
	Code                        *int
	Violations                  []struct{ Field string } `json:"field_violations"`
}

// send makes the call on a connection of its own.
func (c call) send(t *testing.T, s *stack) answer {
	t.Helper()
	method := c.method
	if method == "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx(t), method, "http://"+s.http+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+backend(t))
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range c.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header[name] = []string{value} // as it is
		}
	}
	resp, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// refused checks that an answer is a problem (RFC 9457) with what programs and people need.
func (a answer) refused(t *testing.T, status int, reason, field string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("%d %s, want %d", a.status, a.body, status)
	}
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if reason == "" {
		reason = "INVALID_ARGUMENT"
		if status == http.StatusUnauthorized {
			reason = "UNAUTHENTICATED"
		}
	}
	if p.Status != status || p.Reason != reason || p.Type == "" || p.Title == "" || p.Detail == "" || p.Code == nil || p.Violations == nil {
		t.Errorf("want a problem with reason %s: %s", reason, a.body)
	}
	if field != "" && (len(p.Violations) == 0 || p.Violations[0].Field != field) {
		t.Errorf("want %s named: %s", field, a.body)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("Content-Type: %s", kind)
	}
	if allow := a.header.Get("Allow"); (status == http.StatusMethodNotAllowed) != (allow != "") {
		t.Errorf("Allow: %q", allow)
	}
	if ask := a.header.Get("WWW-Authenticate"); (status == http.StatusUnauthorized) != (ask == "Bearer") {
		t.Errorf("WWW-Authenticate: %q", ask)
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers: %v", a.header)
	}
}

// accepted checks that a call was carried out.
func (a answer) accepted(t *testing.T) answer {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return a
}

// forge makes an Authorization header with a token that is good but for what is given; a nil claim is left out.
func forge(method jwt.SigningMethod, with any, header map[string]any, claims jwt.MapClaims) string {
	all := jwt.MapClaims{
		"iss": key, "sub": "backend", "exp": time.Now().Add(time.Hour).Unix(), "live": map[string]any{"room": "*", "role": "service"},
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
	signed, err := token.SignedString(with)
	if err != nil {
		panic(err)
	}
	return "Authorization: Bearer " + signed
}

// live is the body of a call that would create one.
func live(host string) string {
	return `{"live_id":"new","kind":"VIDEO","host":{"user_id":"u",` + host + `}}`
}

// give is the body of a call with one gift for red, good but for what is given.
func give(id, fields string) string {
	return fmt.Sprintf(`{"gifts":[{"event_id":%q,"live_id":"red","sender":{"user_id":"fan"},"gift_id":"rose","category":"BASIC","sent_at":%q,%s}]}`,
		id, time.Now().UTC().Format(time.RFC3339), fields)
}

// say writes raw bytes to an address, does what is to be done then, and returns a reader of what comes back. The
// connection ends with the test.
func say(t *testing.T, addr, text string, then func(net.Conn)) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(5 * patience)); err != nil {
		t.Fatal(err)
	}
	go func() { // the server may answer and close before it has read all
		_, _ = io.WriteString(conn, text)
		if then != nil {
			then(conn)
		}
	}()
	return conn, bufio.NewReader(conn)
}

// thatIsAll says that no more comes.
func thatIsAll(conn net.Conn) { _ = conn.(*net.TCPConn).CloseWrite() }

// closed checks that the other side closes, and returns what it said before.
func closed(t *testing.T, r io.Reader) string {
	t.Helper()
	said, err := io.ReadAll(r)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Fatalf("the connection stays open after %q", said)
	}
	return string(said)
}
