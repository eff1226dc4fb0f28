// Package score is the service that counts gifts, each exactly once.
package score

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsdoor"
	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/score/internal/natsserver"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/replay"
	"github.com/faceoff-live/faceoff/services/score/internal/report"
	"github.com/faceoff-live/faceoff/services/score/internal/rpcserver"
)

// Deps is everything outside the service, already connected.
type Deps struct {
	// Stores holds the logs, and that of battle. Required.
	Stores ledger.Stores
	// NATS carries gifts; nil if there is no such door.
	NATS *nats.Conn
	// Redis gets the scores; it need not be there all the time. Nil if nobody reads them there.
	Redis redis.UniversalClient
	// Battle is where openings and closings are reported; calls on it must carry a service token. Required.
	Battle  grpc.ClientConnInterface
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
}

// Logs are the logs that the service owns, one for each partition.
func Logs(partitions int) []ledger.LogName {
	var all []ledger.LogName
	for i := range partitions {
		all = append(all, ledger.LogName{Name: partition.LogName(i), Subject: partition.Subject(i)})
	}
	return all
}

// CheckPartitions makes sure that the logs, if there are any, were created with this number of partitions.
func CheckPartitions(ctx context.Context, stores ledger.Stores, partitions int) error {
	return partition.CheckCount(ctx, stores, partitions)
}

// Service is score.
type Service struct {
	set    *partition.Set
	stores ledger.Stores
	server *rpcserver.Server
	nats   *natsdoor.Server // nil if there is no such door
}

// New makes the service; nothing runs yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	set := partition.NewSet(cfg.Partitions, partition.Config{
		Settings: cfg.settings(), MaxParked: cfg.MaxWaiting, Log: d.Log, Metrics: telemetry.Ledger(d.Metrics), Wall: d.Wall,
	}, d.Metrics)
	battle := battlev1.NewBattleCoordinationServiceClient(d.Battle)
	for _, p := range set.All() {
		p.Add(report.New(p, battle, d.Log))
		if d.Redis != nil {
			p.Add(partition.NewViewed(p, d.Redis, cfg.ViewKept, d.Log))
		}
	}
	s := &Service{
		set:    set,
		stores: d.Stores,
		server: rpcserver.New(set, replay.New(d.Stores.Other, cfg.settings())),
	}
	if d.NATS != nil {
		s.nats = natsserver.New(d.NATS, set, natsserver.Options{InFlight: cfg.NATSInFlight, Timeout: cfg.NATSTimeout, Log: d.Log})
	}
	return s, nil
}

// RegisterGRPC registers the service's gRPC door. Until the components are ready it answers UNAVAILABLE.
func (s *Service) RegisterGRPC(r grpc.ServiceRegistrar) { s.server.Register(r) }

// Diagnose says how the logs are on this replica.
func (s *Service) Diagnose() []*diagnosticsv1.Partition { return s.set.Diagnose() }

// Components are what has to run, in this order.
func (s *Service) Components() []lifecycle.Component {
	components := []lifecycle.Component{
		{Name: "score partitions", Run: func(ctx context.Context, ready func()) error {
			if err := s.set.Open(ctx, s.stores); err != nil {
				return err
			}
			return s.set.Run(ctx, ready)
		}},
	}
	if s.nats != nil {
		components = append(components, s.nats.Component())
	}
	return components
}
