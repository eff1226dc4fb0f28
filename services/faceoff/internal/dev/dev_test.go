package dev

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:8080": true, "[::1]:8080": true, "127.8.8.8:1": true,
		"0.0.0.0:8080": false, ":8080": false, "10.0.0.1:8080": false, "example.org:80": false, "127.0.0.1": false, "[::]:1": false,
	} {
		o := Options{HTTP: addr, GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0"}
		if err := o.Validate(); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// An outside NATS server is used if it can be asked whether it syncs, and does; or if the operator accepts the loss.
func TestOutsideServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		syncs, asked, accepted bool
		says                   string
	}{
		"syncs":                    {syncs: true, asked: true},
		"does not sync":            {asked: true, says: "sync_interval: always"},
		"does not sync, accepted":  {asked: true, accepted: true},
		"cannot be asked":          {syncs: true, says: "monitoring endpoint"},
		"cannot be asked, allowed": {syncs: true, accepted: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside, err := natsd.Start(natsd.Options{
				Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0",
				Tune: func(o *server.Options) { o.SyncAlways = c.syncs },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(outside.Shutdown)
			o := Options{
				HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0", Data: t.TempDir(),
				NATSURL: outside.ClientURL(), NATSMonitorURL: "http://127.0.0.1:1", NoFsync: c.accepted,
			}
			if c.asked {
				o.NATSMonitorURL = outside.MonitorURL()
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			serves := false
			err = Run(ctx, o, slog.New(slog.DiscardHandler), func(a Addresses) {
				serves = a.NATS == outside.ClientURL()
				stop()
			})
			if c.says == "" && (err != nil || !serves) {
				t.Errorf("it serves: %v, %v", serves, err)
			}
			if c.says != "" && (err == nil || serves || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("it serves: %v, %v", serves, err)
			}
		})
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	t.Parallel()
	o := Options{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0", Data: t.TempDir()}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var second error
	first := Run(ctx, o, slog.New(slog.DiscardHandler), func(a Addresses) {
		if a.Key != Key || !a.RedisStandIn || !strings.HasPrefix(a.HTTP, "http://127.0.0.1:") {
			t.Errorf("it serves at %v", a)
		}
		second = Run(t.Context(), o, slog.New(slog.DiscardHandler), func(Addresses) { t.Error("both serve") })
		stop()
	})
	if first != nil || second == nil || !strings.Contains(second.Error(), "in use") {
		t.Errorf("first %v, second %v", first, second)
	}
}
