// Package natsserver is the NATS door of the score service: requests on gifts.<live_id>, answered with verdicts when the
// log has them.
package natsserver

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

const (
	prefix = "gifts."
	queue  = "score"
	// pendingMessages and pendingBytes bound what waits in memory for a place; what comes beyond is dropped, and its
	// sender, who hears nothing, repeats it.
	pendingMessages = 65_536
	pendingBytes    = 64 << 20
	// stopTime is how long requests under way may take when the service stops.
	stopTime = 5 * time.Second
)

// Headers of answers that are errors, as in NATS micro.
const (
	headerError     = "Nats-Service-Error"
	headerErrorCode = "Nats-Service-Error-Code"
)

// Counter decides gifts; see partition.Set.Count.
type Counter interface {
	Count(ctx context.Context, gifts []gift.Gift) ([]*scorev1.GiftVerdict, error)
}

// Options of a Server.
type Options struct {
	// InFlight bounds the requests that are decided at the same time.
	InFlight int
	// Timeout bounds the decision of one.
	Timeout time.Duration
	Log     *slog.Logger
}

// Server answers requests.
type Server struct {
	nc      *nats.Conn
	counter Counter
	o       Options
}

// New makes a Server.
func New(nc *nats.Conn, counter Counter, o Options) *Server {
	return &Server{nc: nc, counter: counter, o: o}
}

// Component answers requests while it runs.
func (s *Server) Component() lifecycle.Component {
	return lifecycle.Component{Name: "gifts by NATS", Run: s.run}
}

func (s *Server) run(ctx context.Context, ready func()) error {
	deciding, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	places := make(chan struct{}, s.o.InFlight)
	sub, err := s.nc.QueueSubscribe(prefix+"*", queue, func(m *nats.Msg) {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			s.answer(deciding, m)
		})
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(pendingMessages, pendingBytes); err != nil {
		return err
	}
	if err := s.nc.FlushTimeout(stopTime); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	drained := sub.StatusChanged(nats.SubscriptionClosed)
	if err := sub.Drain(); err != nil {
		s.o.Log.Debug("gifts by NATS not drained", "error", err)
		stop()
	}
	defer time.AfterFunc(stopTime, stop).Stop()
	select {
	case <-drained:
	case <-deciding.Done():
	}
	running.Wait()
	return nil
}

// answer decides the gifts of one request and replies.
func (s *Server) answer(ctx context.Context, m *nats.Msg) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	reply := nats.NewMsg(m.Reply)
	if err := s.decide(ctx, m, reply); err != nil {
		reply = nats.NewMsg(m.Reply)
		s.refuse(err, reply)
	}
	if m.Reply == "" {
		return
	}
	if err := s.nc.PublishMsg(reply); err != nil {
		s.o.Log.Debug("verdict not sent; its receiver asks again", "error", err)
	}
}

func (s *Server) decide(ctx context.Context, m, reply *nats.Msg) error {
	q, err := read(m)
	if err != nil {
		return err
	}
	gifts, err := q.parse()
	if err != nil {
		return err
	}
	verdicts, err := s.counter.Count(ctx, gifts)
	if err != nil {
		return err
	}
	return q.write(verdicts, reply)
}

// refuse says no as NATS micro does: the code that REST has for it, and `REASON: field: sentence`.
func (s *Server) refuse(err error, reply *nats.Msg) {
	st := rpc.Status(err)
	code := status.Code(st)
	if code == codes.Internal {
		s.o.Log.Error("internal error at the NATS door", "error", err)
	}
	text := code.String()
	if r, ok := rpc.Refusal(st); ok {
		text = r.Error()
	}
	reply.Header.Set(headerErrorCode, strconv.Itoa(rpc.HTTPStatus(code)))
	reply.Header.Set(headerError, strings.Join(strings.Fields(text), " "))
}
