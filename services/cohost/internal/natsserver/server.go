// Package natsserver is the NATS door of the cohost service: signs of life as requests on heartbeat.<live_id>. Such a request
// carries no token: NATS itself says who may publish to heartbeat.>.
package natsserver

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

const (
	prefix = "heartbeat."
	queue  = "cohost"
	// inFlight bounds the heartbeats that are answered at the same time, and pending and pendingBytes what waits for a place;
	// what comes beyond is dropped, and is made up for by the next one.
	inFlight     = 256
	pending      = 65_536
	pendingBytes = 16 << 20
	// answerTime bounds the answer of one, and stopTime those under way when the service stops.
	answerTime = 5 * time.Second
	stopTime   = 5 * time.Second
)

// Headers of answers that are errors, as in NATS micro.
const (
	headerError     = "Nats-Service-Error"
	headerErrorCode = "Nats-Service-Error-Code"
)

// Hear takes a sign of life; see rpcserver.Server.Hear.
type Hear func(context.Context, *cohostv1.HeartbeatRequest) (*cohostv1.HeartbeatResponse, error)

// Server answers requests.
type Server struct {
	nc   *nats.Conn
	hear Hear
	log  *slog.Logger
}

// New makes a Server.
func New(nc *nats.Conn, hear Hear, log *slog.Logger) *Server {
	return &Server{nc: nc, hear: hear, log: log}
}

// Component answers requests while it runs.
func (s *Server) Component() lifecycle.Component {
	return lifecycle.Component{Name: "heartbeats by NATS", Run: s.run}
}

func (s *Server) run(ctx context.Context, ready func()) error {
	answering, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	places := make(chan struct{}, inFlight)
	sub, err := s.nc.QueueSubscribe(prefix+"*", queue, func(m *nats.Msg) {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			s.answer(answering, m)
		})
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(pending, pendingBytes); err != nil {
		return err
	}
	if err := s.nc.FlushTimeout(stopTime); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	drained := sub.StatusChanged(nats.SubscriptionClosed)
	if err := sub.Drain(); err != nil {
		s.log.Debug("heartbeats by NATS not drained", "error", err)
		stop()
	}
	defer time.AfterFunc(stopTime, stop).Stop()
	select {
	case <-drained:
	case <-answering.Done():
	}
	running.Wait()
	return nil
}

// answer takes one sign of life and replies, if somebody waits for that.
func (s *Server) answer(ctx context.Context, m *nats.Msg) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	reply := nats.NewMsg(m.Reply)
	if err := s.take(ctx, m, reply); err != nil {
		reply = nats.NewMsg(m.Reply)
		s.refuse(err, reply)
	}
	if m.Reply == "" {
		return
	}
	if err := s.nc.PublishMsg(reply); err != nil {
		s.log.Debug("heartbeat not answered", "error", err)
	}
}

func (s *Server) take(ctx context.Context, m, reply *nats.Msg) error {
	q, err := read(m)
	if err != nil {
		return err
	}
	if err := protovalidate.Validate(q.heartbeat); err != nil {
		return err
	}
	response, err := s.hear(ctx, q.heartbeat)
	if err != nil {
		return err
	}
	return q.write(response, reply)
}

// refuse says no as NATS micro does: the code that REST has for it, and `REASON: field: sentence`.
func (s *Server) refuse(err error, reply *nats.Msg) {
	st := rpc.Status(err)
	code := status.Code(st)
	if code == codes.Internal {
		s.log.Error("internal error at the NATS door", "error", err)
	}
	text := code.String()
	if r, ok := rpc.Refusal(st); ok {
		text = r.Error()
	}
	reply.Header.Set(headerErrorCode, strconv.Itoa(rpc.HTTPStatus(code)))
	reply.Header.Set(headerError, strings.Join(strings.Fields(text), " "))
}
