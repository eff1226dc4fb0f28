// Package rpc is how services speak gRPC: one way to make a server, one way to reach one, one place where errors become
// statuses.
//
// Every call passes the same interceptors in the same order: it is counted, its errors and panics become a status, its
// token becomes a principal, its caller must not call too often and must be of a role that may make the call, its messages
// are validated and must be about what the caller's token is for, and only then does its handler see it.
package rpc

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

// Limits of a server.
const (
	maxMessage        = 512 << 10 // bytes; 500 gifts fit
	maxHeaders        = 8 << 10   // bytes
	maxStreams        = 100_000   // at once on one connection: between services it carries everybody's streams and calls
	connectionTimeout = 5 * time.Second
	connectionAge     = 30 * time.Minute
	pingInterval      = 10 * time.Second // at most one ping of a client in this time
	silence           = time.Minute      // after which a client is asked whether it is still there
	silenceAnswer     = 20 * time.Second // and has to answer
	stopTime          = 10 * time.Second // for calls under way when the server stops
)

// CallTime is what a unary call may take that comes without a deadline.
const CallTime = 30 * time.Second

// ServerOptions of NewServer; none is required but Keys.
type ServerOptions struct {
	Log     *slog.Logger
	Keys    auth.Keys
	Metrics prometheus.Registerer
	// Unauthenticated names methods that need no token, as /package.Service/Method. The health service needs none.
	Unauthenticated []string
	// MaxStreams bounds the calls at once on one connection; 0 stands for 100,000, which suits connections between services.
	MaxStreams uint32
	// PerCaller bounds the calls of each caller; the zero value does not.
	PerCaller CallerLimit
}

// Server is a grpc.Server with the limits, interceptors and the health service that all services have.
type Server struct {
	*grpc.Server
	door   *door
	health *health.Server
	close  context.CancelFunc
}

// NewServer makes a Server. It reports SERVING from the start; see SetServing.
func NewServer(o ServerOptions) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxStreams == 0 {
		o.MaxStreams = maxStreams
	}
	closing, cancel := context.WithCancel(context.Background())
	d := &door{
		log:     o.Log,
		metrics: telemetry.RPC(o.Metrics),
		keys:    o.Keys,
		callers: newCallers(o.PerCaller),
		closing: closing,
		access:  make(map[string]*auth.Access),
		open: map[string]bool{
			healthv1.Health_Check_FullMethodName: true,
			healthv1.Health_List_FullMethodName:  true,
			healthv1.Health_Watch_FullMethodName: true,
		},
	}
	for _, method := range o.Unauthenticated {
		d.open[method] = true
	}
	s := &Server{
		door: d,
		Server: grpc.NewServer(
			grpc.ForceServerCodecV2(newCodec()),
			grpc.MaxRecvMsgSize(maxMessage),
			grpc.MaxHeaderListSize(maxHeaders),
			grpc.MaxConcurrentStreams(o.MaxStreams),
			grpc.ConnectionTimeout(connectionTimeout),
			grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: connectionAge, Time: silence, Timeout: silenceAnswer}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingInterval, PermitWithoutStream: true}),
			grpc.StreamInterceptor(d.stream),
		),
		health: health.NewServer(),
		close:  cancel,
	}
	healthv1.RegisterHealthServer(s, s.health)
	return s
}

// SetServing tells what the health service reports.
func (s *Server) SetServing(serving bool) {
	state := healthv1.HealthCheckResponse_NOT_SERVING
	if serving {
		state = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
}

// Stop ends all calls at once.
func (s *Server) Stop() {
	s.close()
	s.Server.Stop()
}

// GracefulStop ends streams, whose callers go on elsewhere, lets other calls finish for 10 s, then ends those as well.
func (s *Server) GracefulStop() {
	s.health.Shutdown()
	s.close()
	late := time.AfterFunc(stopTime, s.Server.Stop)
	defer late.Stop()
	s.Server.GracefulStop()
}

// Component serves on lis until its context ends.
func (s *Server) Component(lis net.Listener) lifecycle.Component {
	return lifecycle.Component{Name: "grpc", Run: func(ctx context.Context, ready func()) error {
		stopped := make(chan struct{})
		cancelled := context.AfterFunc(ctx, func() {
			defer close(stopped)
			s.GracefulStop()
		})
		ready()
		err := s.Serve(lis)
		if cancelled() { // Serve failed by itself
			s.Stop()
			return err
		}
		<-stopped
		return nil
	}}
}
