package battle

import (
	"errors"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Config is what an operator sets.
type Config struct {
	GRPC        string `help:"Address that gRPC is served on." default:"127.0.0.1:9102"`
	Metrics     string `help:"Private address for metrics and probes of the process; empty for none." default:""`
	NATS        string `name:"nats-url" help:"Where NATS is." default:"nats://127.0.0.1:4222"`
	NATSMonitor string `name:"nats-monitor-url" help:"Monitoring endpoint of NATS, asked at the start whether it syncs before it acknowledges." default:"http://127.0.0.1:8222"`
	NoFsync     bool   `name:"unsafe-no-fsync" help:"Run against a NATS server without sync_interval: always. A power cut loses what was acknowledged."`

	Keys auth.Keys `help:"API keys whose tokens are accepted, with their secrets: key=secret;key=secret." redact:""`

	StreamReplicas    int           `help:"Copies of the log's stream, 1, 3 or 5." default:"1"`
	LogMaxBytes       config.Bytes  `help:"How large the log may grow, 16MiB to 16TiB; the store must have room for it. Past 90 percent only what ends things is accepted. Holds for a log that does not exist yet: faceoff streams apply changes one that does." default:"1GiB"`
	EventsMaxAge      time.Duration `help:"How long the stream EVENTS keeps what others are told, 1m to 8760h. Holds for a stream that does not exist yet: faceoff streams apply changes one that does." default:"168h"`
	EventsMaxBytes    config.Bytes  `help:"How large the stream EVENTS may grow, 16MiB to 16TiB; the oldest goes. The store must have room for it. Holds for a stream that does not exist yet." default:"1GiB"`
	SnapshotBytes     config.Bytes  `help:"How much the log grows by until its state is saved again, for the next start, up to 1TiB; 0 for 8MiB, or as much as the last snapshot has if that is more." default:"0"`
	SnapshotEvery     time.Duration `help:"Least time between two snapshots, 100ms to 24h." default:"10s"`
	MinDuration       time.Duration `help:"Shortest battle; whole seconds, from 1s." default:"10s"`
	MaxDuration       time.Duration `help:"Longest battle; whole seconds, up to 24h." default:"1h"`
	DefaultDuration   time.Duration `help:"How long a battle takes when its request does not say; whole seconds." default:"5m"`
	RequestTimeout    time.Duration `help:"How long a request waits for answers when it does not say; whole seconds, 1s to 300s." default:"30s"`
	MaxRequestTimeout time.Duration `help:"Longest time that a request may wait for answers; whole seconds, 1s to 300s." default:"5m"`
	MaxTargets        int           `help:"How many lives one request may ask, 1 to 8." default:"8"`
	RequestsPerLive   int           `help:"Most battles that a live may request within a minute, 1 to 600." default:"120"`
	RequestsPerUser   int           `help:"Most battles that a user may request within a minute with all lives that it hosts, 1 to 600." default:"120"`
	MaxPunishment     time.Duration `help:"Longest punishment after a battle; whole seconds, up to 24h; 0s for none." default:"10m"`
	MaxBestOf         int           `help:"Most rounds of a series; odd, 1 to 99. 1 for single battles only." default:"9"`
	RoundInterval     time.Duration `help:"Time from the end of a round, and of its punishment, to the beginning of the next one, 0s to 1m." default:"5s"`
	StartDelay        time.Duration `help:"Time from the decision to start until gifts count, 0s to 10s." default:"300ms"`
	OpenWithin        time.Duration `help:"How long after that a battle waits for the score service to open all lives, 100ms to 1m." default:"5s"`
	ProposalTimeout   time.Duration `help:"How long a host's proposal to end a battle early, or to extend it, waits for the others' consent, 1s to 5m; whole milliseconds." default:"10s"`
	EndedBattlesKept  time.Duration `help:"How long an ended battle can still be looked up, 1m to 720h." default:"24h"`
	EventsKept        int           `help:"How many of a live's last events are kept for readers that come back, 16 to 4096." default:"256"`
	CallsPerSecond    int           `help:"How many calls a second each host, and each member of the audience, may make to a replica, with ten seconds' worth at once; more are refused with RATE_LIMITED. At most 10000; 0 for no limit. Backends are not limited." default:"50"`
	LogLevel          string        `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

// DefaultConfig returns the defaults; keys have none.
func DefaultConfig() Config {
	return Config{
		GRPC:              "127.0.0.1:9102",
		NATS:              "nats://127.0.0.1:4222",
		NATSMonitor:       "http://127.0.0.1:8222",
		StreamReplicas:    1,
		LogMaxBytes:       1 << 30,
		EventsMaxAge:      168 * time.Hour,
		EventsMaxBytes:    1 << 30,
		SnapshotEvery:     10 * time.Second,
		MinDuration:       10 * time.Second,
		MaxDuration:       time.Hour,
		DefaultDuration:   5 * time.Minute,
		RequestTimeout:    30 * time.Second,
		MaxRequestTimeout: 300 * time.Second,
		MaxTargets:        8,
		RequestsPerLive:   120,
		RequestsPerUser:   120,
		MaxPunishment:     10 * time.Minute,
		MaxBestOf:         9,
		RoundInterval:     5 * time.Second,
		StartDelay:        300 * time.Millisecond,
		OpenWithin:        5 * time.Second,
		ProposalTimeout:   10 * time.Second,
		EndedBattlesKept:  24 * time.Hour,
		EventsKept:        256,
		CallsPerSecond:    rpc.DefaultCallsPerSecond,
		LogLevel:          "info",
	}
}

// Validate reports everything that is wrong with the settings.
func (c Config) Validate() error {
	return errors.Join(
		c.Keys.Validate(),
		within("stream-replicas", c.StreamReplicas, 1, 5),
		within("log-max-bytes", c.LogMaxBytes, 16<<20, 16<<40),
		within("events-max-age", c.EventsMaxAge, time.Minute, 8760*time.Hour),
		within("events-max-bytes", c.EventsMaxBytes, 16<<20, 16<<40),
		within("snapshot-bytes", c.SnapshotBytes, 0, 1<<40),
		within("calls-per-second", c.CallsPerSecond, 0, 10_000),
		within("snapshot-every", c.SnapshotEvery, 100*time.Millisecond, 24*time.Hour),
		within("min-duration", c.MinDuration, time.Second, c.MaxDuration),
		within("max-duration", c.MaxDuration, c.MinDuration, 24*time.Hour),
		within("default-duration", c.DefaultDuration, c.MinDuration, c.MaxDuration),
		wholeSeconds("min-duration", c.MinDuration),
		wholeSeconds("max-duration", c.MaxDuration),
		wholeSeconds("default-duration", c.DefaultDuration),
		within("max-request-timeout", c.MaxRequestTimeout, time.Second, 300*time.Second),
		wholeSeconds("max-request-timeout", c.MaxRequestTimeout),
		within("request-timeout", c.RequestTimeout, time.Second, c.MaxRequestTimeout),
		wholeSeconds("request-timeout", c.RequestTimeout),
		within("max-targets", c.MaxTargets, 1, 8),
		within("requests-per-live", c.RequestsPerLive, 1, 600),
		within("requests-per-user", c.RequestsPerUser, 1, 600),
		within("max-punishment", c.MaxPunishment, 0, 24*time.Hour),
		wholeSeconds("max-punishment", c.MaxPunishment),
		within("max-best-of", c.MaxBestOf, 1, 99),
		odd("max-best-of", c.MaxBestOf),
		within("round-interval", c.RoundInterval, 0, time.Minute),
		wholeMilliseconds("round-interval", c.RoundInterval),
		within("start-delay", c.StartDelay, 0, 10*time.Second),
		wholeMilliseconds("start-delay", c.StartDelay),
		within("open-within", c.OpenWithin, 100*time.Millisecond, time.Minute),
		wholeMilliseconds("open-within", c.OpenWithin),
		within("proposal-timeout", c.ProposalTimeout, time.Second, 5*time.Minute),
		wholeMilliseconds("proposal-timeout", c.ProposalTimeout),
		within("ended-battles-kept", c.EndedBattlesKept, time.Minute, 720*time.Hour),
		within("events-kept", c.EventsKept, 16, 4096),
	)
}

func (c Config) settings() battle.Settings {
	return battle.Settings{
		MinDuration:     c.MinDuration,
		MaxDuration:     c.MaxDuration,
		DefaultDuration: c.DefaultDuration,
		MaxTimeout:      c.MaxRequestTimeout,
		DefaultTimeout:  c.RequestTimeout,
		MaxTargets:      c.MaxTargets,
		RequestsPerLive: c.RequestsPerLive,
		RequestsPerUser: c.RequestsPerUser,
		StartDelay:      c.StartDelay,
		OpenWithin:      c.OpenWithin,
		ProposalTimeout: c.ProposalTimeout,
		MaxPunishment:   c.MaxPunishment,
		MaxBestOf:       int32(c.MaxBestOf), //nolint:gosec // at most 99
		RoundInterval:   c.RoundInterval,
		KeepEnded:       c.EndedBattlesKept,
	}
}

func within[T int | config.Bytes | time.Duration](name string, value, least, most T) error {
	if value < least || value > most {
		return fmt.Errorf("%s: must be %v to %v, is %v", name, least, most, value)
	}
	return nil
}

func odd(name string, value int) error {
	if value%2 == 0 {
		return fmt.Errorf("%s: must be odd, is %d", name, value)
	}
	return nil
}

func wholeSeconds(name string, value time.Duration) error {
	if value%time.Second != 0 {
		return fmt.Errorf("%s: must be whole seconds, is %v", name, value)
	}
	return nil
}

func wholeMilliseconds(name string, value time.Duration) error {
	if value%time.Millisecond != 0 {
		return fmt.Errorf("%s: must be whole milliseconds, is %v", name, value)
	}
	return nil
}
