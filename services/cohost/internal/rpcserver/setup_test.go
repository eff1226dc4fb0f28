package rpcserver_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/partition"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
	"github.com/faceoff-live/faceoff/services/cohost/internal/rpcserver"
)

const (
	apiKey    = "test"
	apiSecret = "a secret of more than thirty-two bytes"
	// rate is how many invitations may be sent in a minute.
	rate = 200
	// kept is how many events of a live are kept here.
	kept = 16
	// Times of presence.
	renew, unreachableAfter, grace, endAfter, rejoinWithin = 3 * time.Second, 8 * time.Second, 15 * time.Second, time.Minute, 30 * time.Second
	// callTime bounds every call: virtual time never stands still, so what never comes would be waited for for ever.
	callTime = 10 * time.Minute
)

// house is a cohost on a log in memory, behind a real gRPC server, in virtual time.
type house struct {
	t      *testing.T
	client cohostv1.CohostServiceClient
	door   *rpcserver.Server
	log    *gappyLog
	// partition is nil while the log is not open.
	partition *partition.Partition
	stop      context.CancelFunc
	stopped   chan error
}

// inHouse runs a test in virtual time.
func inHouse(t *testing.T, battle grpc.ClientConnInterface, test func(*testing.T, *house)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, log: &gappyLog{Log: memory.NewLog()}}
		server := rpc.NewServer(rpc.ServerOptions{Keys: auth.Keys{apiKey: apiSecret}})
		door := rpcserver.New(rpcserver.Options{
			Partition:         func() *partition.Partition { return h.partition },
			Battle:            battle,
			LeaveBattleTime:   time.Second,
			InvitationTimeout: 30 * time.Second,
		})
		h.door = door
		cohostv1.RegisterCohostServiceServer(server, door)
		conn := serve(t, server)
		h.client = cohostv1.NewCohostServiceClient(conn)
		h.open()
		defer func() {
			_ = conn.Close()
			server.Stop()
			h.close()
		}()
		test(t, h)
	})
}

// gappyLog is a log that does not answer for a while.
type gappyLog struct {
	ledger.Log
	gap atomic.Bool
}

var errGap = errors.New("no answer")

func (l *gappyLog) Head(ctx context.Context) (uint64, error) {
	if l.gap.Load() {
		return 0, errGap
	}
	return l.Log.Head(ctx)
}

func (l *gappyLog) Append(ctx context.Context, after uint64, group []byte) error {
	if l.gap.Load() {
		return errGap
	}
	return l.Log.Append(ctx, after, group)
}

func serve(t *testing.T, server *rpc.Server) *grpc.ClientConn {
	t.Helper()
	lis := bufconn.Listen(1 << 16)
	go func() { _ = server.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:///cohost",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// open starts to follow and write the log.
func (h *house) open() {
	p := partition.New(partition.Options{
		Store: ledger.Store{Log: h.log, Lease: memory.NewLease("r1"), Peers: memory.NewPeers()}, KeptNotices: kept,
		Rules:       cohost.Rules{MaxMembers: 3, MaxPending: 5, LiveRate: rate, UserRate: rate, SessionRate: rate, EndedKept: time.Hour, RejoinWithin: rejoinWithin},
		Presence:    presence.Settings{Renew: renew, UnreachableAfter: unreachableAfter, Grace: grace, EndAfter: endAfter, RejoinWithin: rejoinWithin},
		LeaveBattle: h.door.LetLostLeave,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	h.stop, h.stopped = cancel, make(chan error, 1)
	go func() { h.stopped <- p.Run(ctx, func() { close(ready) }) }()
	<-ready
	h.partition = p
}

func (h *house) close() {
	h.partition = nil
	h.stop()
	if err := <-h.stopped; err != nil && err != context.Canceled { //nolint:errorlint // exactly this
		h.t.Errorf("the partition stopped: %v", err)
	}
}

// as returns the context of a call by a principal.
func (h *house) as(role auth.Role, user, live string) context.Context {
	h.t.Helper()
	token, err := auth.Sign(apiKey, apiSecret, auth.Principal{User: user, Live: live, Role: role}, time.Hour, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), callTime)
	h.t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// service is the context of a call by the platform's backend.
func (h *house) service() context.Context { return h.as(auth.Service, "backend", "*") }

// host is the context of a call by a live's host.
func (h *house) host(live string) context.Context { return h.as(auth.Host, "u-"+live, live) }

func withKey(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "idempotency-key", key)
}

// create opens lives; those that begin with "voice" are voice lives.
func (h *house) create(ids ...string) {
	h.t.Helper()
	for _, id := range ids {
		must(h.client.CreateLive(h.host(id), createRequest(id)))(h.t)
	}
}

func createRequest(id string) *cohostv1.CreateLiveRequest {
	kind := cohostv1.Live_VIDEO
	if strings.HasPrefix(id, "voice") {
		kind = cohostv1.Live_VOICE
	}
	return &cohostv1.CreateLiveRequest{LiveId: id, Kind: kind, Host: &userv1.User{UserId: "u-" + id, UserName: "Host of " + id}}
}

// invite has one live request others.
func (h *house) invite(live string, targets ...string) *cohostv1.RequestHostConnectionResponse {
	h.t.Helper()
	return must(h.client.RequestHostConnection(h.host(live), &cohostv1.RequestHostConnectionRequest{LiveId: live, TargetLiveIds: targets}))(h.t)
}

func (h *house) accept(live, from string) *cohostv1.CoHostState {
	h.t.Helper()
	return must(h.client.AcceptHostConnection(h.host(live), &cohostv1.AcceptHostConnectionRequest{LiveId: live, FromLiveId: from}))(h.t).GetState()
}

// connect connects lives in their order.
func (h *house) connect(first string, others ...string) {
	h.t.Helper()
	h.invite(first, others...)
	for _, other := range others {
		h.accept(other, first)
	}
}

func (h *house) state(live string) *cohostv1.CoHostState {
	h.t.Helper()
	return must(h.client.GetCoHostState(h.service(), &cohostv1.GetCoHostStateRequest{LiveId: live}))(h.t).GetState()
}

func members(s *cohostv1.CoHostState) string {
	var ids []string
	for _, m := range s.GetConnected() {
		ids = append(ids, m.GetLiveId())
	}
	return strings.Join(ids, " ")
}

// must returns the response of a call that may not fail.
func must[T any](response T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
}

// wantRefused checks the reason of a refusal.
func wantRefused(t *testing.T, what string, err error, reason string) {
	t.Helper()
	refusal, ok := rpc.Refusal(err)
	if !ok || refusal.Reason != reason {
		t.Errorf("%s: got %v, want %s", what, err, reason)
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }
