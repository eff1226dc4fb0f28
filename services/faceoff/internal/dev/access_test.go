package dev

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// TestEveryCellOfTheTable makes every call of every service as each role with a token for the live that the call is about,
// for another live, for every live, and without a token; docs/access.md says which of them may. Those who may not hear so,
// through each door, and leave nothing in any log.
func TestEveryCellOfTheTable(t *testing.T) {
	t.Parallel()
	h := startHouse(t)
	rows := documented(t, h.calls())
	before := h.entries() // of a stack at rest: a command that got through would leave a refusal at least
	for _, r := range rows {
		if r.scope != battleScope { // such calls only read, and there is no battle yet
			h.refuse(r, "none")
		}
	}
	if diff := fmt.Sprint(h.entries()); diff != fmt.Sprint(before) {
		t.Errorf("refused calls have left something in a log: %v, then %s", before, diff)
	}
	h.open()
	battle := h.fight()
	// What ends something comes last, so that the calls before find it.
	slices.SortStableFunc(rows, func(a, b row) int { return a.ends() - b.ends() })
	for _, r := range rows {
		if r.scope == battleScope {
			h.refuse(r, battle)
		}
		h.permit(r, battle)
	}
}

// house is a stack, and connections to its servers.
type house struct {
	*testing.T
	p            *process
	outer, inner *grpc.ClientConn
	nc           *nats.Conn
	token        string // of a service
}

func startHouse(t *testing.T) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	// The server is an outer one, because that can be asked for its subscriptions.
	server, err := natsd.Start(natsd.Options{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	p := &process{
		o:   Options{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATSURL: server.ClientURL(), NATSMonitorURL: server.MonitorURL()},
		log: log, keys: auth.Keys{Key: Secret}, closed: make(chan error, 8),
	}
	t.Cleanup(p.close)
	for _, open := range []func(context.Context) error{p.openNATS, p.openRedis, p.listen, p.build} {
		if err := open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	serving, ended := make(chan struct{}), make(chan error, 1)
	announce := lifecycle.Component{Name: "announcement", Run: func(ctx context.Context, ready func()) error {
		close(serving)
		ready()
		<-ctx.Done()
		return nil
	}}
	go func() { ended <- lifecycle.Run(ctx, log, stopBudget, append(p.components, announce)...) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-serving:
	case err := <-ended:
		ended <- err
		t.Fatal("the stack does not start")
	}
	h := &house{T: t, p: p, token: sign(auth.Service, auth.EveryLive, "backend")}
	if h.outer, err = rpc.Dial(p.addresses.GRPC, rpc.DialOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.outer.Close() })
	if h.inner, err = rpc.Dial(p.inner.Addr().String(), rpc.DialOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.inner.Close() })
	if h.nc, err = natsd.Connect(p.addresses.NATS, "test", log, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.nc.Close)
	return h
}

// sign makes a token, also one that auth.Sign would not.
func sign(role auth.Role, live, user string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // texts and numbers only
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": Key, "sub": user, "exp": time.Now().Add(time.Hour).Unix(), "live": map[string]string{"room": live, "role": string(role)},
	})
	mac := hmac.New(sha256.New, []byte(Secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// in is a context for a call with a token, or without one if that is empty.
func (h *house) in(token string) context.Context {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 20*time.Second)
	h.Cleanup(cancel)
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// open creates the lives red and blue and connects them.
func (h *house) open() {
	h.Helper()
	c := cohostv1.NewCohostServiceClient(h.outer)
	for _, live := range []string{"red", "blue"} {
		_, err := c.CreateLive(h.in(h.token), &cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "host-of-" + live}})
		h.must(err)
	}
	_, err := c.RequestHostConnection(h.in(h.token), &cohostv1.RequestHostConnectionRequest{LiveId: "red", TargetLiveIds: []string{"blue"}})
	h.must(err)
	_, err = c.AcceptHostConnection(h.in(h.token), &cohostv1.AcceptHostConnectionRequest{LiveId: "blue", FromLiveId: "red"})
	h.must(err)
}

