// Package natsd runs a nats-server inside the process and connects to one, with the settings that the logs depend on: what
// JetStream acknowledges is on disk, one process has a store directory, and a client never buffers a publish behind the
// caller's back.
package natsd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// maxPayload bounds one message; a group of a log takes a quarter of it at most.
const maxPayload = 1 << 20

// startTime is how long a server may take until it accepts connections; it reads its streams before that.
const startTime = 30 * time.Second

// Options of Start.
type Options struct {
	// Dir is where JetStream keeps its files. It is created if absent; one process at a time may have it.
	Dir string
	// Addr is host:port to listen on. Empty: a free port of 127.0.0.1. Port 0 picks a free one.
	Addr string
	// MonitorAddr is host:port of the monitoring endpoint; empty: none. Port 0 picks a free one.
	MonitorAddr string
	// Log gets the server's warnings and errors; nil drops them.
	Log *slog.Logger
	// Tune changes the server's own options before it starts.
	Tune func(*server.Options)
}

// Server is a nats-server inside this process.
type Server struct {
	nats   *server.Server
	unlock func()
	once   sync.Once
}

// Start starts a server and returns when it accepts connections.
func Start(o Options) (*Server, error) {
	options, err := o.serverOptions()
	if err != nil {
		return nil, err
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(options)
	if err != nil {
		unlock()
		return nil, fmt.Errorf("nats-server: %w", err)
	}
	log := newLogger(o.Log)
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	started := &Server{nats: s, unlock: unlock}
	switch {
	case log.fault() != "":
		err = fmt.Errorf("nats-server: %s", log.fault())
	case !s.ReadyForConnections(startTime):
		err = fmt.Errorf("nats-server did not start within %v", startTime)
	default:
		return started, nil
	}
	started.Shutdown()
	return nil, err
}

func (o Options) serverOptions() (*server.Options, error) {
	if o.Dir == "" {
		return nil, errors.New("nats-server needs a store directory")
	}
	options := &server.Options{
		JetStream:              true,
		StoreDir:               o.Dir,
		SyncAlways:             true,
		MaxPayload:             maxPayload,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	}
	var err error
	if options.Host, options.Port, err = hostPort(o.Addr); err != nil {
		return nil, err
	}
	if o.MonitorAddr != "" {
		if options.HTTPHost, options.HTTPPort, err = hostPort(o.MonitorAddr); err != nil {
			return nil, err
		}
	}
	if o.Tune != nil {
		o.Tune(options)
	}
	return options, nil
}

func hostPort(addr string) (string, int, error) {
	if addr == "" {
		return "127.0.0.1", server.RANDOM_PORT, nil
	}
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("address of nats-server: %w", err)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("address of nats-server: port %q is not a number up to 65535", p)
	case port == 0:
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}

// lock takes the store directory for this process.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("store directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store directory: %w", err)
	}
	if err := flock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("store directory %s is in use by another nats-server; stop that one or choose another directory: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil // gives the lock up
}

// ClientURL is where clients connect.
func (s *Server) ClientURL() string { return s.nats.ClientURL() }

// MonitorURL is the base of the monitoring endpoint; empty if there is none.
func (s *Server) MonitorURL() string {
	if a := s.nats.MonitorAddr(); a != nil {
		return "http://" + a.String()
	}
	return ""
}

// InProcess connects without a socket, with the settings of Connect.
func (s *Server) InProcess(more ...nats.Option) (*nats.Conn, error) {
	o := append(clientOptions("in-process", slog.New(slog.DiscardHandler), nil), nats.InProcessServer(s.nats))
	return nats.Connect("", append(o, more...)...)
}

// Shutdown stops the server and gives its directory up when all is written.
func (s *Server) Shutdown() {
	s.once.Do(func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		s.unlock()
	})
}
