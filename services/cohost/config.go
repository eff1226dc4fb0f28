package cohost

import (
	"errors"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/config"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// Config is what an operator sets.
type Config struct {
	GRPC        string `help:"Address that gRPC is served on." default:"127.0.0.1:9101"`
	Metrics     string `help:"Private address for metrics and probes of the process; empty for none." default:""`
	NATS        string `name:"nats-url" help:"Where NATS is." default:"nats://127.0.0.1:4222"`
	NATSMonitor string `name:"nats-monitor-url" help:"Monitoring endpoint of NATS, asked at the start whether it syncs before it acknowledges." default:"http://127.0.0.1:8222"`
	NoFsync     bool   `name:"unsafe-no-fsync" help:"Run against a NATS server without sync_interval: always. A power cut loses what was acknowledged."`
	Battle      string `help:"Where battle serves gRPC." default:"dns:///127.0.0.1:9102"`

	Keys       auth.Keys `help:"API keys whose tokens are accepted, with their secrets: key=secret;key=secret." redact:""`
	SigningKey string    `help:"Which of the keys signs calls to other services; empty for the first by name." default:""`

	StreamReplicas           int           `help:"Copies of the log's stream, 1, 3 or 5." default:"1"`
	LogMaxBytes              config.Bytes  `help:"How large the log may grow, 16MiB to 16TiB; the store must have room for it. Past 90 percent only what ends things is accepted. Holds for a log that does not exist yet: faceoff streams apply changes one that does." default:"1GiB"`
	EventsMaxAge             time.Duration `help:"How long the stream EVENTS keeps what others are told, 1m to 8760h. Holds for a stream that does not exist yet: faceoff streams apply changes one that does." default:"168h"`
	EventsMaxBytes           config.Bytes  `help:"How large the stream EVENTS may grow, 16MiB to 16TiB; the oldest goes. The store must have room for it. Holds for a stream that does not exist yet." default:"1GiB"`
	SnapshotBytes            config.Bytes  `help:"How much the log grows by until its state is saved again, for the next start, up to 1TiB; 0 for 8MiB, or as much as the last snapshot has if that is more." default:"0"`
	SnapshotEvery            time.Duration `help:"Least time between two snapshots, 100ms to 24h." default:"10s"`
	MaxMembers               int           `help:"Most lives of one connection, 2 to 9." default:"9"`
	MaxInvitations           int           `help:"Most pending invitations of a live in each direction, 1 to 100." default:"100"`
	InvitationsPerLive       int           `help:"Most invitations that a live may send within a minute, 1 to 600." default:"120"`
	InvitationsPerUser       int           `help:"Most invitations that a user may send within a minute with all lives that it hosts, 1 to 600." default:"120"`
	SessionsPerLive          int           `help:"Most sessions of its host that may take a live over within a minute, 1 to 600; more are refused with RATE_LIMITED." default:"30"`
	InvitationTimeout        time.Duration `help:"How long an invitation waits when its request does not say; whole seconds, 1s to 300s." default:"30s"`
	EndedLivesKept           time.Duration `help:"How long an ended live can still be looked up, 1m to 24h." default:"1h"`
	PresenceRenew            time.Duration `help:"How often a host is to give a sign of life, 100ms to 1m." default:"3s"`
	PresenceUnreachableAfter time.Duration `help:"After how much silence a host is unreachable; more than two of --presence-renew, up to 10m." default:"8s"`
	PresenceGrace            time.Duration `help:"After how much more silence it is lost, and leaves its battle and its connection; --presence-renew to 10m." default:"15s"`
	PresenceEndAfter         time.Duration `help:"After how much more silence its live ends; --presence-renew to 24h." default:"60s"`
	PresenceRejoinWithin     time.Duration `help:"For how long a host that was lost and is back may rejoin its connection without asking; --presence-renew to 24h." default:"60s"`
	EventsKept               int           `help:"How many of a live's last events are kept for readers that come back, 16 to 4096." default:"256"`
	LeaveBattleTime          time.Duration `help:"How long battle may take to let a live leave before it leaves its connection, up to 1s." default:"1s"`
	CallsPerSecond           int           `help:"How many calls a second each host, and each member of the audience, may make to a replica, with ten seconds' worth at once; more are refused with RATE_LIMITED. At most 10000; 0 for no limit. Backends are not limited." default:"50"`
	LogLevel                 string        `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

// DefaultConfig returns the defaults; keys have none.
func DefaultConfig() Config {
	return Config{
		GRPC:                     "127.0.0.1:9101",
		NATS:                     "nats://127.0.0.1:4222",
		NATSMonitor:              "http://127.0.0.1:8222",
		Battle:                   "dns:///127.0.0.1:9102",
		StreamReplicas:           1,
		LogMaxBytes:              1 << 30,
		EventsMaxAge:             168 * time.Hour,
		EventsMaxBytes:           1 << 30,
		SnapshotEvery:            10 * time.Second,
		MaxMembers:               9,
		MaxInvitations:           100,
		InvitationsPerLive:       120,
		InvitationsPerUser:       120,
		SessionsPerLive:          30,
		InvitationTimeout:        30 * time.Second,
		EndedLivesKept:           time.Hour,
		PresenceRenew:            3 * time.Second,
		PresenceUnreachableAfter: 8 * time.Second,
		PresenceGrace:            15 * time.Second,
		PresenceEndAfter:         time.Minute,
		PresenceRejoinWithin:     time.Minute,
		EventsKept:               256,
		LeaveBattleTime:          time.Second,
		CallsPerSecond:           rpc.DefaultCallsPerSecond,
		LogLevel:                 "info",
	}
}

// Validate reports everything that is wrong with the settings.
func (c Config) Validate() error {
	return errors.Join(
		c.Keys.Validate(),
		c.checkKey(),
		within("stream-replicas", c.StreamReplicas, 1, 5),
		within("log-max-bytes", c.LogMaxBytes, 16<<20, 16<<40),
		within("events-max-age", c.EventsMaxAge, time.Minute, 8760*time.Hour),
		within("events-max-bytes", c.EventsMaxBytes, 16<<20, 16<<40),
		within("snapshot-bytes", c.SnapshotBytes, 0, 1<<40),
		within("calls-per-second", c.CallsPerSecond, 0, 10_000),
		within("snapshot-every", c.SnapshotEvery, 100*time.Millisecond, 24*time.Hour),
		within("max-members", c.MaxMembers, 2, 9),
		within("max-invitations", c.MaxInvitations, 1, 100),
		within("invitations-per-live", c.InvitationsPerLive, 1, 600),
		within("invitations-per-user", c.InvitationsPerUser, 1, 600),
		within("sessions-per-live", c.SessionsPerLive, 1, 600),
		within("invitation-timeout", c.InvitationTimeout, time.Second, 300*time.Second),
		wholeSeconds("invitation-timeout", c.InvitationTimeout),
		within("ended-lives-kept", c.EndedLivesKept, time.Minute, 24*time.Hour),
		c.presence().Validate(),
		within("events-kept", c.EventsKept, 16, 4096),
		within("leave-battle-time", c.LeaveBattleTime, time.Millisecond, time.Second),
	)
}

func (c Config) presence() presence.Settings {
	return presence.Settings{
		Renew: c.PresenceRenew, UnreachableAfter: c.PresenceUnreachableAfter, Grace: c.PresenceGrace, EndAfter: c.PresenceEndAfter,
		RejoinWithin: c.PresenceRejoinWithin,
	}
}

func within[T int | config.Bytes | time.Duration](name string, value, least, most T) error {
	if value < least || value > most {
		return fmt.Errorf("%s: must be %v to %v, is %v", name, least, most, value)
	}
	return nil
}

func wholeSeconds(name string, value time.Duration) error {
	if value%time.Second != 0 {
		return fmt.Errorf("%s: must be whole seconds, is %v", name, value)
	}
	return nil
}

func (c Config) checkKey() error {
	if _, ok := c.Keys[c.SigningKey]; c.SigningKey != "" && !ok {
		return fmt.Errorf("signing-key: %q is not one of the keys", c.SigningKey)
	}
	return nil
}
