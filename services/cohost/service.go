// Package cohost is the service that keeps lives, invitations and co-host connections.
package cohost

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsdoor"
	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/natsserver"
	"github.com/faceoff-live/faceoff/services/cohost/internal/partition"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
	"github.com/faceoff-live/faceoff/services/cohost/internal/rpcserver"
)

// Deps is everything outside the service, already connected.
type Deps struct {
	// Stores holds the log. Required.
	Stores ledger.Stores
	// Events returns where the events of a context are kept that others are told, and the mark of its log; nil if they are not told.
	Events func(log, context string) (events.Stream, ledger.Heads)
	// NATS carries signs of life: those that come by it, and from replica to replica. Nil if there is no such door, and one
	// replica only.
	NATS *nats.Conn
	// Signs carries signs of life from replica to replica instead of NATS, if it is not nil.
	Signs Carrier
	// Battle reaches battle's BattleCoordinationService with service tokens; nil if there is no battle service.
	Battle  grpc.ClientConnInterface
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
}

// Carrier takes signs of life from replica to replica. It may lose them.
type Carrier = presence.Carrier

// Logs are the logs that the service owns.
func Logs() []ledger.LogName {
	return []ledger.LogName{{Name: partition.Name, Subject: partition.Subject}}
}

// Service is cohost.
type Service struct {
	cfg       Config
	d         Deps
	metrics   *telemetry.LedgerMetrics
	server    *rpcserver.Server
	nats      *natsdoor.Server                    // nil if there is no such door
	opened    atomic.Pointer[partition.Partition] // set while it runs
	partition atomic.Pointer[partition.Partition] // set from when it is ready
}

// New makes the service; nothing runs yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Signs == nil {
		d.Signs = presence.Over(d.NATS)
	}
	s := &Service{cfg: cfg, d: d, metrics: telemetry.Ledger(d.Metrics)}
	s.server = rpcserver.New(rpcserver.Options{
		Partition:         s.partition.Load,
		Battle:            d.Battle,
		LeaveBattleTime:   cfg.LeaveBattleTime,
		InvitationTimeout: cfg.InvitationTimeout,
		Log:               d.Log,
	})
	if d.NATS != nil {
		s.nats = natsserver.New(d.NATS, s.server.Hear, d.Log)
	}
	return s, nil
}

// RegisterGRPC registers the service's gRPC door. Until the components are ready it answers UNAVAILABLE.
func (s *Service) RegisterGRPC(r grpc.ServiceRegistrar) {
	cohostv1.RegisterCohostServiceServer(r, s.server)
}

// Diagnose says how the log is on this replica.
func (s *Service) Diagnose() []*diagnosticsv1.Partition {
	if p := s.opened.Load(); p != nil {
		return []*diagnosticsv1.Partition{p.Diagnose()}
	}
	return nil
}

// Components are what has to run.
func (s *Service) Components() []lifecycle.Component {
	components := []lifecycle.Component{{Name: "cohost", Run: s.run}}
	if s.nats != nil {
		components = append(components, s.nats.Component())
	}
	return components
}

// run opens the log and keeps it until ctx ends.
func (s *Service) run(ctx context.Context, ready func()) error {
	store, err := s.d.Stores.Open(ctx, partition.Name, partition.Subject)
	if err != nil {
		return err
	}
	o := partition.Options{
		Store: store,
		Rules: cohost.Rules{
			MaxMembers: s.cfg.MaxMembers,
			MaxPending: s.cfg.MaxInvitations,
			LiveRate:   s.cfg.InvitationsPerLive,
			UserRate:   s.cfg.InvitationsPerUser,
			EndedKept:  s.cfg.EndedLivesKept,

			SessionRate:  s.cfg.SessionsPerLive,
			RejoinWithin: s.cfg.PresenceRejoinWithin,
		},
		KeptNotices: s.cfg.EventsKept,
		Presence:    s.cfg.presence(),
		Signs:       s.d.Signs,
		LeaveBattle: s.server.LetLostLeave,
		Logger:      s.d.Log,
		Metrics:     s.metrics,
		Wall:        s.d.Wall,
	}
	if s.d.Events != nil {
		stream, marks := s.d.Events(partition.Name, "cohost")
		o.Project = events.NewProjector(events.Options{
			Log:    partition.Name,
			Source: partition.Told(o, rpcserver.EventMessage),
			Stream: stream, Marks: marks, Head: store.Log.Head,
			Logger: s.d.Log, Metrics: s.metrics,
		}).Run
	}
	p := partition.New(o)
	s.opened.Store(p)
	defer s.opened.Store(nil)
	defer s.partition.Store(nil)
	return p.Run(ctx, func() {
		s.partition.Store(p)
		ready()
	})
}
