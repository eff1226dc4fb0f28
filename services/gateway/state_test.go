package gateway_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/faceoff-live/faceoff/pkg/auth"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/gateway/internal/fakes"
)

// state asks for the state of live a by gRPC.
func (e *edge) state(ctx context.Context, live string) (*gatewayv1.GetLiveStateResponse, error) {
	return gatewayv1.NewGatewayServiceClient(e.grpc).GetLiveState(ctx, &gatewayv1.GetLiveStateRequest{LiveId: live})
}

// running is a battle that gifts count for.
func running(id string) *battlev1.Battle {
	return &battlev1.Battle{BattleId: id, Status: battlev1.Battle_RUNNING, StartsAt: timestamppb.Now()}
}

// TestGetLiveState: the state is what WatchLive would begin with, and WatchLive goes on from it.
func TestGetLiveState(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.cohost.Happen("a", 3)
	e.battle.Happen("a", 2)
	e.battle.Run(running("x"))
	e.score.Tell(&scorev1.BattleScores{BattleId: "x", Scores: map[string]int64{"anna": 5}, Seq: "00:7"})
	state, err := e.state(as(t, "carl", "a", auth.Audience), "a")
	if err != nil {
		t.Fatal(err)
	}
	if state.GetCohost().GetNumber() != 3 || state.GetCohost().GetLive().GetLiveId() != "a" || state.GetBattle().GetNumber() != 2 ||
		state.GetBattle().GetBattle().GetBattleId() != "x" || state.GetScores().GetScores()["anna"] != 5 ||
		state.GetScores().GetSeq() != "00:7" || state.GetServerNow() == nil {
		t.Errorf("the state: %v", state)
	}
	e.cohost.AwaitWatchers(0)

	e.cohost.Happen("a", 2)
	w := e.watch(t, state.GetOffset())
	w.cohost, w.battle = 3, 2
	w.connected(true)
	e.battle.Happen("a", 1)
	w.until(5, 3)

	got := e.call(t, http.MethodGet, "/v1/lives/a/state", "", "Authorization: Bearer "+fakes.Token(t, "carl", "a", auth.Audience))
	if got.status != http.StatusOK || got.at(t, "offset") != "c5.b3" || got.at(t, "cohost", "number") != "5" ||
		got.at(t, "battle", "battle", "battle_id") != "x" || got.at(t, "scores", "scores", "anna") != "5" || got.at(t, "server_now") == "" {
		t.Errorf("by REST: %d %s", got.status, got.body)
	}
}

// TestGetLiveStateWithoutScores: a battle that does not count gifts has none, and score is not asked.
func TestGetLiveStateWithoutScores(t *testing.T) {
	t.Parallel()
	e := start(t)
	ctx := as(t, "carl", "a", auth.Audience)
	e.battle.Run(running("not-open-yet"))
	if state, err := e.state(ctx, "a"); err != nil || state.GetBattle().GetBattle() == nil || state.GetScores() != nil {
		t.Errorf("%v %v", state, err)
	}
	e.score.Stop()
	e.battle.Run(&battlev1.Battle{BattleId: "x", Status: battlev1.Battle_REQUESTED})
	if state, err := e.state(ctx, "a"); err != nil || state.GetBattle().GetBattle().GetBattleId() != "x" || state.GetScores() != nil {
		t.Errorf("%v %v", state, err)
	}
}

