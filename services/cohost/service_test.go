package cohost_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/config"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost"
)

var keys = auth.Keys{"test": "a secret of more than thirty-two bytes"}

// start runs a replica of cohost on its own gRPC server until stop is called.
func start(t *testing.T, server *natsd.Server) (client cohostv1.CohostServiceClient, stop func()) {
	t.Helper()
	return startWith(t, server, func(*ledgerjs.Stores, *cohost.Deps) {})
}

// startWith is start with changes to what the service is given.
func startWith(t *testing.T, server *natsd.Server, change func(*ledgerjs.Stores, *cohost.Deps)) (client cohostv1.CohostServiceClient, stop func()) {
	t.Helper()
	return startOn(t, natstest.Connect(t, server), cohost.DefaultConfig(), change)
}

// startOn is startWith with a connection of its own and other settings.
func startOn(t *testing.T, nc *nats.Conn, cfg cohost.Config, changes ...func(*ledgerjs.Stores, *cohost.Deps)) (client cohostv1.CohostServiceClient, stop func()) {
	t.Helper()
	stores, err := ledgerjs.NewStores(nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	deps := cohost.Deps{Stores: stores, Events: stores.Events, NATS: nc}
	for _, change := range changes {
		change(stores, &deps)
	}
	service, err := cohost.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	server := rpc.NewServer(rpc.ServerOptions{Keys: keys})
	service.RegisterGRPC(server)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	done := make(chan error, 1)
	last := lifecycle.Component{Name: "test", Run: func(ctx context.Context, told func()) error {
		told()
		close(ready)
		<-ctx.Done()
		return nil
	}}
	go func() {
		components := append(service.Components(), server.Component(lis), last)
		done <- lifecycle.Run(ctx, slog.New(slog.DiscardHandler), 10*time.Second, components...)
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatalf("cohost stopped: %v", err)
	}
	conn, err := rpc.Dial(lis.Addr().String(), rpc.DialOptions{Key: "test", Secret: keys["test"], Service: "backend"})
	if err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("cohost stopped: %v", err)
		}
	}
	return cohostv1.NewCohostServiceClient(conn), stop
}

// patiently bounds what a test waits for.
func patiently(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](response T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
}

func create(ctx context.Context, t *testing.T, c cohostv1.CohostServiceClient, ids ...string) {
	t.Helper()
	for _, id := range ids {
		must(c.CreateLive(ctx, &cohostv1.CreateLiveRequest{LiveId: id, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "u-" + id}}))(t)
	}
}

func request(live, target string) *cohostv1.RequestHostConnectionRequest {
	return &cohostv1.RequestHostConnectionRequest{LiveId: live, TargetLiveIds: []string{target}, TimeoutSeconds: 1}
}

func accept(live, from string) *cohostv1.AcceptHostConnectionRequest {
	return &cohostv1.AcceptHostConnectionRequest{LiveId: live, FromLiveId: from}
}

// state reads a live's state but for the time of reading.
func state(ctx context.Context, t *testing.T, c cohostv1.CohostServiceClient, live string) *cohostv1.CoHostState {
	t.Helper()
	s := must(c.GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: live}))(t).GetState()
	s.ServerNow = nil
	return s
}

// next reads the next event of a watched live.
func next(t *testing.T, w grpc.ServerStreamingClient[cohostv1.WatchLiveResponse]) *cohostv1.Event {
	t.Helper()
	r := must(w.Recv())(t)
	if r.GetEvent() == nil {
		t.Fatalf("got %v, want an event", r)
	}
	return r.GetEvent()
}

