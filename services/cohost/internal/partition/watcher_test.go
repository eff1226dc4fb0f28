package partition

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// writing runs a partition that writes a log in memory, with a live "a" whose host was heard once.
func writing(t *testing.T, nc *nats.Conn, s presence.Settings) (p *Partition, stop func()) {
	t.Helper()
	p = New(Options{
		Store: ledger.Store{Log: memory.NewLog(), Lease: memory.NewLease("r1"), Peers: memory.NewPeers()}, KeptNotices: 16, Presence: s, Signs: presence.Over(nc),
		Rules: cohost.Rules{MaxMembers: 3, MaxPending: 5, LiveRate: 5, UserRate: 5, SessionRate: 5, EndedKept: time.Hour},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- p.Run(ctx, func() { close(ready) }) }()
	<-ready
	p.do(t, cohost.CreateLive{LiveID: "a", Kind: cohost.Video, Host: cohost.User{ID: "u"}})
	if _, err := p.Hear(ctx, "a", ""); err != nil {
		t.Fatal(err)
	}
	return p, func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func (p *Partition) do(t *testing.T, c cohost.Command) {
	t.Helper()
	if _, err := p.Submit(t.Context(), ledger.Command[cohost.Command]{Body: c}); err != nil {
		t.Fatal(err)
	}
}

func (p *Partition) stage(id string) cohost.Stage {
	live, _ := p.Live(id)
	return live.Presence.Stage
}

var times = presence.Settings{Renew: 3 * time.Second, UnreachableAfter: 8 * time.Second, Grace: 15 * time.Second, EndAfter: time.Minute}

// TestLateTick: a replica that was held up for longer than it may knows nobody's silence; up to that it does.
func TestLateTick(t *testing.T) {
	t.Parallel()
	for late, restarts := range map[time.Duration]bool{
		times.Deaf() - time.Millisecond: false, times.Deaf(): false, times.Deaf() + time.Millisecond: true, time.Hour: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			p, stop := writing(t, nil, times)
			defer stop()
			heard := time.Now()
			<-time.After(times.UnreachableAfter / 2)
			w := newWatcher(p)
			defer w.running.Wait()
			w.last = time.Now().Add(-late)
			w.tick(t.Context(), time.Now())
			<-time.After(time.Until(heard.Add(times.UnreachableAfter + 2*times.Tick())))
			want := cohost.Unreachable
			if restarts {
				want = cohost.Present
			}
			if got := p.stage("a"); got != want {
				t.Errorf("held up for %v: stage %v, want %v", late, got, want)
			}
		})
	}
}

// TestSilenceThatIsNotCounted: that a host is silent is seen by doctor, too, when the counts are started anew all the time, and it never
// becomes unreachable.
func TestSilenceThatIsNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, stop := writing(t, nil, times)
		defer stop()
		began := time.Now()
		for time.Since(began) < times.UnreachableAfter {
			if found := p.Diagnose().GetWaiting(); len(found) > 0 {
				t.Fatalf("after %v: %v", time.Since(began), found)
			}
			p.leases.Restart(time.Now())
			<-time.After(time.Second)
		}
		p.leases.Restart(time.Now())
		<-time.After(time.Second)
		if got := p.stage("a"); got != cohost.Present {
			t.Fatalf("stage %v", got)
		}
		found := p.Diagnose().GetWaiting()
		if len(found) != 1 || found[0].GetKind() != diagnosticsv1.Waiting_HOST || found[0].GetId() != "a" || !found[0].GetSince().AsTime().Equal(began.Add(times.UnreachableAfter)) {
			t.Errorf("found %v", found)
		}
		if _, err := p.Hear(t.Context(), "a", ""); err != nil {
			t.Fatal(err)
		}
		if found := p.Diagnose().GetWaiting(); len(found) > 0 {
			t.Errorf("heard again: %v", found)
		}
	})
}

// apart is a log whose head does not answer a replica for a while.
type apart struct {
	ledger.Log
	cut atomic.Bool
}

func (l *apart) Head(ctx context.Context) (uint64, error) {
	if l.cut.Load() {
		return 0, errors.New("no answer")
	}
	return l.Log.Head(ctx)
}

