// Package battle is the service that keeps battles from the request to the settlement.
package battle

import (
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/battle/internal/partition"
	"github.com/faceoff-live/faceoff/services/battle/internal/rpcserver"
)

// Deps is everything outside the service, already connected.
type Deps struct {
	// NATS holds the log, and that of cohost. Required.
	NATS *nats.Conn
	// Replica names this replica among those of the log; empty for a new id.
	Replica string
	Log     *slog.Logger
	Metrics prometheus.Registerer
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
	p := partition.New(partition.Options{
		Settings:   cfg.settings(),
		KeptEvents: cfg.EventsKept,
		Open:       partition.JetStream(js, d.Replica, cfg.StreamReplicas),
		Log:        d.Log,
		Metrics:    telemetry.Ledger(d.Metrics),
	})
	return &Service{partition: p, server: rpcserver.New(p, d.Log)}, nil
}

// RegisterGRPC registers the service's gRPC door. Until the components are ready it answers UNAVAILABLE.
func (s *Service) RegisterGRPC(r grpc.ServiceRegistrar) { s.server.Register(r) }

// Components are what has to run.
func (s *Service) Components() []lifecycle.Component {
	return []lifecycle.Component{s.partition.Component()}
}
