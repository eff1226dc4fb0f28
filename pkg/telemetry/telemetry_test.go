package telemetry_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

func TestLogIsOneJSONObjectALine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := telemetry.Logger(&out, "cohost", "warn")
	log.Info("too low")
	log.Warn("two\nlines", "log", "COHOST_00")
	var got map[string]any
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	delete(got, "time")
	if diff := cmp.Diff(map[string]any{"level": "WARN", "msg": "two\nlines", "service": "cohost", "log": "COHOST_00"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownLevelStandsForInfo(t *testing.T) {
	t.Parallel()
	log := telemetry.Logger(io.Discard, "cohost", "loud")
	if !log.Enabled(t.Context(), slog.LevelInfo) || log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("not info")
	}
}

// What operators build on: every name, type, help text and label.
func TestMetricsAreAsDeclared(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	l := telemetry.Ledger(reg)
	l.Stored("COHOST_00", 3, time.Millisecond)
	l.Void("COHOST_00")
	l.Unknown("COHOST_00")
	l.Writer("COHOST_00", true)
	l.Writer("COHOST_01", true)
	l.Writer("COHOST_01", false)
	l.ClockOff("COHOST_00", -1500*time.Millisecond)
	l.Size("COHOST_00", 950, 1000, true)
	l.EventsStored("COHOST_00", 1)
	l.EventsLag("COHOST_00", 7)
	r := telemetry.RPC(reg)
	r.Requests.WithLabelValues("/a/B", "OK").Inc()
	r.Seconds.WithLabelValues("/a/B").Observe(0.001)
	golden, err := os.Open("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	if err := testutil.GatherAndCompare(reg, golden); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestPartitionsShareMetrics(t *testing.T) {
	t.Parallel()
	for _, reg := range []prometheus.Registerer{
		prometheus.NewRegistry(), prometheus.WrapRegistererWith(prometheus.Labels{"x": "y"}, prometheus.NewRegistry()),
	} {
		telemetry.Ledger(reg).Stored("SCORE_00", 1, 0)
		if got := testutil.ToFloat64(telemetry.Ledger(reg).Groups); got != 1 {
			t.Errorf("got %v", got)
		}
	}
	telemetry.Ledger(nil).Stored("SCORE_00", 1, 0) // counted for nobody
}

func TestHandler(t *testing.T) {
	t.Parallel()
	var isReady bool
	h := telemetry.Handler(telemetry.NewRegistry(), func() bool { return isReady })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return w.Code, w.Body.String()
	}
	if code, body := get("/metrics"); code != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %d %s", code, body)
	}
	if code, _ := get("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("not ready: %d", code)
	}
	isReady = true
	for _, path := range []string{"/readyz", "/healthz"} {
		if code, _ := get(path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, _ := get("/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("pprof: %d", code)
	}
}

func TestServeUntilTheEnd(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	var status lifecycle.Status
	go func() {
		h := telemetry.Handler(telemetry.NewRegistry(), status.Ready)
		ended <- lifecycle.Run(ctx, slog.New(slog.DiscardHandler), time.Minute, telemetry.Serve(lis, h), status.Component())
	}()
	resp, err := http.Get("http://" + lis.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