// TestApartFromTheLog: a replica that does not write, and is cut off from the log together with its server, hears itself and nobody
// else; it refuses signs of life as long, for the host to go to another.
func TestApartFromTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, leases, peers := memory.NewLog(), memory.NewLeases(), memory.NewPeers()
		start := func(name string, log ledger.Log) (*Partition, func()) {
			p := New(Options{
				Store: ledger.Store{Log: log, Lease: leases.Lease(Name, name), Peers: peers}, KeptNotices: 16, Presence: times,
				Rules: cohost.Rules{MaxMembers: 3, MaxPending: 5, LiveRate: 5, UserRate: 5, SessionRate: 5, EndedKept: time.Hour},
			})
			ctx, cancel := context.WithCancel(context.Background())
			ready, done := make(chan struct{}), make(chan error, 1)
			go func() { done <- p.Run(ctx, func() { close(ready) }) }()
			<-ready
			return p, func() { cancel(); <-done }
		}
		writer, stop := start("r1", log)
		defer stop()
		writer.do(t, cohost.CreateLive{LiveID: "a", Kind: cohost.Video, Host: cohost.User{ID: "u"}})
		cut := &apart{Log: log}
		other, stopOther := start("r2", cut)
		defer stopOther()
		hear := func(p *Partition) error {
			_, err := p.Hear(t.Context(), "a", "")
			return err
		}
		<-time.After(times.Deaf())
		if err := hear(other); err != nil || other.ledger.Writes() {
			t.Fatalf("answers: %v", err)
		}
		cut.cut.Store(true)
		<-time.After(times.Deaf() + 4*times.Tick())
		if err := hear(other); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("cut off from the log: %v", err)
		}
		if err := hear(writer); err != nil {
			t.Errorf("at the writer: %v", err)
		}
		cut.cut.Store(false)
		<-time.After(4 * times.Tick()) // one asks, the next one knows
		if err := hear(other); err != nil {
			t.Errorf("answers again: %v", err)
		}
	})
}

// TestLastWord: a host that is heard before the decision is not decided to be silent, whoever asks for it.
func TestLastWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, stop := writing(t, nil, times)
		defer stop()
		p.do(t, cohost.MissHost{LiveID: "a", Stage: cohost.Present})
		if got := p.stage("a"); got != cohost.Present {
			t.Errorf("stage %v", got)
		}
	})
}

// TestGivenUp: a sign of life whose sender waits for no answer any more renews nothing.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, stop := writing(t, nil, times)
		defer stop()
		<-time.After(times.UnreachableAfter / 2)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Hear(gone, "a", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("answered: %v", err)
		}
		<-time.After(times.UnreachableAfter/2 + 2*times.Tick())
		if got := p.stage("a"); got != cohost.Unreachable {
			t.Errorf("stage %v", got)
		}
	})
}

// valve lets nothing come in while it is shut.
type valve struct {
	mu sync.Mutex
}

// Dial implements nats.CustomDialer.
func (v *valve) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return &valved{conn, v}, err
}

type valved struct {
	net.Conn
	valve *valve
}

func (c *valved) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.valve.mu.Lock()
	defer c.valve.mu.Unlock()
	return n, err
}

// TestDeafReplica: a replica to which nothing comes, although its connection seems to stand and its log answers, takes nobody's
// silence for real; it refuses signs of life, which another may be to count by now; once it hears again silence counts from then on.
func TestDeafReplica(t *testing.T) {
	t.Parallel()
	s := presence.Settings{Renew: 300 * time.Millisecond, UnreachableAfter: time.Second, Grace: time.Second, EndAfter: time.Hour}
	server := natstest.Start(t)
	v := new(valve)
	nc, err := natsd.Connect(server.ClientURL(), t.Name(), slog.New(slog.DiscardHandler), nil, nats.SetCustomDialer(v))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	p, stop := writing(t, nc, s)
	defer stop()

	other := natstest.Connect(t, server)
	sign, err := proto.Marshal(&cohostv1.HeartbeatRequest{LiveId: "a"})
	if err != nil {
		t.Fatal(err)
	}
	beats := func(n int) {
		every := time.NewTicker(s.Renew)
		defer every.Stop()
		for range n {
			<-every.C
			if err := other.Publish("presence."+Name+".sign", sign); err != nil {
				t.Error(err)
			}
		}
	}
	beats(5)
	v.mu.Lock() // for 3 s, less than a connection takes to be given up
	beats(10)
	if !p.ear.Cut() {
		t.Error("a replica that hears nothing does not know it")
	}
	if _, err := p.Hear(t.Context(), "a", ""); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("deaf, and hears a host: %v", err)
	}
	if got := p.stage("a"); got != cohost.Present {
		t.Errorf("deaf: stage %v", got)
	}
	v.mu.Unlock()
	beats(5)
	if got := p.stage("a"); got != cohost.Present || p.ear.Cut() {
		t.Errorf("hears again: stage %v, cut off: %v", got, p.ear.Cut())
	}
	sub, _, ok := p.Watch("a", 0)
	if !ok {
		t.Fatal("cannot be watched")
	}
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, n, err := sub.Next(ctx); err != nil || n.News != (cohost.Silent{LiveID: "a", Host: cohost.User{ID: "u"}}) {
		t.Errorf("silent at last: %v, %v", n, err)
	}
}
