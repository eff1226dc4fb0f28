//go:build linux

package cluster

import (
	"context"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// calls are the services that a service calls.
var calls = map[string][]string{Cohost: {Battle}, Score: {Battle}, Gateway: {Cohost, Battle, Score}}

// Calls are the services that a service calls.
func Calls(service string) []string { return calls[service] }

// Replicas are the names of a service's processes, where nobody says how many there are.
func Replicas(service string) []string { return replicasOf(service, replicas) }

// Replicas are the names of a service's processes.
func (c *Cluster) Replicas(service string) []string { return replicasOf(service, c.cfg.Replicas) }

func replicasOf(service string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = service + "-" + strconv.Itoa(i+1)
	}
	return all
}

// partitions of score: fewer than by default, so that each has something to do.
const partitions = 4

func (c *Cluster) startServices(ctx context.Context) error {
	var err error
	if c.names, err = newNames(replicaHosts(c.cfg.Replicas)); err != nil {
		return err
	}
	c.closers = append(c.closers, c.names.close)
	serves := make(map[string]string) // by name, where it serves gRPC
	for _, service := range Services {
		for _, name := range c.Replicas(service) {
			if serves[name], err = c.ports.address(); err != nil {
				return err
			}
		}
	}
	for _, service := range Services {
		for i, name := range c.Replicas(service) {
			if err := c.startService(service, name, i, serves); err != nil {
				return err
			}
		}
	}
	return c.Ready(ctx)
}

// startService starts a replica, with links to all that it needs.
func (c *Cluster) startService(service, name string, replica int, serves map[string]string) error {
	probes, err := c.ports.address()
	if err != nil {
		return err
	}
	args := []string{service, "--grpc", serves[name], "--metrics", probes}
	for _, more := range []func() ([]string, error){
		func() ([]string, error) { return c.toServices(service, name, serves) },
		func() ([]string, error) { return c.toLogs(service, name, replica) },
		func() ([]string, error) { return c.ofService(service, name, serves[name]) },
	} {
		flags, err := more()
		if err != nil {
			return err
		}
		args = append(args, flags...)
	}
	program, env := c.cfg.Faceoff, append(os.Environ(), "FACEOFF_KEYS="+key+"="+secret)
	if slices.Contains(c.cfg.Skew, name) {
		program, env = c.cfg.Skewed, append(env, clockVariable+"="+c.clock(name))
		if err := c.SetClock(name, 0); err != nil {
			return err
		}
	}
	c.services[name] = c.run(name, answers("http://"+probes+"/readyz"), func() *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env = env
		return cmd
	})
	return nil
}

// toServices links a replica to all replicas of the services that its service calls.
func (c *Cluster) toServices(service, name string, serves map[string]string) (flags []string, err error) {
	for _, callee := range calls[service] {
		hosts := replicaHosts(c.cfg.Replicas)
		port, err := c.ports.next(hosts...)
		if err != nil {
			return nil, err
		}
		for i, to := range c.Replicas(callee) {
			if err := c.connectAt(name, to, net.JoinHostPort(hosts[i], strconv.Itoa(port)), serves[to]); err != nil {
				return nil, err
			}
		}
		flags = append(flags, "--"+callee, c.names.target(callee, port))
	}
	return flags, nil
}

// toLogs links a replica to all NATS servers.
func (c *Cluster) toLogs(service, name string, replica int) ([]string, error) {
	if service == Gateway {
		return nil, nil
	}
	urls := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		at, err := c.connect(name, n.Name, n.address)
		if err != nil {
			return nil, err
		}
		urls[i] = "nats://" + at
	}
	return []string{
		"--nats-url", strings.Join(urls, ","), "--nats-monitor-url", "http://" + c.nodes[replica%len(c.nodes)].monitor,
		"--stream-replicas", strconv.Itoa(len(c.nodes)),
		"--snapshot-bytes", "2KiB", "--snapshot-every", "200ms", // else a round is over before there is one to start from
	}, nil
}

// ofService is what only replicas of one service have.
func (c *Cluster) ofService(service, name, grpc string) ([]string, error) {
	switch service {
	case Battle:
		// Else a round of chaos is over before a proposal lapses, or a series goes on.
		return []string{"--min-duration", "1s", "--proposal-timeout", "1s", "--round-interval", "300ms"}, nil
	case Score:
		at, err := c.connect(name, Redis, c.doors.RedisAddr)
		return []string{"--redis-url", "redis://" + at, "--partitions", strconv.Itoa(partitions)}, err
	case Gateway:
		http, err := c.ports.address()
		if err != nil {
			return nil, err
		}
		c.gateways = append(c.gateways, gateway{name, http, grpc})
		return []string{"--http", http}, c.openGateway(&c.doors, Clients, c.gateways[len(c.gateways)-1])
	}
	return nil, nil
}
