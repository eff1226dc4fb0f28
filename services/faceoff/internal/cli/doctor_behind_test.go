package cli

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/diagnose"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

// A replica gets nothing of its log, or of the one that it reads, or has a wrong clock: each is found while the others go on.
func TestDoctorFindsWhatIsBehind(t *testing.T) {
	t.Parallel()
	p := newProcesses(t)
	var own, other gate
	p.runBattle(p.battleAddr, battle.Deps{}, gatedStores{other: &other})
	p.startCohost()
	p.startScore()
	p.connect("red", "blue")
	p.recovers()
	stop := p.runBattle(freeAddr(t), battle.Deps{}, gatedStores{own: &own})
	p.recovers()

	own.shut()
	p.reaches(p.fight("red", "blue", &battlev1.BattleConfig{DurationSeconds: 1}, 0), battlev1.Battle_ENDED)
	if r := p.awaits([]string{"replica-behind"}); len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0].What, "BATTLE_00 at ") {
		t.Errorf("a follower that gets nothing: %+v", r)
	}
	own.open()
	p.recovers()

	other.shut()
	p.lives("green")
	if r := p.awaits([]string{"reader-behind"}); len(r.Findings) != 1 || r.Findings[0].What != "BATTLE_00 of COHOST_00" {
		t.Errorf("a reader that gets nothing: %+v", r)
	}
	other.open()
	p.recovers()

	stop()
	stop = p.runBattle(freeAddr(t), battle.Deps{Wall: func() time.Time { return time.Now().Add(3 * time.Second) }}, gatedStores{})
	if r := p.awaits([]string{"clock"}); len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0].What, "battle ") {
		t.Errorf("a clock that is off: %+v", r)
	}
	stop()
	p.recovers()
}

// runBattle runs a replica of battle in this process until stop is called.
func (p *processes) runBattle(addr string, d battle.Deps, gates gatedStores) (stop func()) {
	p.t.Helper()
	nc, err := natsd.Connect(p.nats.ClientURL(), "battle", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	stores, err := jetstream.NewStores(nc, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	stores.LimitLogs(16 << 20)
	gates.Stores = stores
	d.Stores = gates
	cfg := battle.DefaultConfig()
	cfg.Keys, cfg.MinDuration = auth.Keys{dev.Key: dev.Secret}, time.Second
	service, err := battle.New(cfg, d)
	if err != nil {
		p.t.Fatal(err)
	}
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		p.t.Fatal(err)
	}
	door := rpc.NewServer(rpc.ServerOptions{Keys: cfg.Keys})
	service.RegisterGRPC(door)
	components := append([]lifecycle.Component{diagnose.Component(nc, cfg.Keys, "battle", service)}, service.Components()...)
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- lifecycle.Run(ctx, slog.New(slog.DiscardHandler), soon, append(components, door.Component(lis))...)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("battle: %v", err)
		}
		nc.Close()
	})
	p.t.Cleanup(stop)
	return stop
}

// gatedStores are stores whose logs bring nothing while a gate is shut: own is that of the service's log, other of those that
// it reads.
type gatedStores struct {
	ledger.Stores
	own, other *gate
}

// Open implements ledger.Stores.
func (s gatedStores) Open(ctx context.Context, name, subject string) (ledger.Store, error) {
	store, err := s.Stores.Open(ctx, name, subject)
	if s.own != nil {
		store.Log = gatedLog{store.Log, s.own}
	}
	return store, err
}

// Other implements ledger.Stores.
func (s gatedStores) Other(name string) ledger.Log {
	if s.other == nil {
		return s.Stores.Other(name)
	}
	return gatedLog{s.Stores.Other(name), s.other}
}

type gatedLog struct {
	ledger.Log
	gate *gate
}

// Tail implements ledger.Log.
func (l gatedLog) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	return l.Log.Tail(ctx, from, func(seq uint64, group []byte) error {
		if err := l.gate.pass(ctx); err != nil {
			return err
		}
		return handle(seq, group)
	})
}

// gate is open at first.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // closed when it opens again; nil while it is open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.closed)
	g.closed = nil
}

func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed == nil {
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
