package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/doctor"
)

// asBinary has the test binary be the product: so services run as processes that can be stopped and killed.
const asBinary = "FACEOFF_TEST_AS_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

const (
	// partitions of score in these stacks.
	partitions = 2
	// soon is how long anything may take that should happen without help.
	soon = time.Minute
)

// processes is a stack of services, each a process of its own, on a NATS server and a stand-in for Redis in this one.
type processes struct {
	t     *testing.T
	nats  *natsd.Server
	nc    *nats.Conn
	js    natsjs.JetStream
	redis *miniredis.Miniredis

	// Where others look for them.
	battleAddr, cohostAddr, scoreAddr string

	cohost cohostv1.CohostServiceClient
	battle battlev1.BattleServiceClient
}

// newProcesses starts what services need; the services themselves are for the test to start.
func newProcesses(t *testing.T) *processes {
	t.Helper()
	server, err := natsd.Start(natsd.Options{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	p := &processes{t: t, nats: server, redis: miniredis.RunT(t), battleAddr: freeAddr(t), cohostAddr: freeAddr(t), scoreAddr: freeAddr(t)}
	if p.nc, err = natsd.Connect(server.ClientURL(), "test", slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.nc.Close)
	if p.js, err = natsjs.New(p.nc); err != nil {
		t.Fatal(err)
	}
	p.cohost = cohostv1.NewCohostServiceClient(p.dial(p.cohostAddr))
	p.battle = battlev1.NewBattleServiceClient(p.dial(p.battleAddr))
	return p
}

func freeAddr(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	return lis.Addr().String()
}

func (p *processes) dial(addr string) *grpc.ClientConn {
	p.t.Helper()
	conn, err := rpc.Dial(addr, rpc.DialOptions{Key: dev.Key, Secret: dev.Secret, Service: "test"})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// process is a service that runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a service and returns when it serves.
func (p *processes) start(service, addr string, more ...string) *process {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{service, "--grpc", addr, "--log-level", "error"}, more...)...)
	cmd.Env = append(os.Environ(), asBinary+"=1", "FACEOFF_KEYS="+dev.Key+"="+dev.Secret)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	x := &process{t: p.t, cmd: cmd, ended: make(chan struct{})}
	serves := make(chan struct{})
	go func() {
		defer close(x.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "ready ") {
				close(serves)
			}
		}
		_ = cmd.Wait()
	}()
	p.t.Cleanup(x.kill)
	select {
	case <-serves:
	case <-x.ended:
		p.t.Fatalf("%s ended", service)
	case <-time.After(soon):
		p.t.Fatalf("%s does not serve", service)
	}
	return x
}

// onNATS adds what a service needs that owns logs.
func (p *processes) onNATS(more ...string) []string {
	return append(more, "--nats-url", p.nats.ClientURL(), "--nats-monitor-url", p.nats.MonitorURL(), "--log-max-bytes", "16MiB")
}

func (p *processes) startCohost() *process {
	p.t.Helper()
	return p.start("cohost", p.cohostAddr, p.onNATS("--battle", p.battleAddr)...)
}

func (p *processes) startBattle(addr string) *process {
	p.t.Helper()
	return p.start("battle", addr, p.onNATS("--min-duration", "1s")...)
}

func (p *processes) startScore() *process {
	p.t.Helper()
	return p.start("score", p.scoreAddr, p.onNATS("--battle", p.battleAddr, "--redis-url", "redis://"+p.redis.Addr(), "--partitions", fmt.Sprint(partitions))...)
}

func (p *processes) startGateway(addr string) *process {
	p.t.Helper()
	return p.start("gateway", addr, "--http", freeAddr(p.t), "--cohost", p.cohostAddr, "--battle", p.battleAddr, "--score", p.scoreAddr)
}

func (x *process) signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

func (x *process) freeze() { x.t.Helper(); x.signal(syscall.SIGSTOP) }
func (x *process) thaw()   { x.t.Helper(); x.signal(syscall.SIGCONT) }

