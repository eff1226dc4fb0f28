package score

import (
	"errors"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Config is what an operator sets.
type Config struct {
	GRPC        string `help:"Address that gRPC is served on." default:"127.0.0.1:9103"`
	Metrics     string `help:"Private address for metrics and probes of the process; empty for none." default:""`
	NATS        string `name:"nats-url" help:"Where NATS is." default:"nats://127.0.0.1:4222"`
	NATSMonitor string `name:"nats-monitor-url" help:"Monitoring endpoint of NATS, asked at the start whether it syncs before it acknowledges." default:"http://127.0.0.1:8222"`
	NoFsync     bool   `name:"unsafe-no-fsync" help:"Run against a NATS server without sync_interval: always. A power cut loses what was acknowledged."`
	Redis       string `name:"redis-url" help:"Where Redis is." default:"redis://127.0.0.1:6379"`
	Battle      string `help:"Where battle serves gRPC." default:"dns:///127.0.0.1:9102"`

	Keys       auth.Keys `help:"API keys whose tokens are accepted, with their secrets: key=secret;key=secret." redact:""`
	SigningKey string    `help:"Which of the keys signs calls to other services; empty for the first by name." default:""`

	StreamReplicas int           `help:"Copies of each log's stream, 1, 3 or 5." default:"1"`
	LogMaxBytes    config.Bytes  `help:"How large each log may grow, 16MiB to 16TiB; the store must have room for it. Past 90 percent only what ends things is accepted. Holds for a log that does not exist yet: faceoff streams apply changes one that does." default:"256MiB"`
	SnapshotBytes  config.Bytes  `help:"How much each log grows by until its state is saved again, for the next start, up to 1TiB; 0 for 8MiB, or as much as the last snapshot has if that is more." default:"0"`
	SnapshotEvery  time.Duration `help:"Least time between two snapshots, 100ms to 24h." default:"10s"`
	Partitions     int           `help:"Number of logs, 1 to 100. Fixed when the logs are created." default:"16"`
	MaxAge         time.Duration `help:"How old a gift may be by its sent_at, 1m to 720h." default:"24h"`
	MaxAhead       time.Duration `help:"How far a gift's sent_at may be in the future, 0s to 1h." default:"5m"`
	LateWindow     time.Duration `help:"How long after the end of a battle gifts of its lives are late whenever they were sent, 0s to 1h." default:"10s"`
	MaxIDs         int           `name:"max-ids" help:"How many gift events a partition remembers, at about 200 bytes each, before it refuses new ones." default:"5000000"`
	MaxWaiting     int           `help:"How many calls of a partition may wait for lives to close, 1 to 100000." default:"1024"`
	ViewKept       time.Duration `help:"How long Redis keeps a battle after it has closed, 1m to 24h." default:"1h"`
	NATSInFlight   int           `name:"nats-in-flight" help:"How many NATS requests are decided at the same time, 1 to 65536." default:"4096"`
	NATSTimeout    time.Duration `name:"nats-timeout" help:"How long the decision of a NATS request may take, 100ms to 60s." default:"10s"`
	CallsPerSecond int           `help:"How many calls a second each host, and each member of the audience, may make to a replica, with ten seconds' worth at once; more are refused with RATE_LIMITED. At most 10000; 0 for no limit. Backends are not limited." default:"50"`
	LogLevel       string        `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

// DefaultConfig returns the defaults; keys have none.
func DefaultConfig() Config {
	return Config{
		GRPC:           "127.0.0.1:9103",
		NATS:           "nats://127.0.0.1:4222",
		NATSMonitor:    "http://127.0.0.1:8222",
		Redis:          "redis://127.0.0.1:6379",
		Battle:         "dns:///127.0.0.1:9102",
		StreamReplicas: 1,
		LogMaxBytes:    256 << 20,
		SnapshotEvery:  10 * time.Second,
		Partitions:     16,
		MaxAge:         24 * time.Hour,
		MaxAhead:       5 * time.Minute,
		LateWindow:     10 * time.Second,
		MaxIDs:         5_000_000,
		MaxWaiting:     1024,
		ViewKept:       time.Hour,
		NATSInFlight:   4096,
		NATSTimeout:    10 * time.Second,
		CallsPerSecond: rpc.DefaultCallsPerSecond,
		LogLevel:       "info",
	}
}

// Validate reports everything that is wrong with the settings.
func (c Config) Validate() error {
	return errors.Join(
		c.Keys.Validate(),
		c.checkKey(),
		within("stream-replicas", c.StreamReplicas, 1, 5),
		within("log-max-bytes", c.LogMaxBytes, 16<<20, 16<<40),
		within("snapshot-bytes", c.SnapshotBytes, 0, 1<<40),
		within("calls-per-second", c.CallsPerSecond, 0, 10_000),
		within("snapshot-every", c.SnapshotEvery, 100*time.Millisecond, 24*time.Hour),
		within("partitions", c.Partitions, 1, partition.MaxPartitions),
		within("max-age", c.MaxAge, time.Minute, 720*time.Hour),
		within("max-ahead", c.MaxAhead, 0, time.Hour),
		within("late-window", c.LateWindow, 0, time.Hour),
		within("max-ids", c.MaxIDs, 1, 1_000_000_000),
		within("max-waiting", c.MaxWaiting, 1, 100_000),
		within("view-kept", c.ViewKept, time.Minute, 24*time.Hour),
		within("nats-in-flight", c.NATSInFlight, 1, 65_536),
		within("nats-timeout", c.NATSTimeout, 100*time.Millisecond, time.Minute),
	)
}

func within[T int | config.Bytes | time.Duration](name string, value, least, most T) error {
	if value < least || value > most {
		return fmt.Errorf("%s: must be %v to %v, is %v", name, least, most, value)
	}
	return nil
}

func (c Config) checkKey() error {
	if _, ok := c.Keys[c.SigningKey]; c.SigningKey != "" && !ok {
		return fmt.Errorf("signing-key: %q is not one of the keys", c.SigningKey)
	}
	return nil
}

func (c Config) settings() score.Settings {
	return score.Settings{
		Partitions: c.Partitions,
		MaxAge:     c.MaxAge,
		MaxAhead:   c.MaxAhead,
		LateWindow: c.LateWindow,
		MaxIDs:     c.MaxIDs,
		KeepBoards: c.ViewKept,
		Rules:      rules.Book,
	}
}
