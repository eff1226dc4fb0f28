package battle_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/battle"
)

const (
	key    = "key"
	secret = "a secret of thirty-two bytes, or more"
	// patience bounds what a test waits for; nothing takes this long.
	patience = 20 * time.Second
)

// world is what is around the service: NATS, and the two services that it works with.
type world struct {
	t      *testing.T
	nats   *natsd.Server
	cohost *cohostLog
	score  *scores
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, nats: natstest.Start(t)}
	w.cohost = newCohostLog(t, w.jetstream())
	w.score = &scores{t: t, totals: map[string]int64{}}
	return w
}

func (w *world) jetstream() jetstream.JetStream {
	js, err := jetstream.New(natstest.Connect(w.t, w.nats))
	if err != nil {
		w.t.Fatal(err)
	}
	return js
}

// replica is a running battle service.
type replica struct {
	conn *grpc.ClientConn
	stop func()
}

// start starts a replica; it is stopped at the end of the test at the latest.
func (w *world) start() *replica {
	w.t.Helper()
	return w.startWith(func(*battle.Config) {})
}

// startWith is start with other settings.
func (w *world) startWith(change func(*battle.Config)) *replica {
	w.t.Helper()
	cfg := battle.DefaultConfig()
	cfg.MinDuration = time.Second
	change(&cfg)
	stores, err := ledgerjs.NewStores(natstest.Connect(w.t, w.nats), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	service, err := battle.New(cfg, battle.Deps{Stores: stores, Events: stores.Events})
	if err != nil {
		w.t.Fatal(err)
	}
	server := rpc.NewServer(rpc.ServerOptions{Keys: auth.Keys{key: secret}})
	service.RegisterGRPC(server)
	lis := bufconn.Listen(1 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 2)
	go func() { ended <- service.Components()[0].Run(ctx, func() { close(ready) }) }()
	go func() { ended <- server.Serve(lis) }()
	stop := sync.OnceFunc(func() {
		server.Stop()
		cancel()
		for range 2 {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, grpc.ErrServerStopped) {
				w.t.Errorf("the service ended: %v", err)
			}
		}
	})
	w.t.Cleanup(stop)
	select {
	case <-ready:
	case <-time.After(patience):
		w.t.Fatal("the service does not get ready")
	}
	conn, err := grpc.NewClient("passthrough:///battle", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &replica{conn: conn, stop: stop}
}

func (r *replica) battle() battlev1.BattleServiceClient {
	return battlev1.NewBattleServiceClient(r.conn)
}

func (r *replica) coordination() battlev1.BattleCoordinationServiceClient {
	return battlev1.NewBattleCoordinationServiceClient(r.conn)
}

// as returns a context for calls of a principal.
func as(t *testing.T, role auth.Role, live string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	token, err := auth.Sign(key, secret, auth.Principal{User: "u" + live, Live: live, Role: role}, time.Hour, time.Now())
	if role == auth.Service || role == auth.Admin {
		token, err = auth.Sign(key, secret, auth.Principal{User: "test", Live: auth.EveryLive, Role: role}, time.Hour, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

func host(t *testing.T, live string) context.Context {
	t.Helper()
	return as(t, auth.Host, live)
}

func refused(t *testing.T, err error, reason string) {
	t.Helper()
	if r, ok := rpc.Refusal(err); !ok || r.Reason != reason {
		t.Errorf("got %v, want refusal %s", err, reason)
	}
}

func must[T any](x T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// watcher reads what a live is told.
type watcher struct {
	t      *testing.T
	stream grpc.ServerStreamingClient[battlev1.WatchLiveResponse]
	last   int64
}

func (r *replica) watch(t *testing.T, live string, after int64) *watcher {
	t.Helper()
	stream, err := r.battle().WatchLive(as(t, auth.Audience, live), &battlev1.WatchLiveRequest{LiveId: live, AfterNumber: after})
	if err != nil {
		t.Fatal(err)
	}
	return &watcher{t: t, stream: stream, last: after}
}

func (w *watcher) snapshot() *battlev1.WatchLiveResponse_Snapshot {
	w.t.Helper()
	m, err := w.stream.Recv()
	if err != nil || m.GetSnapshot() == nil {
		w.t.Fatalf("got %v, %v; want a snapshot", m, err)
	}
	w.last = m.GetSnapshot().GetNumber()
	return m.GetSnapshot()
}

// next returns the next event, which must have the next number.
func (w *watcher) next() *battlev1.Event {
	w.t.Helper()
	m, err := w.stream.Recv()
	if err != nil || m.GetEvent().GetNumber() != w.last+1 {
		w.t.Fatalf("after %d: got %v, %v", w.last, m, err)
	}
	w.last++
	return m.GetEvent()
}

// passed takes the event that a battle has come to a phase.
func (w *watcher) passed(phase battlev1.Battle_Status) {
	w.t.Helper()
	e := w.next()
	if b := e.GetBattleStarting().GetBattle(); b.GetStatus() == phase {
		return
	}
	if b := e.GetBattleSettling().GetBattle(); b.GetStatus() != phase {
		w.t.Fatalf("told %v, want %v", e, phase)
	}
}

// cohostLog writes COHOST_00 as the cohost service does.
type cohostLog struct {
	t    *testing.T
	log  ledger.Log
	head uint64
	hash []byte
}

func newCohostLog(t *testing.T, js jetstream.JetStream) *cohostLog {
	t.Helper()
	log, err := ledgerjs.OpenLog(t.Context(), js, "COHOST_00", "log.cohost.00", 1)
	if err != nil {
		t.Fatal(err)
	}
	return &cohostLog{t: t, log: log}
}

func (c *cohostLog) append(entries ...*cohostv1.Entry) {
	c.t.Helper()
	d := &ledgerv1.Decision{AtMs: time.Now().UnixMilli()}
	for _, e := range entries {
		d.Entries = append(d.Entries, must(proto.Marshal(e))(c.t))
	}
	raw := must(proto.Marshal(&ledgerv1.Group{Version: 1, Previous: c.hash, Writer: "test", Decisions: []*ledgerv1.Decision{d}}))(c.t)
	if err := c.log.Append(c.t.Context(), c.head, raw); err != nil {
		c.t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	c.head, c.hash = c.head+1, sum[:]
}

func (c *cohostLog) connect(connection string, lives ...string) {
	c.t.Helper()
	entries := []*cohostv1.Entry{{Entry: &cohostv1.Entry_ConnectionStarted_{ConnectionStarted: &cohostv1.Entry_ConnectionStarted{ConnectionId: connection}}}}
	for _, live := range lives {
		entries = append(entries, &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{
			ConnectionId: connection, LiveId: live, Host: &userv1.User{UserId: "u" + live},
		}}})
	}
	c.append(entries...)
}

func left(connection, live string, reason cohostv1.Entry_MemberLeft_Reason) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{
		ConnectionId: connection, LiveId: live, Reason: reason,
	}}}
}

// scores stands for the score service: it reads BATTLE_00 and reports, each thing twice.
type scores struct {
	t      *testing.T
	mu     sync.Mutex
	totals map[string]int64
}

func (s *scores) set(live string, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals[live] = total
}

func (s *scores) total(live string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals[live]
}

// run reads the log from its start on and reports to a replica until the function that it returns is called.
func (s *scores) run(js jetstream.JetStream, r *replica) (stop func()) {
	s.t.Helper()
	log := must(ledgerjs.ReadLog(s.t.Context(), js, "BATTLE_00"))(s.t)
	ctx, cancel := context.WithCancel(as(s.t, auth.Service, ""))
	done := make(chan struct{})
	feed := ledger.NewFeed(log, func(b []byte) (*battlev1.Entry, error) {
		e := new(battlev1.Entry)
		return e, proto.Unmarshal(b, e)
	})
	lives := map[string][]string{}
	go func() {
		defer close(done)
		_ = feed.Run(ctx, 0, func(ctx context.Context, g ledger.Group[*battlev1.Entry]) error {
			for _, e := range g.Events {
				s.report(ctx, r.coordination(), lives, e.Event)
				s.report(ctx, r.coordination(), lives, e.Event)
			}
			return nil
		})
	}()
	return func() { cancel(); <-done }
}

func (s *scores) report(ctx context.Context, to battlev1.BattleCoordinationServiceClient, lives map[string][]string, entry *battlev1.Entry) {
	closed := func(id, live string) {
		gifters := []*battlev1.Gifter{{User: &userv1.User{UserId: "fan_of_" + live}, Points: s.total(live)}}
		s.until(ctx, func(ctx context.Context) error {
			_, err := to.ReportClosed(ctx, &battlev1.ReportClosedRequest{
				BattleId: id, LiveId: live, Total: s.total(live), TopGifters: gifters, Proof: &battlev1.ClosingProof{Partition: 3, Gifts: 1},
			})
			return err
		})
	}
	switch e := entry.GetEntry().(type) {
	case *battlev1.Entry_BattleStarting_:
		id := e.BattleStarting.GetBattleId()
		lives[id] = nil
		for _, p := range e.BattleStarting.GetParticipants() {
			lives[id] = append(lives[id], p.GetLiveId())
			s.until(ctx, func(ctx context.Context) error {
				_, err := to.ReportOpened(ctx, &battlev1.ReportOpenedRequest{BattleId: id, LiveId: p.GetLiveId(), Partition: 3, Sequence: 1})
				return err
			})
		}
	case *battlev1.Entry_UserExited_:
		closed(e.UserExited.GetBattleId(), e.UserExited.GetLiveId())
	case *battlev1.Entry_BattleEnding_:
		for _, live := range lives[e.BattleEnding.GetBattleId()] {
			closed(e.BattleEnding.GetBattleId(), live)
		}
	}
}

// until reports again, as score does, until it is answered: a replica that has ended answers nothing that was passed on to it.
func (s *scores) until(ctx context.Context, report func(context.Context) error) {
	for end := time.Now().Add(patience); ; {
		once, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		err := report(once)
		cancel()
		switch code := status.Code(err); {
		case err == nil || ctx.Err() != nil:
			return
		case code != codes.Unavailable && code != codes.DeadlineExceeded || time.Now().After(end):
			s.t.Errorf("report: %v", err)
			return
		}
	}
}
