// Package health answers the probes of an orchestrator: is the gateway alive, and do the services behind it serve.
package health

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	// patience bounds the wait for a service to tell its health.
	patience = time.Second
	// freshness is how long an answer stands, so that whoever asks often does not make the services work.
	freshness = 250 * time.Millisecond
	// unreachable is the status of a service that does not answer.
	unreachable = "UNREACHABLE"
)

// report is the body of both probes.
type report struct {
	Status string            `json:"status"`
	Parts  map[string]string `json:"parts,omitempty"`
}

// Alive answers that the process is alive.
func Alive() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, report{Status: "alive"})
	})
}

// Ready answers 200 when all parts, by name, tell by gRPC's health service that they serve; else 503. The body has the
// status of each.
func Ready(parts map[string]grpc.ClientConnInterface) http.Handler { return &readiness{parts: parts} }

type readiness struct {
	parts map[string]grpc.ClientConnInterface

	mu   sync.Mutex
	last report
	at   time.Time
}

// ServeHTTP implements http.Handler.
func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	now := r.report(context.WithoutCancel(req.Context()))
	code := http.StatusOK
	if now.Status != "ready" {
		code = http.StatusServiceUnavailable
	}
	write(w, code, now)
}

// report asks all parts at once, or returns what it was told a moment ago.
func (r *readiness) report(ctx context.Context) report {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) < freshness {
		return r.last
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	type answer struct{ part, status string }
	answers := make(chan answer)
	for part, conn := range r.parts {
		go func() { answers <- answer{part, check(ctx, conn)} }()
	}
	now := report{Status: "ready", Parts: map[string]string{}}
	for range r.parts {
		a := <-answers
		now.Parts[a.part] = a.status
		if a.status != healthv1.HealthCheckResponse_SERVING.String() {
			now.Status = "not ready"
		}
	}
	r.last, r.at = now, time.Now()
	return now
}

func check(ctx context.Context, conn grpc.ClientConnInterface) string {
	answer, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return unreachable
	}
	return answer.GetStatus().String()
}

func write(w http.ResponseWriter, code int, r report) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(r)
}
