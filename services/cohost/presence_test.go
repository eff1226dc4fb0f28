package cohost_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"

	"github.com/faceoff-live/faceoff/services/cohost"
)

// short are times of presence for tests that wait for them.
func short() cohost.Config {
	c := cohost.DefaultConfig()
	c.PresenceRenew, c.PresenceUnreachableAfter = 300*time.Millisecond, time.Second
	c.PresenceGrace, c.PresenceEndAfter = time.Second, time.Second
	return c
}

// gate is what all connections through it pass; while it is shut nothing does, and nobody is told.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while it is open
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
}

func (g *gate) unshut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.open)
}

func (g *gate) pass() {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
}

// Dial implements nats.CustomDialer.
func (g *gate) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return &gated{conn, g}, err
}

type gated struct {
	net.Conn
	gate *gate
}

func (c *gated) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.gate.pass()
	return n, err
}

func (c *gated) Write(b []byte) (int, error) {
	c.gate.pass()
	return c.Conn.Write(b)
}

func (g *gate) connect(t *testing.T, server *natsd.Server) *nats.Conn {
	t.Helper()
	nc, err := natsd.Connect(server.ClientURL(), t.Name(), slog.New(slog.DiscardHandler), nil, nats.SetCustomDialer(g))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// keep has hosts give signs of life at a replica until stop; what becomes of one does not matter, the next one comes.
func keep(t *testing.T, c cohostv1.CohostServiceClient, lives ...string) (stop func()) {
	t.Helper()
	beat := func(ctx context.Context) {
		for _, live := range lives {
			ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			_, _ = c.Heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: live})
			cancel()
		}
	}
	for _, live := range lives {
		must(c.Heartbeat(patiently(t), &cohostv1.HeartbeatRequest{LiveId: live}))(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(300 * time.Millisecond)
		defer every.Stop()
		for {
			select {
			case <-every.C:
				beat(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// missed returns how often a live has been told so far that a host is not there.
func missed(ctx context.Context, t *testing.T, c cohostv1.CohostServiceClient, live string) (times int) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	snapshot := must(must(c.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: -1}))(t).Recv())(t).GetSnapshot()
	watch := must(c.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: 0}))(t)
	for range snapshot.GetNumber() {
		e := next(t, watch)
		if e.GetHostUnreachable() != nil || e.GetHostLost() != nil {
			times++
		}
	}
	return times
}

// TestNobodyIsLostByOurFault: a writer that ends, one whose link stalls, and a stall of all links lose nobody who gives signs
// of life all the while, at whichever replica; a host that is silent since goes its whole way, once.
func TestNobodyIsLostByOurFault(t *testing.T) {
	t.Parallel()
	const stall = 2500 * time.Millisecond // longer than a lease, and than any silence may last
	for name, harm := range map[string]func(t *testing.T, gates []*gate, stopWriter func()){
		"the writer ends": func(_ *testing.T, _ []*gate, stopWriter func()) { stopWriter() },
		"the writer's link stalls": func(_ *testing.T, gates []*gate, _ func()) {
			gates[0].shut()
			<-time.After(stall)
			gates[0].unshut()
		},
		"all links stall": func(_ *testing.T, gates []*gate, _ func()) {
			for _, g := range gates {
				g.shut()
			}
			<-time.After(stall)
			for _, g := range gates {
				g.unshut()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, ctx := natstest.Start(t), patiently(t)
			var replicas []cohostv1.CohostServiceClient
			var stops []func()
			var gates []*gate
			for range 3 {
				g := newGate()
				c, stop := startOn(t, g.connect(t, server), short())
				replicas, stops, gates = append(replicas, c), append(stops, sync.OnceFunc(stop)), append(gates, g)
			}
			defer func() {
				for _, stop := range stops {
					stop()
				}
			}()
			last := replicas[2]
			create(ctx, t, last, "a", "b", "dead", "backend")
			must(last.RequestHostConnection(ctx, request("a", "b")))(t)
			must(last.AcceptHostConnection(ctx, accept("b", "a")))(t)
			defer keep(t, last, "a")()
			defer keep(t, replicas[1], "b")()
			must(last.Heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: "dead"}))(t)
			watch := must(last.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: "dead"}))(t)

			harm(t, gates, stops[0])

			if next(t, watch).GetHostUnreachable() == nil || next(t, watch).GetHostLost() == nil || next(t, watch).GetLiveEnded().GetReason() != cohostv1.LiveEnded_HOST_LOST {
				t.Error("the dead host has not gone its way")
			}
			for _, live := range []string{"a", "b", "backend"} {
				if n := missed(ctx, t, last, live); n > 0 {
					t.Errorf("%s was told %d times that somebody is not there", live, n)
				}
			}
			if got := state(ctx, t, last, "a"); len(got.GetConnected()) != 2 {
				t.Errorf("a is together with %v", got.GetConnected())
			}
		})
	}
}

