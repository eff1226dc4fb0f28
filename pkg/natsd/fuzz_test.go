package natsd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// FuzzHostPort: an address that is taken is a host and a port of 16 bits, as they were written.
func FuzzHostPort(f *testing.F) {
	for _, s := range []string{"", "127.0.0.1:0", "127.0.0.1:4222", "[::1]:1", "::1:1", ":1", "a:65536", "a:-1", "a:+1", "a:01", "a:", "a", "a:b:1", "a:1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		host, port, err := hostPort(addr)
		if err != nil || addr == "" {
			return
		}
		if port == server.RANDOM_PORT {
			port = 0
		}
		if port < 0 || port > 65535 {
			t.Fatalf("%q: port %d", addr, port)
		}
		digits := addr[len(addr)-len(strconv.Itoa(port)):]
		if digits != strconv.Itoa(port) {
			t.Fatalf("%q: port %d", addr, port)
		}
		again, _, err := hostPort("[" + host + "]:" + strconv.Itoa(port))
		if err != nil || again != host {
			t.Fatalf("%q: host %q, and again %q, %v", addr, host, again, err)
		}
	})
}

// FuzzMonitor: whatever a monitoring endpoint answers, a server syncs before it acknowledges only if that is what it says.
func FuzzMonitor(f *testing.F) {
	for _, s := range []string{
		`{"jetstream": {"config": {"sync_always": true}}}`, `{"jetstream": {"config": {"sync_always": false}}}`, `{"jetstream": {"config": {}}}`,
		`{"jetstream": {}}`, `{}`, `null`, `[]`, ``, `<html>`, `{"jetstream": {"config": {"sync_always": "true"}}}`, `{"JetStream": {"CONFIG": {"sync_always": true}}} x`,
	} {
		f.Add([]byte(s))
	}
	var answer []byte
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	f.Cleanup(endpoint.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		answer = body
		if VerifySyncAlways(t.Context(), endpoint.URL) != nil {
			return
		}
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("%q passes: %v", body, err)
		}
	})
}
