// Package cohost is the service that keeps lives, invitations and co-host connections.
package cohost

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/partition"
	"github.com/faceoff-live/faceoff/services/cohost/internal/rpcserver"
)

// Deps is everything outside the service, already connected.
type Deps struct {
	// NATS holds the log. Required.
	NATS *nats.Conn
	// Battle reaches battle's BattleCoordinationService with service tokens; nil if there is no battle service.
	Battle grpc.ClientConnInterface
	// Replica names this replica among those of the log; empty for a new id.
	Replica string
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Service is cohost.
type Service struct {
	cfg       Config
	d         Deps
	js        jetstream.JetStream
	metrics   *telemetry.LedgerMetrics
	server    *rpcserver.Server
	partition atomic.Pointer[partition.Partition] // set while it runs
}

// New makes the service; nothing runs yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	js, err := jetstream.New(d.NATS)
	if err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Replica == "" {
		d.Replica = ids.New()
	}
	s := &Service{cfg: cfg, d: d, js: js, metrics: telemetry.Ledger(d.Metrics)}
	s.server = rpcserver.New(rpcserver.Options{
		Partition:         s.partition.Load,
		Battle:            d.Battle,
		LeaveBattleTime:   cfg.LeaveBattleTime,
		InvitationTimeout: cfg.InvitationTimeout,
		Log:               d.Log,
	})
	return s, nil
}

// RegisterGRPC registers the service's gRPC door. Until the components are ready it answers UNAVAILABLE.
func (s *Service) RegisterGRPC(r grpc.ServiceRegistrar) {
	cohostv1.RegisterCohostServiceServer(r, s.server)
}

// Components are what has to run.
func (s *Service) Components() []lifecycle.Component {
	return []lifecycle.Component{{Name: "cohost", Run: s.run}}
}

// run opens the log and keeps it until ctx ends.
func (s *Service) run(ctx context.Context, ready func()) error {
	log, err := ledgerjs.OpenLog(ctx, s.js, partition.Name, partition.Subject, s.cfg.StreamReplicas)
	if err != nil {
		return err
	}
	lease, err := ledgerjs.NewLease(ctx, s.js, partition.Name, s.d.Replica)
	if err != nil {
		return fmt.Errorf("lease of %s: %w", partition.Name, err)
	}
	p := partition.New(partition.Options{
		Log:   log,
		Lease: lease,
		Peers: ledgerjs.NewPeers(s.d.NATS),
		Rules: cohost.Rules{
			MaxMembers: s.cfg.MaxMembers,
			MaxPending: s.cfg.MaxInvitations,
			EndedKept:  s.cfg.EndedLivesKept,
		},
		KeptNotices: s.cfg.EventsKept,
		Logger:      s.d.Log,
		Metrics:     s.metrics,
	})
	defer s.partition.Store(nil)
	return p.Run(ctx, func() {
		s.partition.Store(p)
		ready()
	})
}
