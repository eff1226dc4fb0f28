package badinput

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connections is how many the gateway of TestPatientRows takes.
const connections = 200

// TestPatientRows sends what is bad only because it takes so long, all at the same time.
func TestPatientRows(t *testing.T) {
	t.Parallel()
	s := &scene{stack: startStack(t, "--max-connections", strconv.Itoa(connections))}
	s.settle(t)
	before := s.heads(t)
	t.Run("together", func(t *testing.T) {
		for _, r := range patientRows() {
			t.Run(strings.TrimSpace(r.id+" "+r.name), func(t *testing.T) {
				t.Parallel()
				r.send(t, s)
			})
		}
	})
	s.unharmed(t)
	crowd := crowdRow()
	t.Run(crowd.id+" "+crowd.name, func(t *testing.T) { crowd.send(t, s) })
	s.unharmed(t)
	if after := s.heads(t); !maps.Equal(before, after) {
		t.Errorf("the logs were %v, are %v", before, after)
	}
}

// patientRows are those that take time.
func patientRows() []row {
	const post = "POST /v1/lives HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nAuthorization: Bearer "
	return []row{
		{id: "R54", name: "a byte a second of the headers", send: func(t *testing.T, s *scene) {
			_, in := say(t, s.http, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Note: ", trickle)
			within(t, 5*time.Second, func() { closed(t, in) })
		}},
		{id: "R55", name: "a body that does not come", send: func(t *testing.T, s *scene) {
			_, in := say(t, s.http, post+backend(t)+"\r\n\r\n{}", nil)
			within(t, 10*time.Second, func() {
				next(t, in).refused(t, http.StatusRequestTimeout, "", "")
				closed(t, in)
			})
		}},
		{id: "R55", name: "a byte a second of the body", send: func(t *testing.T, s *scene) {
			_, in := say(t, s.http, post+backend(t)+"\r\n\r\n{", trickle)
			within(t, 10*time.Second, func() {
				next(t, in).refused(t, http.StatusRequestTimeout, "", "")
				closed(t, in)
			})
		}},
		{id: "R56", name: "answers that are not read", send: func(t *testing.T, s *scene) {
			conn, err := net.Dial("tcp", s.http)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 1_000)); err != nil {
				t.Fatal(err)
			}
			within(t, 15*time.Second, func() { trickle(conn) })
		}},
		{id: "G29", name: "connections that say nothing", send: func(t *testing.T, s *scene) {
			within(t, 5*time.Second, func() {
				var silent []io.Reader
				for _, addr := range []string{s.grpc, s.services["cohost"], s.services["battle"], s.services["score"]} {
					_, in := say(t, addr, "", nil)
					silent = append(silent, in)
				}
				for _, in := range silent {
					closed(t, in)
				}
			})
		}},
		{name: "calls without their message", send: func(t *testing.T, s *scene) {
			f := connect(t, s.grpc)
			f.must(f.conn.SetDeadline(time.Now().Add(300 * time.Second)))
			f.must(f.headers(1, false, "/faceoff.cohost.v1.CohostService/CreateLive", backend(t)))
			within(t, 30*time.Second, func() {
				if o := f.outcome(1); o.code.String() != "DeadlineExceeded" {
					t.Errorf("%s", o)
				}
			})
		}},
	}
}

// crowdRow takes all connections that there are, so it is sent alone.
func crowdRow() row {
	return row{id: "R57", name: "more connections than there is room for", send: func(t *testing.T, s *scene) {
		kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: patience}
		defer kept.CloseIdleConnections()
		ask := func() {
			resp, err := kept.Get("http://" + s.http + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			read(t, resp).accepted(t)
		}
		ask()
		var refused atomic.Int32
		var all sync.WaitGroup
		for range 2 * connections {
			conn, err := net.Dial("tcp", s.http)
			if err != nil {
				refused.Add(1)
				continue
			}
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second)) // those with a place are closed after 5 s
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if n := refused.Load(); n <= connections || n == 2*connections {
			t.Errorf("%d of %d were refused", n, 2*connections)
		}
		ask() // who is connected is served on
	}}
}

// trickle writes a byte a second until it cannot.
func trickle(conn net.Conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
		<-tick.C
	}
}

// within checks that something takes the given time, not much less and not ten times as long.
func within(t *testing.T, limit time.Duration, do func()) {
	t.Helper()
	began := time.Now()
	do()
	if took := time.Since(began); took < limit/2 || took > 10*limit {
		t.Errorf("it took %v, want about %v", took, limit)
	}
}