// TestHeartbeatByNATS: in both encodings, at any replica of those that there are.
func TestHeartbeatByNATS(t *testing.T) {
	t.Parallel()
	server, ctx := natstest.Start(t), patiently(t)
	client, stop := start(t, server)
	defer stop()
	_, stopOther := start(t, server)
	defer stopOther()
	create(ctx, t, client, "a")
	nc := natstest.Connect(t, server)
	ask := func(subject string, header nats.Header, data []byte) *nats.Msg {
		return must(nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Header: header, Data: data}))(t)
	}
	asJSON := nats.Header{"Content-Type": {"application/json"}}
	binary := must(proto.Marshal(&cohostv1.HeartbeatRequest{LiveId: "a", SessionId: "phone"}))(t)
	for fence, m := range []*nats.Msg{
		ask("heartbeat.a", nil, nil),
		ask("heartbeat.a", nil, binary),
	} {
		response := new(cohostv1.HeartbeatResponse)
		if err := proto.Unmarshal(m.Data, response); err != nil || response.GetPresence().GetState() != cohostv1.Presence_PRESENT || response.GetPresence().GetFence() != int64(fence) {
			t.Errorf("got %v, %v, %v", response, m.Header, err)
		}
	}
	response := new(cohostv1.HeartbeatResponse)
	m := ask("heartbeat.a", asJSON, []byte(`{"session_id": "desk"}`))
	if err := protojson.Unmarshal(m.Data, response); err != nil || response.GetPresence().GetFence() != 2 || !json.Valid(m.Data) {
		t.Errorf("got %s, %v", m.Data, err)
	}
	for name, row := range map[string]struct {
		subject, code, text string
		header              nats.Header
		data                string
	}{
		"older session":  {subject: "heartbeat.a", code: "400", text: "SUPERSEDED: session desk has taken live a over, with fence 2", data: string(binary)},
		"nobody":         {subject: "heartbeat.none", code: "404", text: "LIVE_NOT_FOUND: live none does not exist or has ended"},
		"another live":   {subject: "heartbeat.b", code: "400", text: `INVALID_ARGUMENT: live_id: is "a", but the subject says "b"`, data: string(binary)},
		"no live":        {subject: "heartbeat.a%20b", code: "400"},
		"bad session":    {subject: "heartbeat.a", code: "400", header: asJSON, data: `{"session_id": "a b"}`},
		"unknown field":  {subject: "heartbeat.a", code: "400", header: asJSON, data: `{"sesion_id": "a"}`},
		"other encoding": {subject: "heartbeat.a", code: "400", header: nats.Header{"Content-Type": {"text/plain"}}},
		"too long":       {subject: "heartbeat.a", code: "400", data: string(make([]byte, 1025))},
	} {
		m := ask(row.subject, row.header, []byte(row.data))
		if code, text := m.Header.Get("Nats-Service-Error-Code"), m.Header.Get("Nats-Service-Error"); code != row.code || row.text != "" && text != row.text {
			t.Errorf("%s: %s %q", name, code, text)
		}
	}
}