func (x *process) kill() {
	_ = x.cmd.Process.Kill()
	<-x.ended
}

// diagnosed runs faceoff doctor.
func (p *processes) diagnosed() (code int, report doctorReport) {
	p.t.Helper()
	code, out, complaints := execute("doctor", "--json", "--nats-url", p.nats.ClientURL(), "--nats-monitor-url", p.nats.MonitorURL(), "--partitions", fmt.Sprint(partitions))
	if code == exitBlind {
		p.t.Fatalf("doctor: %s", complaints)
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		p.t.Fatalf("doctor: %v: %s%s", err, out, complaints)
	}
	if (code == 0) != report.OK || report.OK != (len(report.Findings) == 0) {
		p.t.Fatalf("doctor: exit code %d: %s", code, out)
	}
	return code, report
}

// awaits runs faceoff doctor until it finds all of these, and nothing else but what may come with them.
func (p *processes) awaits(want []string, may ...string) doctorReport {
	p.t.Helper()
	began := time.Now()
	for {
		_, report := p.diagnosed()
		found := make(map[string]bool)
		for _, x := range report.Findings {
			found[x.Check] = true
			if !slices.Contains(want, x.Check) && !slices.Contains(may, x.Check) {
				p.t.Fatalf("found, and not true: %+v", x)
			}
		}
		if !slices.ContainsFunc(want, func(check string) bool { return !found[check] }) {
			return report
		}
		if time.Since(began) > soon {
			p.t.Fatalf("found %+v, want %v", report.Findings, want)
		}
	}
}

// recovers runs faceoff doctor until it finds nothing.
func (p *processes) recovers() {
	p.t.Helper()
	began := time.Now()
	for {
		code, report := p.diagnosed()
		if code == 0 {
			return
		}
		if time.Since(began) > soon {
			p.t.Fatalf("still found: %+v", report.Findings)
		}
	}
}

// of returns the findings of a check.
func (r doctorReport) of(check string) (all []doctor.Finding) {
	for _, x := range r.Findings {
		if x.Check == check {
			all = append(all, x)
		}
	}
	return all
}

// call makes a call until it is carried out: right after a start nobody may write yet.
func call[Q, R any](p *processes, f func(context.Context, Q, ...grpc.CallOption) (R, error), q Q) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), soon)
	defer cancel()
	r, err := f(ctx, q, grpc.WaitForReady(true))
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// lives opens lives.
func (p *processes) lives(names ...string) {
	p.t.Helper()
	for _, name := range names {
		call(p, p.cohost.CreateLive, &cohostv1.CreateLiveRequest{LiveId: name, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "u-" + name}})
	}
}

// connect opens two lives and connects them.
func (p *processes) connect(a, b string) {
	p.t.Helper()
	p.lives(a, b)
	call(p, p.cohost.RequestHostConnection, &cohostv1.RequestHostConnectionRequest{LiveId: a, TargetLiveIds: []string{b}})
	call(p, p.cohost.AcceptHostConnection, &cohostv1.AcceptHostConnectionRequest{LiveId: b, FromLiveId: a})
}

// fight requests a battle between connected lives.
func (p *processes) fight(a, b string, config *battlev1.BattleConfig, timeout int32) string {
	p.t.Helper()
	r := call(p, p.battle.RequestBattle, &battlev1.RequestBattleRequest{InviterLiveId: a, TargetLiveIds: []string{b}, Config: config, TimeoutSeconds: timeout})
	return r.GetBattle().GetBattleId()
}

// reaches waits until a battle has a status.
func (p *processes) reaches(id string, status battlev1.Battle_Status) {
	p.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; <-again.C {
		b := call(p, p.battle.GetBattle, &battlev1.GetBattleRequest{BattleId: id}).GetBattle()
		if b.GetStatus() == status {
			return
		}
		if time.Since(began) > soon {
			p.t.Fatalf("the battle is %v, not %v", b.GetStatus(), status)
		}
	}
}
