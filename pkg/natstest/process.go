package natstest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

// settingsKey is the environment variable by which a process of a test is a server.
const settingsKey = "FACEOFF_NATSTEST_SERVER"

// settings of a server in a process of its own.
type settings struct {
	Name      string
	Dir       string
	Addr      string
	RoutePort int
	Routes    []string
}

// Main runs the tests of a package that uses Processes; its TestMain exits with the code. In a process that Processes has
// started it is a server instead.
func Main(m *testing.M) int {
	raw := os.Getenv(settingsKey)
	if raw == "" {
		return m.Run()
	}
	if err := serve(raw); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serve runs a server until standard input ends, which it does at the latest with the process of the tests.
func serve(raw string) error {
	var s settings
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return err
	}
	var routes []*url.URL
	for _, r := range s.Routes {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: r})
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("server", s.Name)
	running, err := natsd.Start(natsd.Options{Dir: s.Dir, Addr: s.Addr, Log: log, Tune: func(o *server.Options) {
		o.ServerName = s.Name
		// One connection between two servers: of several, which both sides open, none may be left when one of them starts anew.
		o.Cluster = server.ClusterOpts{Name: "faceoff", Host: "127.0.0.1", Port: s.RoutePort, NoAdvertise: true, PoolSize: -1}
		o.Routes = routes
	}})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, "ready") // a reader that has gone has stopped this process
	_, err = io.Copy(io.Discard, os.Stdin)
	running.Shutdown()
	return err
}

// Processes are the servers of a cluster, each a process of its own. What two of them send each other goes by way of the
// tests' process, where it can be cut.
type Processes struct {
	t       testing.TB
	servers []*process
	links   map[[2]int]*link // from one server to another
}

// process is a server that can be started again on the same addresses and directory.
type process struct {
	settings
	cmd  *exec.Cmd
	stop io.Closer
	gone chan struct{} // closed when the process has ended
}

// StartProcesses starts n servers as one JetStream cluster for the length of the test. It returns when streams with n
// replicas can be made. The package's TestMain must call Main.
func StartProcesses(t testing.TB, n int) *Processes {
	t.Helper()
	ports := freePorts(t, 2*n)
	c := &Processes{t: t, links: make(map[[2]int]*link)}
	for i := range n {
		c.servers = append(c.servers, &process{settings: settings{
			Name: fmt.Sprintf("n%d", i+1), Dir: t.TempDir(), Addr: local(ports[i]), RoutePort: ports[n+i],
		}})
	}
	for from, s := range c.servers {
		for to, other := range c.servers {
			if from == to {
				continue
			}
			l := newLink(t, local(other.RoutePort))
			c.links[[2]int{from, to}] = l
			s.Routes = append(s.Routes, l.addr())
		}
	}
	for i := range n {
		c.Start(i)
		t.Cleanup(func() { c.Kill(i) })
	}
	awaitReplicas(t, c.Connect(0), n)
	return c
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Start starts server i, which must not run, and returns when it accepts connections.
func (c *Processes) Start(i int) {
	c.t.Helper()
	if err := c.servers[i].start(); err != nil {
		c.t.Fatalf("server %d: %v", i, err)
	}
}

func (p *process) start() error {
	raw, err := json.Marshal(p.settings)
	if err != nil {
		return err
	}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), settingsKey+"="+string(raw))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if p.stop, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	ready, readErr := bufio.NewReader(out).ReadString('\n')
	p.gone = make(chan struct{})
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // how it ended is the tests' doing
	}()
	if ready == "" {
		return fmt.Errorf("it does not start: %w", readErr)
	}
	return nil
}

// Kill ends server i at once, as kill -9 does.
func (c *Processes) Kill(i int) {
	_ = c.servers[i].cmd.Process.Kill() // unless it has ended
	<-c.servers[i].gone
}

// Stop ends server i in an orderly way.
func (c *Processes) Stop(i int) {
	_ = c.servers[i].stop.Close()
	<-c.servers[i].gone
}

// Pause stops server i in the middle of whatever it does, until Continue.
func (c *Processes) Pause(i int) { c.signal(i, syscall.SIGSTOP) }

// Continue lets server i go on.
func (c *Processes) Continue(i int) { c.signal(i, syscall.SIGCONT) }

func (c *Processes) signal(i int, s syscall.Signal) {
	c.t.Helper()
	if err := c.servers[i].cmd.Process.Signal(s); err != nil {
		c.t.Errorf("server %d: %v", i, err)
	}
}

// Isolate cuts server i from the others; clients still reach it.
func (c *Processes) Isolate(i int) { c.cut(i, true) }

// Rejoin ends what Isolate began.
func (c *Processes) Rejoin(i int) { c.cut(i, false) }

func (c *Processes) cut(i int, cut bool) {
	for way, l := range c.links {
		if way[0] == i || way[1] == i {
			l.set(cut)
		}
	}
}

// Dir is where server i keeps its files.
func (c *Processes) Dir(i int) string { return c.servers[i].Dir }

// Name is the name of server i in the cluster.
func (c *Processes) Name(i int) string { return c.servers[i].Name }

// Index is the server of a name; -1 if there is none.
func (c *Processes) Index(name string) int {
	for i, s := range c.servers {
		if s.Name == name {
			return i
		}
	}
	return -1
}

// Connect connects to the cluster for the length of the test, to server i as long as that can be reached.
func (c *Processes) Connect(i int) *nats.Conn {
	c.t.Helper()
	var urls []string
	for j := range c.servers {
		urls = append(urls, "nats://"+c.servers[(i+j)%len(c.servers)].Addr)
	}
	nc, err := natsd.Connect(strings.Join(urls, ","), c.t.Name(), slog.New(slog.DiscardHandler), nil, nats.DontRandomize())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	return nc
}
