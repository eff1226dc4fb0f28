package badinput

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// httpRows are what is hardly HTTP, byte by byte. net/http refuses most of it, as plain text; all of it ends the connection.
func httpRows() (all []row) {
	const get, post = "GET /healthz HTTP/1.1\r\n", "POST /v1/lives HTTP/1.1\r\nHost: x\r\n"
	for _, r := range []struct {
		id, name string
		request  string
		status   int
		good     int // how many good requests come before the bad one
		then     func(net.Conn)
	}{
		{id: "R13", name: "a body shorter than announced", request: post + "Authorization: TOKEN\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}", status: 400, then: thatIsAll},
		{id: "R38", name: "a key with a control character", request: post + "Idempotency-Key: a\x01b\r\nContent-Length: 0\r\n\r\n", status: 400},
		{id: "R47", name: "a length and chunks", request: post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get + "Host: x\r\n\r\n", status: 400},
		{id: "R47", name: "chunks and a length", request: post + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + get + "Host: x\r\n\r\n", status: 400},
		{id: "R48", name: "two lengths", request: post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", status: 400},
		{name: "a length with a sign", request: post + "Content-Length: +2\r\n\r\n{}", status: 400},
		{name: "chunks twice", request: post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", status: 501},
		{id: "R49", name: "a folded header", request: get + "Host: x\r\nX-Note: a\r\n b\r\n\r\n", status: 400},
		{id: "R49", name: "a header folded by a tab", request: get + "Host: x\r\nX-Note: a\r\n\tb\r\n\r\n", status: 400},
		{id: "R49", name: "a folded header, empty", request: get + "Host: x\r\n \r\n\r\n", status: 400},
		{id: "R49", name: "lines without CR", request: "GET /healthz HTTP/1.1\nHost: x\n\n", status: 400},
		{id: "R49", name: "one line without CR", request: get + "Host: x\nX-Note: a\r\n\r\n", status: 400},
		{id: "R49", name: "an end without CR", request: get + "Host: x\r\n\n", status: 400},
		{id: "R49", name: "a folded header in a second request", request: get + "Host: x\r\n\r\n" + get + "Host: x\r\nX-Note: a\r\n b\r\n\r\n", status: 400, good: 1},
		{name: "a blank before the colon", request: get + "Host: x\r\nX-Note : a\r\n\r\n", status: 400},
		{name: "a lone CR in a header", request: get + "Host: x\r\nX-Note: a\rb\r\n\r\n", status: 400},
		{name: "NUL in a header", request: get + "Host: x\r\nX-Note: a\x00b\r\n\r\n", status: 400},
		{id: "R50", name: "no host", request: get + "\r\n", status: 400},
		{id: "R50", name: "two hosts", request: get + "Host: a\r\nHost: b\r\n\r\n", status: 400},
		{id: "R51", name: "a header of 64 KiB", request: get + "Host: x\r\nX-Note: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", status: 431},
		{id: "R67", name: "a token of 100 KiB", request: get + "Host: x\r\nAuthorization: Bearer " + strings.Repeat("x", 100<<10) + "\r\n\r\n", status: 431},
		{name: "many headers", request: get + "Host: x\r\n" + strings.Repeat("X-Note: a\r\n", 2_000) + "\r\n", status: 431},
		{name: "HTTP/3.0", request: "GET / HTTP/3.0\r\nHost: x\r\n\r\n", status: 505},
		{name: "TLS", request: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", status: 400},
		{name: "no HTTP", request: "hello\r\n\r\n", status: 400},
	} {
		all = append(all, row{id: r.id, name: r.name, send: func(t *testing.T, s *scene) {
			_, in := say(t, s.http, strings.Replace(r.request, "TOKEN", "Bearer "+backend(t), 1), r.then)
			for range r.good {
				next(t, in).accepted(t)
			}
			if a := next(t, in); a.status != r.status {
				t.Errorf("%d %s, want %d", a.status, a.body, r.status)
			}
			if more := closed(t, in); more != "" {
				t.Errorf("more came: %q", more)
			}
		}})
	}
	return append(all, row{name: "many good requests on one connection", send: manyGood, writes: true})
}

// next reads the next answer of a connection.
func next(t *testing.T, in *bufio.Reader) answer {
	t.Helper()
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return read(t, resp)
}

// manyGood: what refuses bad framing lets good requests pass, with and without bodies, at once and byte by byte.
func manyGood(t *testing.T, s *scene) {
	body := `{"live_id":"red","kind":"VIDEO","host":{"user_id":"ann"}}`
	get := "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	post := fmt.Sprintf("POST /v1/lives HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		backend(t), len(body), body)
	unread := "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat(" \n", 2_500)
	conn, in := say(t, s.http, strings.Repeat(get+post+unread, 50), nil)
	for range 50 {
		for _, want := range []int{200, 409, 405} { // the live exists, and /healthz takes no POST
			if a := next(t, in); a.status != want {
				t.Fatalf("%d %s, want %d", a.status, a.body, want)
			}
		}
	}
	go func() {
		for i := range post {
			_, _ = io.WriteString(conn, post[i:i+1])
		}
	}()
	if a := next(t, in); a.status != 409 {
		t.Errorf("%d %s", a.status, a.body)
	}
	_ = conn.Close()
}
