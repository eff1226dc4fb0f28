//go:build linux

package cluster

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// The services, and the names of what else runs.
const (
	Cohost  = "cohost"
	Battle  = "battle"
	Score   = "score"
	Gateway = "gateway"

	Redis   = "redis"
	NATS    = "nats"    // nodes are nats-1 and so on
	Clients = "clients" // all that comes from outside
)

// Services are all of them.
var Services = []string{Cohost, Battle, Score, Gateway}

const (
	key    = "chaos"
	secret = "a-secret-that-lives-as-long-as-a-round"
)

// Config says what is run.
type Config struct {
	Dir string // an empty directory, for all that is kept

	// The programs. Skewed is Faceoff with a clock that can be set.
	Faceoff, Skewed, NATSServer, RedisServer string

	Nodes    int      // of NATS: 1 or 3
	Replicas int      // of each service; 0: as many as package Replicas names
	CutPower bool     // each node's data is on a file system of its own
	HarmDisk bool     // the first node's disk can be slow and fail
	Skew     []string // the service replicas whose clock can be set

	Log *slog.Logger
}

// Cluster is what runs.
type Cluster struct {
	cfg   Config
	nodes []*Node
	redis *Process
	// services by name, as cohost-1.
	services map[string]*Process
	gateways []gateway
	links    []*Link
	doors    Doors
	names    *names

	ports   *ports
	link    func(from, to, listen, upstream string) (*Link, error)
	closers []func() error
}

// bootTime is how long everything may take to be ready at the start.
const bootTime = 60 * time.Second

// Start starts everything with no data, and returns when it serves.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg.Replicas = cmp.Or(cfg.Replicas, replicas)
	ports, err := claimPorts()
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, services: make(map[string]*Process), ports: ports, link: newLinks(), closers: []func() error{ports.close}}
	c.doors.Key, c.doors.Secret = key, secret
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for _, start := range []func(context.Context) error{c.startNATS, c.startRedis, c.startServices} {
		if err := start(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Doors is where clients reach it.
func (c *Cluster) Doors() Doors { return c.doors }

// NodeNames are the names of n NATS servers.
func NodeNames(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = NATS + "-" + strconv.Itoa(i+1)
	}
	return all
}

// Process returns the process of a name: cohost-1, redis, nats-1.
func (c *Cluster) Process(name string) *Process {
	if name == Redis {
		return c.redis
	}
	if p := c.services[name]; p != nil {
		return p
	}
	return c.Node(name).Process
}

// Node returns the NATS server of a name.
func (c *Cluster) Node(name string) *Node {
	return c.nodes[slices.Index(NodeNames(c.cfg.Nodes), name)]
}

// HarmedNode is the server with a Disk.
func (c *Cluster) HarmedNode() *Node { return c.nodes[0] }

// Processes are all processes.
func (c *Cluster) Processes() []*Process {
	var all []*Process
	for _, n := range c.nodes {
		all = append(all, n.Process)
	}
	all = append(all, c.redis)
	for _, service := range Services {
		for _, name := range c.Replicas(service) {
			all = append(all, c.services[name])
		}
	}
	return all
}

// Links are the links from one part to another, each named in full or by what comes before the number.
func (c *Cluster) Links(from, to string) []*Link {
	is := func(name, wanted string) bool {
		return name == wanted || strings.HasPrefix(name, wanted+"-")
	}
	var all []*Link
	for _, l := range c.links {
		if is(l.From, from) && is(l.To, to) {
			all = append(all, l)
		}
	}
	return all
}

// FlushRedis empties Redis.
func (c *Cluster) FlushRedis(ctx context.Context) error {
	return c.askRedis(func(r *redis.Client) error { return r.FlushAll(ctx).Err() })
}

func (c *Cluster) redisAnswers(ctx context.Context) error {
	return c.askRedis(func(r *redis.Client) error { return r.Ping(ctx).Err() })
}

func (c *Cluster) askRedis(do func(*redis.Client) error) error {
	client := redis.NewClient(&redis.Options{Addr: c.doors.RedisAddr, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: time.Second})
	defer client.Close()
	return do(client)
}

// Ready waits until everything serves.
func (c *Cluster) Ready(ctx context.Context) error {
	all := c.Processes()
	faults := make([]error, len(all))
	var waiting sync.WaitGroup
	for i, p := range all {
		waiting.Go(func() { faults[i] = p.Ready(ctx) })
	}
	waiting.Wait()
	return errors.Join(faults...)
}

// Dump saves what every NATS server says of itself, and has every replica of a service write to its log what each of its goroutines does,
// which ends it.
func (c *Cluster) Dump() {
	for _, n := range c.nodes {
		n.dump(c.cfg.Dir)
	}
	for _, p := range c.services {
		_ = p.Down(syscall.SIGQUIT) // one that does not end in time has written it all the same
	}
}

// Stop ends all processes, at once.
func (c *Cluster) Stop() {
	var ending sync.WaitGroup
	for _, p := range c.services {
		ending.Go(p.end)
	}
	if c.redis != nil {
		ending.Go(c.redis.end)
	}
	for _, n := range c.nodes {
		ending.Go(n.end)
	}
	ending.Wait()
}

// Close ends all processes and gives back what they were given.
func (c *Cluster) Close() error {
	c.Stop()
	for _, l := range c.links {
		l.proxy.Stop()
	}
	var err error
	for _, closer := range slices.Backward(c.closers) {
		err = errors.Join(err, closer())
	}
	c.closers = nil
	return err
}

func (c *Cluster) run(name string, ready func(context.Context) error, command func() *exec.Cmd) *Process {
	return newProcess(name, c.cfg.Dir, c.cfg.Log, ready, command)
}

// connect makes a link on a free port of loopback.
func (c *Cluster) connect(from, to, upstream string) (string, error) {
	listen, err := c.ports.address()
	if err != nil {
		return "", err
	}
	return listen, c.connectAt(from, to, listen, upstream)
}

func (c *Cluster) connectAt(from, to, listen, upstream string) error {
	l, err := c.link(from, to, listen, upstream)
	if err != nil {
		return err
	}
	c.links = append(c.links, l)
	return nil
}

func (c *Cluster) startNATS(ctx context.Context) error {
	type addresses struct{ client, monitor, route string }
	all := make([]addresses, c.cfg.Nodes)
	for i := range all {
		for _, a := range []*string{&all[i].client, &all[i].monitor, &all[i].route} {
			var err error
			if *a, err = c.ports.address(); err != nil {
				return err
			}
		}
	}
	for i, name := range NodeNames(c.cfg.Nodes) {
		var routes []string
		for j, other := range NodeNames(c.cfg.Nodes) {
			if i != j {
				at, err := c.connect(name, other, all[j].route)
				if err != nil {
					return err
				}
				routes = append(routes, "nats-route://"+at)
			}
		}
		n, err := c.newNode(name, all[i].client, all[i].monitor, all[i].route, routes)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
		door, err := c.connect(Clients, name, n.address)
		if err != nil {
			return err
		}
		c.doors.NATS = append(c.doors.NATS, "nats://"+door)
		c.doors.NATSDirect = append(c.doors.NATSDirect, "nats://"+n.address)
	}
	for _, n := range c.nodes {
		if err := n.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) startRedis(context.Context) error {
	var err error
	if c.doors.RedisAddr, err = c.ports.address(); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(c.doors.RedisAddr)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.cfg.Dir, Redis)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	c.redis = c.run(Redis, c.redisAnswers, func() *exec.Cmd {
		return exec.Command(c.cfg.RedisServer, "--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no")
	})
	return nil
}
