// Package rpcserver is the gRPC door of cohost: it checks who may do what, makes ids, turns calls into commands and
// answers from what followed.
package rpcserver

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/partition"
)

// Options of New.
type Options struct {
	// Partition returns the log on this replica, nil as long as it is not open.
	Partition func() *partition.Partition
	// Battle reaches the battle service; nil if there is none.
	Battle grpc.ClientConnInterface
	// LeaveBattleTime is how long battle may take to let a live leave.
	LeaveBattleTime time.Duration
	// InvitationTimeout is used when a request names none; whole seconds.
	InvitationTimeout time.Duration
	// Log may be nil.
	Log *slog.Logger
}

// Server implements cohostv1.CohostServiceServer.
type Server struct {
	cohostv1.UnimplementedCohostServiceServer
	o      Options
	battle battlev1.BattleCoordinationServiceClient // nil if there is none
}

// New makes a Server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o}
	if o.Battle != nil {
		s.battle = battlev1.NewBattleCoordinationServiceClient(o.Battle)
	}
	return s
}

// partition returns the log on this replica.
func (s *Server) partition() (*partition.Partition, error) {
	if p := s.o.Partition(); p != nil {
		return p, nil
	}
	return nil, ledger.ErrUnavailable
}

// call is one command on its way from the door to the log.
type call struct {
	p *partition.Partition
	// id of the command.
	id string
	// payload is what a repeat with the same id must equal.
	payload []byte
	// live that the call is for.
	live string
	// byHost: a host itself calls, or somebody who names its session.
	byHost  bool
	session string
}

// ofLive is a request that is made for a live.
type ofLive interface {
	proto.Message
	GetLiveId() string
}

// begin reads a call's command id and fixes its payload: the method and the request as it came.
func (s *Server) begin(ctx context.Context, method string, request ofLive) (call, error) {
	p, err := s.partition()
	if err != nil {
		return call{}, err
	}
	id, err := rpc.CommandID(ctx)
	if err != nil {
		return call{}, err
	}
	session, err := rpc.Session(ctx)
	if err != nil {
		return call{}, err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return call{}, err
	}
	c := call{p: p, id: id, payload: append([]byte(method+"\n"), b...), live: request.GetLiveId(), session: session}
	principal, _ := auth.From(ctx)
	c.byHost = principal.Role == auth.Host || session != ""
	return c, nil
}

// repeated reports whether the call has its answer already, so that what goes before the command is not done again.
func (c call) repeated() (bool, error) {
	return c.p.Answered(ledger.Command[cohost.Command]{ID: c.id, Payload: c.payload})
}

// refused reports whether the host may not give commands as far as it is known here, so that nothing goes before one that will be
// refused.
func (c call) refused() bool {
	live, _ := c.p.Live(c.live)
	return c.byHost && (live.Presence.Superseded(c.session) || live.Presence.Stage == cohost.Lost)
}

func (c call) submit(ctx context.Context, command cohost.Command) (ledger.Result[cohost.Event], error) {
	if c.byHost {
		command = cohost.AsHost{LiveID: c.live, Session: c.session, Command: command}
	}
	return c.p.Submit(ctx, ledger.Command[cohost.Command]{ID: c.id, Payload: c.payload, Body: command})
}

// submit has the command of a call decided.
func (s *Server) submit(ctx context.Context, method string, request ofLive, command cohost.Command) (*partition.Partition, ledger.Result[cohost.Event], error) {
	c, err := s.begin(ctx, method, request)
	if err != nil {
		return nil, ledger.Result[cohost.Event]{}, err
	}
	result, err := c.submit(ctx, command)
	return c.p, result, err
}

func liveNotFound(id string) error {
	return es.Refuse("LIVE_NOT_FOUND", "live %s does not exist", id)
}
