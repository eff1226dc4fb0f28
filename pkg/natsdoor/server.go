// Package natsdoor is how a service answers requests by NATS: about a live, on a subject that ends with its id, in protobuf or JSON, with
// errors as NATS micro has them. Such a request carries no token: NATS itself says who may publish there.
package natsdoor

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
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// maxPending bounds the requests that wait for a place in memory. What comes beyond, or beyond PendingBytes, is dropped; its sender, who
// hears nothing, repeats it.
const maxPending = 65_536

// stopTime is how long requests under way may take when the service stops.
const stopTime = 5 * time.Second

// Headers of answers that are errors, as in NATS micro, and of when a repeat may pass, as in HTTP.
const (
	headerError      = "Nats-Service-Error"
	headerErrorCode  = "Nats-Service-Error-Code"
	headerRetryAfter = "Retry-After"
)

// Options of a Server.
type Options struct {
	// Name of the component, as "gifts by NATS".
	Name string
	// Prefix of the subject; the live's id follows. Of the replicas in Queue one gets each request.
	Prefix, Queue string
	// Payload is the field that is at fault when a request is too large; may be empty.
	Payload string
	// MaxBytes of a request, and PendingBytes of all that wait for a place.
	MaxBytes, PendingBytes int
	// InFlight bounds the requests that are answered at the same time.
	InFlight int
	// Timeout bounds the answer of one.
	Timeout time.Duration
	Log     *slog.Logger
}

// Answer answers a request, or refuses it.
type Answer func(context.Context, *Request) (proto.Message, error)

// Server answers requests.
type Server struct {
	nc     *nats.Conn
	answer Answer
	o      Options
}

// New makes a Server.
func New(nc *nats.Conn, answer Answer, o Options) *Server {
	return &Server{nc: nc, answer: answer, o: o}
}

// Component answers requests while it runs.
func (s *Server) Component() lifecycle.Component {
	return lifecycle.Component{Name: s.o.Name, Run: s.run}
}

func (s *Server) run(ctx context.Context, ready func()) error {
	answering, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	places := make(chan struct{}, s.o.InFlight)
	sub, err := s.nc.QueueSubscribe(s.o.Prefix+"*", s.o.Queue, func(m *nats.Msg) {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			s.handle(answering, m)
		})
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(maxPending, s.o.PendingBytes); err != nil {
		return err
	}
	if err := s.nc.FlushTimeout(stopTime); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	drained := sub.StatusChanged(nats.SubscriptionClosed)
	if err := sub.Drain(); err != nil {
		s.o.Log.Debug("not drained", "door", s.o.Name, "error", err)
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

// handle answers one message, if somebody waits for that.
func (s *Server) handle(ctx context.Context, m *nats.Msg) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	reply := nats.NewMsg(m.Reply)
	if err := s.respond(ctx, m, reply); err != nil {
		reply = nats.NewMsg(m.Reply)
		s.refuse(err, reply)
	}
	if m.Reply == "" {
		return
	}
	if err := s.nc.PublishMsg(reply); err != nil {
		s.o.Log.Debug("answer not sent; its receiver asks again", "door", s.o.Name, "error", err)
	}
}

func (s *Server) respond(ctx context.Context, m, reply *nats.Msg) error {
	r, err := s.o.read(m)
	if err != nil {
		return err
	}
	answer, err := s.answer(ctx, r)
	if err != nil {
		return err
	}
	return r.write(answer, reply)
}

// refuse says no as NATS micro does: the code that REST has for it, and `REASON: field: sentence`.
func (s *Server) refuse(err error, reply *nats.Msg) {
	st := rpc.Status(err)
	code := status.Code(st)
	if code == codes.Internal {
		s.o.Log.Error("internal error at the NATS door", "door", s.o.Name, "error", err)
	}
	text := code.String()
	if r, ok := rpc.Refusal(st); ok {
		text = r.Error()
		if wait := rpc.RetryAfter(r.Reason, r.RetryAfter); wait > 0 {
			reply.Header.Set(headerRetryAfter, strconv.FormatInt(wait, 10))
		}
	}
	reply.Header.Set(headerErrorCode, strconv.Itoa(rpc.HTTPStatus(code)))
	reply.Header.Set(headerError, strings.Join(strings.Fields(text), " "))
}
