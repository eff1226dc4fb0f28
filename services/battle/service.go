// Package battle is the service that keeps battles from the request to the settlement.
package battle

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/battle/internal/partition"
	"github.com/faceoff-live/faceoff/services/battle/internal/rpcserver"
)

// Deps is everything outside the service, already connected.
type Deps struct {
	// Stores holds the log, and that of cohost. Required.
	Stores ledger.Stores
	// Events returns where the events of a context are kept that others are told, and the mark of its log; nil if they are not told.
	Events  func(log, context string) (events.Stream, ledger.Heads)
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
}

// Logs are the logs that the service owns.
func Logs() []ledger.LogName {
	return []ledger.LogName{{Name: partition.Log, Subject: partition.Subject}}
}

// Service is battle.
type Service struct {
	partition *partition.Partition
	server    *rpcserver.Server
}

// New makes the service; nothing runs yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	p := partition.New(partition.Options{
		Settings:   cfg.settings(),
		KeptEvents: cfg.EventsKept,
		Stores:     d.Stores,
		Events:     d.Events,
		Log:        d.Log,
		Metrics:    telemetry.Ledger(d.Metrics),
		Wall:       d.Wall,
	})
	return &Service{partition: p, server: rpcserver.New(p, d.Log)}, nil
}

// RegisterGRPC registers the service's gRPC door. Until the components are ready it answers UNAVAILABLE.
func (s *Service) RegisterGRPC(r grpc.ServiceRegistrar) { s.server.Register(r) }

// Diagnose says how the log is on this replica.
func (s *Service) Diagnose() []*diagnosticsv1.Partition {
	if d := s.partition.Diagnose(); d != nil {
		return []*diagnosticsv1.Partition{d}
	}
	return nil
}

// Components are what has to run.
func (s *Service) Components() []lifecycle.Component {
	return []lifecycle.Component{s.partition.Component()}
}
