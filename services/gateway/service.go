// Package gateway is the edge of Faceoff: REST, gRPC and one live view over all services for those outside. It decides
// nothing and stores nothing.
package gateway

import (
	"log/slog"
	"maps"
	"net"
	"net/http"

	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"

	"github.com/faceoff-live/faceoff/services/gateway/internal/asyncapi"
	"github.com/faceoff-live/faceoff/services/gateway/internal/health"
	"github.com/faceoff-live/faceoff/services/gateway/internal/openapi"
	"github.com/faceoff-live/faceoff/services/gateway/internal/proxy"
	"github.com/faceoff-live/faceoff/services/gateway/internal/rest"
	"github.com/faceoff-live/faceoff/services/gateway/internal/watch"
)

// Deps is everything outside the gateway, already there.
type Deps struct {
	Log *slog.Logger
	// Cohost, Battle and Score lead to the services. The gateway forwards its callers' tokens, so these must not add any.
	Cohost, Battle, Score grpc.ClientConnInterface
	// HTTP is what REST is served on; nil when somebody else serves Handler.
	HTTP net.Listener
	// Pages are further paths that are served to everybody, by GET; may be nil.
	Pages map[string]http.Handler
}

// Service is the gateway.
type Service struct {
	cfg   Config
	d     Deps
	watch *watch.Server
	rest  *rest.Handler
}

// New makes the gateway.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	own := map[string]http.Handler{
		"/healthz": health.Alive(),
		"/readyz": health.Ready(map[string]grpc.ClientConnInterface{
			"cohost": d.Cohost, "battle": d.Battle, "score": d.Score,
		}),
		"/openapi.json":  openapi.Handler(),
		"/asyncapi.json": asyncapi.Handler(),
	}
	maps.Copy(own, d.Pages)
	watcher := watch.NewServer(watch.Options{
		Log: d.Log, Cohost: d.Cohost, Battle: d.Battle, Score: d.Score, MaxWatchers: cfg.MaxWatchers,
	})
	handler, err := rest.New(rest.Options{
		Log:    d.Log,
		Cohost: d.Cohost, Battle: d.Battle, Score: d.Score, Gateway: watcher,
		Keys:        cfg.Keys,
		CallTimeout: cfg.CallTimeout,
	}, own)
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, d: d, watch: watcher, rest: handler}, nil
}

// Handler serves REST. It must see paths as they came: no mux in front of it may clean them.
func (s *Service) Handler() http.Handler { return s.rest }

// RegisterGRPC registers the gateway's own service, and all public services as a proxy to where they are served.
func (s *Service) RegisterGRPC(r grpc.ServiceRegistrar) {
	gatewayv1.RegisterGatewayServiceServer(r, s.watch)
	conns := map[string]grpc.ClientConnInterface{
		"CohostService": s.d.Cohost, "BattleService": s.d.Battle, "ScoreService": s.d.Score,
	}
	for _, service := range rest.Services() {
		if conn := conns[string(service.Name())]; conn != nil {
			proxy.Register(r, service, conn)
		}
	}
}

// Components are what has to run: the REST listener, if the gateway has one.
func (s *Service) Components() []lifecycle.Component {
	if s.d.HTTP == nil {
		return nil
	}
	return []lifecycle.Component{s.serveHTTP()}
}
