package host

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
)

// callTime bounds every call.
const callTime = 2 * time.Second

type client struct {
	Orders
	*writer
	conn *grpc.ClientConn
	nats *nats.Conn // nil unless signs of life go by it

	signs atomic.Int64

	// rejoining is held by who looks after the place of the live.
	rejoining sync.Mutex
	there     bool
}

// run gives signs of life until another session takes over or the live ends.
func run(o Orders, w *writer) error {
	conn, err := rpc.Dial(o.GRPC, rpc.DialOptions{}, grpc.WithConnectParams(grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: time.Second},
		MinConnectTimeout: time.Second,
	}))
	if err != nil {
		return err
	}
	c := &client{Orders: o, writer: w, conn: conn}
	if o.Door == NATS {
		if c.nats, err = natsd.Connect(o.NATS, "host", slog.New(slog.DiscardHandler), nil,
			nats.RetryOnFailedConnect(true), nats.IgnoreDiscoveredServers(), nats.Timeout(time.Second)); err != nil {
			return err
		}
	}
	ctx, gone := context.WithCancel(c.asHost(context.Background()))
	go c.watch(ctx)
	for beat := time.Tick(o.Renew); ; {
		go func() {
			presence, reason := c.sign(ctx)
			for tries := 1; tries < 3 && c.again(reason); tries++ {
				presence, reason = c.sign(ctx)
			}
			switch reason {
			case "":
				c.belong(ctx, presence)
			case "SUPERSEDED", "LIVE_NOT_FOUND":
				c.say(Line{Kind: Gone, Reason: reason})
				gone()
			}
		}()
		select {
		case <-beat:
		case <-ctx.Done():
			return nil
		}
	}
}

// asHost returns a context for gRPC calls.
func (c *client) asHost(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.Token, "faceoff-session", c.Session)
}

// again reports whether another replica may be better off. By NATS it has to see to that itself when one stands still.
func (c *client) again(reason string) bool {
	return reason == "UNAVAILABLE" || reason == Unanswered && c.Door == NATS
}

// sign gives a sign of life. It does not wait for the one before.
func (c *client) sign(ctx context.Context) (*cohostv1.Presence, string) {
	patience := callTime
	if c.Door == NATS {
		patience = c.Renew / 3
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n := int(c.signs.Add(1))
	c.say(Line{Kind: Sign, N: n})
	answer := new(cohostv1.HeartbeatResponse)
	reason := c.heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: c.Live, SessionId: c.Session}, answer)
	p := answer.GetPresence()
	line := Line{Kind: Answer, N: n, Reason: reason, State: int32(p.GetState()), Fence: p.GetFence()}
	if reason == "" {
		line.Now = answer.GetServerNow().AsTime().UnixMilli()
	}
	c.say(line)
	return p, reason
}

// heartbeat calls Heartbeat by the client's door and returns why that was refused.
func (c *client) heartbeat(ctx context.Context, request *cohostv1.HeartbeatRequest, answer *cohostv1.HeartbeatResponse) string {
	switch c.Door {
	case REST:
		return c.rest(ctx, http.MethodPost, "/v1/lives/"+c.Live+":heartbeat", request, answer)
	case GRPC:
		return reasonOf(c.conn.Invoke(ctx, cohostv1.CohostService_Heartbeat_FullMethodName, request, answer))
	}
	data, err := proto.Marshal(request)
	if err != nil {
		return err.Error()
	}
	m, err := c.nats.RequestWithContext(ctx, "heartbeat."+c.Live, data)
	switch {
	case err != nil:
		return Unanswered
	case m.Header.Get("Nats-Service-Error") != "":
		reason, _, _ := strings.Cut(m.Header.Get("Nats-Service-Error"), ":")
		return reason
	}
	return reasonOf(proto.Unmarshal(m.Data, answer))
}

func reasonOf(err error) string {
	if r, ok := rpc.Refusal(err); ok {
		return r.Reason
	}
	if err != nil {
		return Unanswered
	}
	return ""
}

// belong takes the live back to where it was lost from, if it was: into the connection, and then into the battles of the live that run.
func (c *client) belong(ctx context.Context, p *cohostv1.Presence) {
	if !c.rejoining.TryLock() {
		return // the sign before sees to it
	}
	defer c.rejoining.Unlock()
	if until := p.GetRejoinUntil(); until != nil && time.Now().Before(until.AsTime()) {
		c.there = false
		reason := c.rest(ctx, http.MethodPost, "/v1/lives/"+c.Live+"/cohost:rejoin", new(cohostv1.RejoinHostConnectionRequest), nil)
		if c.say(Line{Kind: Rejoin, Reason: reason}); reason != "" {
			return
		}
	}
	if c.there {
		return
	}
	var list battlev1.ListBattlesResponse
	if c.rest(ctx, http.MethodGet, "/v1/battles?live_id="+c.Live+"&status=RUNNING", nil, &list) != "" {
		return
	}
	for _, b := range list.GetBattles() {
		reason := c.rest(ctx, http.MethodPost, "/v1/battles/"+b.GetBattleId()+":rejoin", &battlev1.RejoinBattleRequest{LiveId: c.Live}, nil)
		if c.say(Line{Kind: Rejoin, Battle: b.GetBattleId(), Reason: reason}); reason != "" {
			return
		}
	}
	c.there = true
	c.say(Line{Kind: There})
}

// rest makes a call and returns why it was refused.
func (c *client) rest(ctx context.Context, method, path string, request, answer proto.Message) string {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var body []byte
	if request != nil {
		var err error
		if body, err = protojson.Marshal(request); err != nil {
			return err.Error()
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.REST+path, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Faceoff-Session", c.Session)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return Unanswered
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return Unanswered
	case response.StatusCode != http.StatusOK:
		var problem struct{ Reason string }
		if json.Unmarshal(raw, &problem) == nil && problem.Reason != "" {
			return problem.Reason
		}
		return response.Status
	case answer == nil:
		return ""
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, answer); err != nil {
		return err.Error()
	}
	return ""
}

// watch writes down all that is told of the live, but for scores, and goes on where it was when the stream breaks.
func (c *client) watch(ctx context.Context) {
	offset := ""
	for ctx.Err() == nil {
		stream, err := gatewayv1.NewGatewayServiceClient(c.conn).WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: c.Live, Offset: offset})
		for err == nil {
			var m *gatewayv1.WatchLiveResponse
			if m, err = stream.Recv(); err == nil {
				offset = m.GetOffset()
				err = c.tell(m)
			}
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (c *client) tell(m *gatewayv1.WatchLiveResponse) error {
	if m.GetConnected() == nil && m.GetCohost() == nil && m.GetBattle() == nil {
		return nil
	}
	raw, err := proto.Marshal(m)
	if err == nil {
		c.say(Line{Kind: Told, Message: raw})
	}
	return err
}
