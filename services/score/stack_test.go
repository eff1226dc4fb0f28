package score_test

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"os"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/natstest"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/score"
	"github.com/faceoff-live/faceoff/services/score/internal/battletest"
)

const (
	key    = "test"
	secret = "0123456789abcdef0123456789abcdef"
)

// stack is a NATS server, a Redis, a battle service that is played, and score.
type stack struct {
	nc     *nats.Conn
	redis  *redis.Client
	battle *battletest.Battle
	cfg    score.Config

	client scorev1.ScoreServiceClient
	stop   func()
}

func start(t *testing.T) *stack {
	t.Helper()
	server := natstest.Start(t)
	s := &stack{nc: natstest.Connect(t, server), cfg: score.DefaultConfig()}
	s.redis = redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = s.redis.Close() })
	js, err := natsjs.New(s.nc)
	if err != nil {
		t.Fatal(err)
	}
	log, err := jetstream.OpenLog(t.Context(), js, "BATTLE_00", "log.battle.00", 1)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := jetstream.NewLease(t.Context(), js, "BATTLE_00", "played", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.battle = battletest.Start(t, log, lease, jetstream.NewPeers(s.nc))
	s.run(t)
	t.Cleanup(func() { s.stop() })
	return s
}

// stores is where a new replica finds the logs.
func (s *stack) stores(t *testing.T) ledger.Stores {
	t.Helper()
	stores, err := jetstream.NewStores(s.nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	return stores
}

// run starts score and returns when it serves.
func (s *stack) run(t *testing.T) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	service, err := score.New(s.cfg, score.Deps{Stores: s.stores(t), NATS: s.nc, Redis: s.redis, Battle: battletest.Client{B: s.battle}, Log: logger})
	if err != nil {
		t.Fatal(err)
	}
	server := rpc.NewServer(rpc.ServerOptions{Log: logger, Keys: auth.Keys{key: secret}})
	service.RegisterGRPC(server)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	told := lifecycle.Component{Name: "told", Run: func(ctx context.Context, ok func()) error {
		ok()
		close(ready)
		<-ctx.Done()
		return nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- lifecycle.Run(ctx, logger, 10*time.Second, append(service.Components(), server.Component(lis), told)...)
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatalf("score did not start: %v", err)
	}
	conn, err := rpc.Dial(lis.Addr().String(), rpc.DialOptions{Key: key, Secret: secret, Service: "tests"})
	if err != nil {
		t.Fatal(err)
	}
	s.client = scorev1.NewScoreServiceClient(conn)
	s.stop = func() {
		s.stop = func() {}
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("score stopped with %v", err)
		}
	}
}

func gift(live, id string, value int64) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: id, LiveId: live, Sender: &userv1.User{UserId: "fan-of-" + live}, GiftId: "rose",
		Category: scorev1.GiftEvent_BASIC, UnitValue: value, Count: 1, SentAt: timestamppb.New(time.Now().Truncate(time.Millisecond)),
	}
}

func (s *stack) send(t *testing.T, gifts ...*scorev1.GiftEvent) []*scorev1.GiftVerdict {
	t.Helper()
	answer, err := s.client.SendGifts(t.Context(), &scorev1.SendGiftsRequest{Gifts: gifts})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetVerdicts()
}

func (s *stack) request(t *testing.T, subject string, header nats.Header, data []byte) *nats.Msg {
	t.Helper()
	answer, err := s.nc.RequestMsgWithContext(t.Context(), &nats.Msg{Subject: subject, Header: header, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func expect(t *testing.T, v *scorev1.GiftVerdict, want scorev1.GiftVerdict_Verdict, points int64, duplicate bool) {
	t.Helper()
	if v.GetVerdict() != want || v.GetPoints() != points || v.GetDuplicate() != duplicate {
		t.Errorf("got %v; want %v with %d points, duplicate %v", v, want, points, duplicate)
	}
}

// eventually waits until ok, at most for limit.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

func (s *stack) shown(battle string) map[string]string {
	fields := s.redis.HGetAll(context.Background(), "pk:{"+battle+"}").Val()
	maps.DeleteFunc(fields, func(field, _ string) bool { return field[0] == '_' })
	return fields
}
