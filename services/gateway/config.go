package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// Config is what an operator sets.
type Config struct {
	HTTP    string `help:"Address that REST is served on." default:"127.0.0.1:8080"`
	GRPC    string `help:"Address that gRPC is served on." default:"127.0.0.1:9090"`
	Metrics string `help:"Private address for metrics and probes of the process; empty for none." default:""`

	Cohost string `help:"Where cohost serves gRPC." default:"dns:///127.0.0.1:9101"`
	Battle string `help:"Where battle serves gRPC." default:"dns:///127.0.0.1:9102"`
	Score  string `help:"Where score serves gRPC." default:"dns:///127.0.0.1:9103"`

	Keys auth.Keys `help:"API keys whose tokens are accepted, with their secrets: key=secret;key=secret." redact:""`

	CallTimeout time.Duration `help:"How long a REST call may take at the services." default:"10s"`
	// HeartbeatPatience is at its best a sixth of cohost's --presence-renew.
	HeartbeatPatience time.Duration `help:"How long a replica of cohost may take to answer a sign of life before the next in turn is asked." default:"500ms"`
	MaxConnections    int           `help:"How many connections REST clients may hold at once; more are closed at once." default:"10000"`
	MaxWatchers       int           `help:"How many callers may watch lives at once; more are refused with RATE_LIMITED." default:"10000"`
	CallsPerSecond    int           `help:"How many calls a second each host, and each member of the audience, may make to a replica, with ten seconds' worth at once; more are refused with RATE_LIMITED. At most 10000; 0 for no limit. Backends are not limited." default:"50"`
	LogLevel          string        `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

// DefaultConfig returns the defaults; keys have none.
func DefaultConfig() Config {
	return Config{
		HTTP:              "127.0.0.1:8080",
		GRPC:              "127.0.0.1:9090",
		Cohost:            "dns:///127.0.0.1:9101",
		Battle:            "dns:///127.0.0.1:9102",
		Score:             "dns:///127.0.0.1:9103",
		CallTimeout:       10 * time.Second,
		HeartbeatPatience: 500 * time.Millisecond,
		MaxConnections:    10_000,
		MaxWatchers:       10_000,
		CallsPerSecond:    rpc.DefaultCallsPerSecond,
		LogLevel:          "info",
	}
}

// Validate reports everything that is wrong with the settings.
func (c Config) Validate() error {
	var problems []error
	if len(c.Keys) == 0 {
		problems = append(problems, errors.New("keys: there is none, so nobody could call"))
	}
	if err := c.Keys.Validate(); err != nil {
		problems = append(problems, err)
	}
	// The answer must still fit into the listener's write timeout.
	if c.CallTimeout < 100*time.Millisecond || c.CallTimeout > writeTimeout-time.Second {
		problems = append(problems, fmt.Errorf("call-timeout: must be 100ms to %v, is %v", writeTimeout-time.Second, c.CallTimeout))
	}
	if c.HeartbeatPatience < 10*time.Millisecond || c.HeartbeatPatience > time.Minute {
		problems = append(problems, fmt.Errorf("heartbeat-patience: must be 10ms to 1m, is %v", c.HeartbeatPatience))
	}
	if c.MaxConnections < 1 {
		problems = append(problems, fmt.Errorf("max-connections: must be at least 1, is %d", c.MaxConnections))
	}
	if c.CallsPerSecond < 0 || c.CallsPerSecond > 10_000 {
		problems = append(problems, fmt.Errorf("calls-per-second: must be 0 to 10000, is %d", c.CallsPerSecond))
	}
	if c.MaxWatchers < 1 {
		problems = append(problems, fmt.Errorf("max-watchers: must be at least 1, is %d", c.MaxWatchers))
	}
	return errors.Join(problems...)
}
