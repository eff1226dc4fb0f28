package dev

import (
	"fmt"
	"net"
	"net/netip"
)

// Options of Start.
type Options struct {
	// HTTP, GRPC and NATS are the addresses to serve on: loopback, port 0 picks a free one.
	HTTP, GRPC, NATS string
	// Data is the directory that holds everything.
	Data string
	// NATSURL is a NATS server to use instead of an own one, NATSMonitorURL its monitoring endpoint.
	NATSURL, NATSMonitorURL string
	// NoFsync accepts a NATS server that could lose what it has acknowledged.
	NoFsync bool
	// RedisURL is a Redis to use instead of the stand-in.
	RedisURL string
}

// Validate reports what cannot be: development keys are for loopback only.
func (o Options) Validate() error {
	for flag, addr := range map[string]string{"--http": o.HTTP, "--grpc": o.GRPC, "--nats": o.NATS} {
		if err := loopback(addr); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s is not a loopback address; dev has keys that everybody knows and serves nobody else", addr)
}