// fight begins a battle of red and blue and returns its id when it has scores.
func (h *house) fight() string {
	h.Helper()
	b, err := battlev1.NewBattleServiceClient(h.outer).RequestBattle(h.in(h.token), &battlev1.RequestBattleRequest{
		InviterLiveId: "red", TargetLiveIds: []string{"blue"}, Config: &battlev1.BattleConfig{DurationSeconds: 600},
	})
	h.must(err)
	scores, err := scorev1.NewScoreServiceClient(h.outer).WatchLive(h.in(h.token), &scorev1.WatchLiveRequest{LiveId: "red"})
	h.must(err)
	_, err = scores.Recv()
	h.must(err)
	return b.GetBattle().GetBattleId()
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// entries tells how many messages each log has had.
func (h *house) entries() map[string]uint64 {
	h.Helper()
	js, err := h.nc.JetStream()
	h.must(err)
	all := make(map[string]uint64)
	for info := range js.Streams() {
		for _, service := range []string{"COHOST", "BATTLE", "SCORE"} {
			if strings.HasPrefix(info.Config.Name, service+"_") {
				all[info.Config.Name] = info.State.LastSeq
			}
		}
	}
	if len(all) < 3 {
		h.Fatalf("logs: %v", all)
	}
	return all
}

// tokens are those of a role for the call's live, another one and every one; what is in the table is said of the first, or
// of the last for roles that are of every live.
func tokens(role auth.Role) (mine string, others []string) {
	if role == auth.Service || role == auth.Admin {
		return auth.EveryLive, []string{"red", "pink"}
	}
	return "red", []string{"pink", auth.EveryLive}
}

// refuse makes a call as all who may not make it.
func (h *house) refuse(r row, battle string) {
	h.Helper()
	h.expect(r, battle, "nobody", "", codes.Unauthenticated)
	for role, cell := range r.cells {
		mine, others := tokens(role)
		user := "host-of-red"
		if cell == no {
			h.expect(r, battle, fmt.Sprintf("%s of %s", role, mine), sign(role, mine, user), codes.PermissionDenied)
		}
		for _, live := range others {
			want := codes.PermissionDenied
			if live == auth.EveryLive || mine == auth.EveryLive { // no such token can be
				want = codes.Unauthenticated
			} else if cell == yes {
				continue
			}
			h.expect(r, battle, fmt.Sprintf("%s of %s", role, live), sign(role, live, user), want)
		}
		if cell == asItself {
			h.expect(r, battle, "another host of red", sign(role, mine, "somebody"), codes.PermissionDenied)
		}
	}
}

// expect makes a call through each door and wants it refused.
func (h *house) expect(r row, battle, who, token string, want codes.Code) {
	h.Helper()
	reason, number, httpStatus := "PERMISSION_DENIED", "100006", http.StatusForbidden
	if want == codes.Unauthenticated {
		reason, number, httpStatus = "UNAUTHENTICATED", "", http.StatusUnauthorized
	}
	request := r.request(h.T, battle)
	for door, conn := range h.doors(r.call) {
		err := ask(h.in(token), conn, r.call, request)
		if status.Code(err) != want || info(err).GetReason() != reason || info(err).GetMetadata()["code"] != number {
			h.Errorf("%s by %s, %s: got %v (%v), want %s %s", r.name, who, door, err, info(err), reason, number)
		}
	}
	if r.verb == "" {
		return
	}
	got, p := h.rest(r, request, token)
	if got != httpStatus || p.Reason != reason || fmt.Sprint(p.Code) != cmp.Or(number, "0") {
		h.Errorf("%s by %s, %s: got %d %+v, want %s %s", r.name, who, r.verb, got, p, reason, number)
	}
}

// permit makes a call as all who may make it: whatever the service answers then, it is not that they may not.
func (h *house) permit(r row, battle string) {
	h.Helper()
	for role, cell := range r.cells {
		if cell == no {
			continue
		}
		mine, others := tokens(role)
		lives := []string{mine}
		if cell == yes && mine != auth.EveryLive {
			lives = append(lives, others[0])
		}
		for _, live := range lives {
			err := ask(h.in(sign(role, live, "host-of-red")), h.nearest(r.call), r.call, r.request(h.T, battle))
			switch status.Code(err) {
			case codes.PermissionDenied, codes.Unauthenticated, codes.Internal, codes.Unavailable, codes.Unimplemented, codes.DeadlineExceeded:
				h.Errorf("%s by %s of %s: %v", r.name, role, live, err)
			}
			if r.scope == battleScope && err != nil {
				h.Errorf("%s by %s of %s finds no battle: %v", r.name, role, live, err)
			}
			if r.verb == "" {
				continue
			}
			switch got, p := h.rest(r, r.request(h.T, battle), sign(role, live, "host-of-red")); {
			case got == http.StatusForbidden, got == http.StatusUnauthorized, got >= http.StatusInternalServerError:
				h.Errorf("%s by %s of %s, %s: got %d %+v", r.name, role, live, r.verb, got, p)
			}
		}
	}
}

// doors are the servers that have a call.
func (h *house) doors(c call) map[string]*grpc.ClientConn {
	all := make(map[string]*grpc.ClientConn)
	for name, door := range map[string]struct {
		server *rpc.Server
		conn   *grpc.ClientConn
	}{"gateway": {h.p.servers.outer, h.outer}, "service": {h.p.servers.inner, h.inner}} {
		if _, ok := door.server.GetServiceInfo()[c.service()]; ok {
			all[name] = door.conn
		}
	}
	return all
}

// nearest is the server that carries a call out.
func (h *house) nearest(c call) *grpc.ClientConn {
	doors := h.doors(c)
	if conn := doors["service"]; conn != nil {
		return conn
	}
	return doors["gateway"]
}

// calls are all that the servers have, but for the health service.
func (h *house) calls() []call {
	h.Helper()
	seen := make(map[string]bool)
	for _, server := range []*rpc.Server{h.p.servers.outer, h.p.servers.inner} {
		for service, info := range server.GetServiceInfo() {
			for _, m := range info.Methods {
				if !strings.HasPrefix(service, "grpc.health.") {
					seen[service+"."+m.Name] = true
				}
			}
		}
	}
	var all []call
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, callOf(h.T, name))
	}
	return all
}

// ask makes a call of any kind and returns with its first answer.
func ask(ctx context.Context, conn *grpc.ClientConn, c call, request proto.Message) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// On the wire every call is a stream each way.
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, c.method())
	if err != nil {
		return err
	}
	if err := s.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	if err := s.RecvMsg(c.response()); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
