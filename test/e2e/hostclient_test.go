package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
)

// hostEnv has the orders of a host's client, for a process of this binary to be one instead of running tests.
const hostEnv = "FACEOFF_E2E_HOST"

// hostOrders are what a host's client has to know.
type hostOrders struct {
	HTTP, GRPC, Token, Live, Session string
	Renew                            time.Duration
}

// runHost is a host's client, as one would write it against the docs: it gives its signs of life by REST, watches its live by gRPC, and if
// it was lost it rejoins its connection, and then the battles of its live that run. It prints what it was told, a message a line.
func runHost(orders string) int {
	var o hostOrders
	if err := json.Unmarshal([]byte(orders), &o); err != nil {
		return complain(err)
	}
	conn, err := grpc.NewClient(o.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return complain(err)
	}
	h := host{hostOrders: o, gateway: gatewayv1.NewGatewayServiceClient(conn)}
	ctx := actor{token: o.Token}.in(context.Background())
	go h.watch(ctx)
	for beat := time.Tick(o.Renew); ; <-beat {
		var a struct {
			Presence struct {
				Until string `json:"rejoin_until"`
			} `json:"presence"`
		}
		if h.post("/v1/lives/"+o.Live+":heartbeat", object{"session_id": o.Session}, &a) != http.StatusOK {
			continue
		}
		if a.Presence.Until == "" || h.post("/v1/lives/"+o.Live+"/cohost:rejoin", object{}, nil) == http.StatusOK {
			h.rejoin()
		}
	}
}

type host struct {
	hostOrders
	gateway gatewayv1.GatewayServiceClient
	out     sync.Mutex
	told    bool
}

func (h *host) say(kind string, m proto.Message) {
	raw, _ := proto.Marshal(m)
	h.out.Lock()
	defer h.out.Unlock()
	fmt.Println(kind, base64.StdEncoding.EncodeToString(raw))
}

func (h *host) watch(ctx context.Context) {
	offset := ""
	for {
		stream, err := h.gateway.WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: h.Live, Offset: offset})
		for err == nil {
			var m *message
			if m, err = stream.Recv(); err == nil {
				offset = m.GetOffset()
				h.say("told", m)
			}
		}
		<-time.After(50 * time.Millisecond)
	}
}

// rejoin joins the battle that it was lost from, if it runs, and says once that it is there.
func (h *host) rejoin() {
	if h.told {
		return
	}
	var list battlev1.ListBattlesResponse
	if h.do(http.MethodGet, "/v1/battles?live_id="+h.Live+"&status=RUNNING", nil, &list) != http.StatusOK {
		return
	}
	for _, b := range list.GetBattles() {
		if h.post("/v1/battles/"+b.GetBattleId()+":rejoin", object{"live_id": h.Live}, nil) != http.StatusOK {
			return
		}
	}
	h.told = true
	h.say("there", &battlev1.Battle{})
}

func (h *host) post(path string, body object, out any) int {
	return h.do(http.MethodPost, path, body, out)
}

// do makes a call and returns its status, 0 if there was no answer.
func (h *host) do(method, path string, body object, out any) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var reader io.Reader
	if body != nil {
		raw, _ := json.Marshal(body)
		reader = strings.NewReader(string(raw))
	}
	r, err := http.NewRequestWithContext(ctx, method, h.HTTP+path, reader)
	if err != nil {
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+h.Token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Faceoff-Session", h.Session)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	switch out := out.(type) {
	case nil:
	case proto.Message:
		err = protojson.Unmarshal(raw, out)
	default:
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return 0
	}
	return answer.StatusCode
}

// client is a host's client in a process of its own.
type client struct {
	cmd   *exec.Cmd
	there chan struct{} // closed when it is where it belongs
	ended chan struct{}

	mu   sync.Mutex
	told []*message
}

// startClient starts the client of a host.
func startClient(t testing.TB, p *side, session string, settings *cohostv1.PresenceSettings) *client {
	t.Helper()
	orders, err := json.Marshal(hostOrders{
		HTTP: p.host.s.HTTP, GRPC: p.host.s.GRPC, Token: p.host.token, Live: p.live, Session: session,
		Renew: time.Duration(settings.GetRenewMs()) * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{cmd: exec.Command(os.Args[0]), there: make(chan struct{}), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), hostEnv+"="+string(orders))
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	go func() {
		defer close(c.ended)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			kind, raw, _ := strings.Cut(lines.Text(), " ")
			if kind == "there" {
				close(c.there)
				continue
			}
			m := new(message)
			if b, err := base64.StdEncoding.DecodeString(raw); err == nil && proto.Unmarshal(b, m) == nil { // else it was killed at that line
				c.mu.Lock()
				c.told = append(c.told, m)
				c.mu.Unlock()
			}
		}
		_ = c.cmd.Wait()
	}()
	return c
}

// kill ends it as a crash does.
func (c *client) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

func (c *client) all() []*message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*message{}, c.told...)
}

// await waits until it is where it belongs.
func (c *client) await(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-c.there:
	case <-c.ended:
		t.Fatal("the host's client has ended")
	case <-time.After(within):
		t.Fatalf("the host's client is not in its battle within %v", within)
	}
}