func TestRestart(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	ctx := patiently(t)
	client, stop := start(t, server)

	create(ctx, t, client, "a", "b", "c")
	must(client.RequestHostConnection(ctx, request("a", "b")))(t)
	accepted := metadata.AppendToOutgoingContext(ctx, "idempotency-key", "k1")
	must(client.AcceptHostConnection(accepted, accept("b", "a")))(t)
	must(client.RequestHostConnection(ctx, request("a", "c")))(t)
	before := map[string]*cohostv1.CoHostState{}
	for _, live := range []string{"a", "b"} {
		before[live] = state(ctx, t, client, live)
	}
	if n := len(before["b"].GetConnected()); n != 2 {
		t.Fatalf("%d connected: %v", n, before["b"])
	}
	stop()

	client, stop = start(t, server)
	defer stop()
	before["a"].Invitees = nil // may time out at any moment
	for live, want := range before {
		got := state(ctx, t, client, live)
		got.Invitees = nil
		if !proto.Equal(want, got) {
			t.Errorf("%s after the restart:\n got %v\nwant %v", live, got, want)
		}
	}
	must(client.AcceptHostConnection(accepted, accept("b", "a")))(t) // a repeat gets the first answer
	_, err := client.AcceptHostConnection(ctx, accept("b", "a"))
	if refusal, _ := rpc.Refusal(err); refusal == nil || refusal.Reason != "INVITATION_ENDED" {
		t.Errorf("accepted anew: %v", err)
	}
	watch := must(client.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: "c", AfterNumber: 1}))(t)
	if e := next(t, watch); e.GetNumber() != 2 || e.GetCoHostRequestTimeout().GetInviter().GetLiveId() != "a" {
		t.Errorf("the invitation from before the restart: %v", e)
	}
}

func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	ctx := patiently(t)
	one, stopOne := start(t, server)
	two, stopTwo := start(t, server)
	defer stopTwo()

	create(ctx, t, one, "a")
	create(ctx, t, two, "b")
	must(two.RequestHostConnection(ctx, request("b", "a")))(t)
	watch := must(two.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: "b", AfterNumber: 1}))(t)
	must(one.AcceptHostConnection(ctx, accept("a", "b")))(t)
	if e := next(t, watch); e.GetCoHostRequestAccepted() == nil || e.GetNumber() != 2 {
		t.Errorf("the other replica tells %v", e)
	}
	stopOne()
	s := must(two.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: "a"}))(t).GetState()
	if s.GetStatus() != cohostv1.CoHostState_DISCONNECTED {
		t.Errorf("after the first replica is gone: %v", s)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	var cfg cohost.Config
	if _, err := config.Parse("cohost", &cfg, nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cohost.DefaultConfig(), cfg); diff != "" {
		t.Errorf("defaults of the tags (-DefaultConfig +tags):\n%s", diff)
	}
	for name, spoil := range map[string]func(*cohost.Config){
		"API key":              func(c *cohost.Config) { c.Keys = auth.Keys{"k": "short"} },
		"signing-key":          func(c *cohost.Config) { c.SigningKey = "none" },
		"stream-replicas":      func(c *cohost.Config) { c.StreamReplicas = 0 },
		"max-members":          func(c *cohost.Config) { c.MaxMembers = 10 },
		"max-invitations":      func(c *cohost.Config) { c.MaxInvitations = 0 },
		"invitation-timeout":   func(c *cohost.Config) { c.InvitationTimeout = 1500 * time.Millisecond },
		"invitations-per-live": func(c *cohost.Config) { c.InvitationsPerLive = 0 },
		"invitations-per-user": func(c *cohost.Config) { c.InvitationsPerUser = 601 },
		"sessions-per-live":    func(c *cohost.Config) { c.SessionsPerLive = 601 },
		"ended-lives-kept":     func(c *cohost.Config) { c.EndedLivesKept = 0 },
		"presence-renew":       func(c *cohost.Config) { c.PresenceRenew = time.Millisecond },
		"presence-unreachable": func(c *cohost.Config) { c.PresenceUnreachableAfter = 6 * time.Second },
		"presence-grace":       func(c *cohost.Config) { c.PresenceGrace = time.Second },
		"presence-end-after":   func(c *cohost.Config) { c.PresenceEndAfter = 25 * time.Hour },
		"events-kept":          func(c *cohost.Config) { c.EventsKept = 1 },
		"events-max-age":       func(c *cohost.Config) { c.EventsMaxAge = time.Second },
		"events-max-bytes":     func(c *cohost.Config) { c.EventsMaxBytes = 1 },
		"leave-battle-time":    func(c *cohost.Config) { c.LeaveBattleTime = time.Minute },
	} {
		bad := cohost.DefaultConfig()
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