// TestGetLiveStateRefusals: they are those of WatchLive, by both doors.
func TestGetLiveStateRefusals(t *testing.T) {
	t.Parallel()
	e := start(t)
	for _, row := range []struct {
		name, live  string
		user, of    string
		role        auth.Role
		code        codes.Code
		http        int
		reason      string
		field, path string
	}{
		{"another live's audience", "a", "carl", "b", auth.Audience, codes.PermissionDenied, 403, "PERMISSION_DENIED", "", "a"},
		{"another live's host", "a", "bob", "b", auth.Host, codes.PermissionDenied, 403, "PERMISSION_DENIED", "", "a"},
		{"malformed id", "a.b", "carl", "a", auth.Audience, codes.InvalidArgument, 400, "INVALID_ARGUMENT", "live_id", "a.b"},
		{"malformed id, by a service", "a b", "backend", auth.EveryLive, auth.Service, codes.InvalidArgument, 400, "INVALID_ARGUMENT", "live_id", "a%20b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx := as(t, row.user, row.of, row.role)
			_, err := e.state(ctx, row.live)
			bad := violations(err)
			if status.Code(err) != row.code || row.field != "" && (len(bad) != 1 || bad[0].GetField() != row.field) {
				t.Errorf("%v %v", err, bad)
			}
			stream, watched := gatewayv1.NewGatewayServiceClient(e.grpc).WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: row.live})
			if watched == nil {
				_, watched = stream.Recv()
			}
			if status.Code(watched) != row.code {
				t.Errorf("WatchLive: %v", watched)
			}
			got := e.call(t, http.MethodGet, "/v1/lives/"+row.path+"/state", "", "Authorization: Bearer "+fakes.Token(t, row.user, row.of, row.role))
			if got.status != row.http || got.at(t, "reason") != row.reason || row.field != "" && got.at(t, "field_violations", 0, "field") != row.field {
				t.Errorf("by REST: %d %s", got.status, got.body)
			}
			checkProblem(t, got)
		})
	}
	if _, err := e.state(t.Context(), "a"); status.Code(err) != codes.Unauthenticated {
		t.Errorf("no token: %v", err)
	}
	if got := e.call(t, http.MethodGet, "/v1/lives/a/state", "", "Authorization: "); got.status != http.StatusUnauthorized {
		t.Errorf("no token: %d %s", got.status, got.body)
	}
	if got := e.call(t, http.MethodGet, "/v1/lives/a/state?offset=c0.b0", ""); got.status != http.StatusBadRequest {
		t.Errorf("a parameter: %d %s", got.status, got.body)
	}
}

// TestGetLiveStateServiceDown: a state is told as a whole or not at all.
func TestGetLiveStateServiceDown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"cohost", "battle", "score"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			e.battle.Run(running("x"))
			e.score.Tell(&scorev1.BattleScores{BattleId: "x"})
			map[string]interface{ Stop() }{"cohost": e.cohost, "battle": e.battle, "score": e.score}[name].Stop()
			ctx, cancel := context.WithTimeout(as(t, "carl", "a", auth.Audience), 10*time.Second)
			defer cancel()
			if state, err := e.state(ctx, "a"); status.Code(err) != codes.Unavailable || len(status.Convert(err).Details()) != 1 {
				t.Errorf("%v %v", state, err)
			}
			got := e.call(t, http.MethodGet, "/v1/lives/a/state", "")
			if got.status != http.StatusServiceUnavailable || got.at(t, "reason") != "UNAVAILABLE" {
				t.Errorf("by REST: %d %s", got.status, got.body)
			}
			if name == "score" {
				return
			}
			e.cohost.AwaitWatchers(0)
		})
	}
}

// TestGetLiveStateWhileEventsHappen: whenever the state is taken, each event is either in it or told after it.
func TestGetLiveStateWhileEventsHappen(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.cohost.Forget(4 * joins)
	client := gatewayv1.NewGatewayServiceClient(e.grpc)
	ctx := as(t, "carl", "a", auth.Audience)
	during := 0
	for n := range int64(joins) {
		var happens sync.WaitGroup
		happens.Go(func() {
			for range 3 { // while the call is on its way
				<-time.After(rand.N(400 * time.Microsecond))
				e.cohost.Happen("a", 1)
			}
			e.battle.Happen("a", 1)
		})
		state, err := e.state(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		happens.Wait()
		if c := state.GetCohost().GetNumber() - 3*n; c > 0 && c < 3 {
			during++
		}
		ctx, leave := context.WithCancel(ctx)
		stream, err := client.WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: "a", Offset: state.GetOffset()})
		if err != nil {
			t.Fatal(err)
		}
		w := &watcher{t: t, stream: stream, cohost: state.GetCohost().GetNumber(), battle: state.GetBattle().GetNumber()}
		w.connected(true)
		w.until(3*n+3, n+1)
		leave()
	}
	if during == 0 {
		t.Errorf("of %d who joined none did between two events", joins)
	}
	t.Logf("%d of %d joined between two events", during, joins)
}

// joins is how often somebody joins while something happens.
const joins = 300
