package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
)

// Handler serves /metrics, /healthz (always 200) and /readyz (200 when ready says so, else 503). It is for a private
// listener: it asks nobody for a token.
func Handler(reg *prometheus.Registry, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	return mux
}

// Serve is the component that serves a Handler on the private listener.
func Serve(lis net.Listener, h http.Handler) lifecycle.Component {
	return lifecycle.Component{Name: "telemetry", Run: func(ctx context.Context, ready func()) error {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second}
		defer context.AfterFunc(ctx, func() { _ = s.Close() })()
		ready()
		if err := s.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}}
}
