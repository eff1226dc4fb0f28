package gateway_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/auth"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/gateway/internal/fakes"
)

// watcher is a caller of WatchLive. It follows the rules that callers may rely on, and checks them.
type watcher struct {
	t      *testing.T
	stream grpc.ServerStreamingClient[gatewayv1.WatchLiveResponse]
	offset string
	cohost int64 // number of the last event
	battle int64
	scores *scorev1.BattleScores
}

func (e *edge) watch(t *testing.T, offset string) *watcher {
	t.Helper()
	ctx, leave := context.WithCancel(as(t, "carl", "a", auth.Audience))
	t.Cleanup(leave)
	stream, err := gatewayv1.NewGatewayServiceClient(e.grpc).WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: "a", Offset: offset})
	if err != nil {
		t.Fatal(err)
	}
	return &watcher{t: t, stream: stream}
}

// next receives one message and checks what holds for all.
func (w *watcher) next() *gatewayv1.WatchLiveResponse {
	w.t.Helper()
	m, err := w.stream.Recv()
	if err != nil {
		w.t.Fatal(err)
	}
	if m.GetServerNow() == nil || m.GetOffset() == "" {
		w.t.Fatalf("incomplete: %v", m)
	}
	switch p := m.GetPayload().(type) {
	case *gatewayv1.WatchLiveResponse_Connected_:
		if !p.Connected.GetRecovered() {
			w.cohost, w.battle = p.Connected.GetCohost().GetNumber(), p.Connected.GetBattle().GetNumber()
		}
	case *gatewayv1.WatchLiveResponse_Cohost:
		if w.cohost++; p.Cohost.GetNumber() != w.cohost {
			w.t.Fatalf("cohost event %d, want %d", p.Cohost.GetNumber(), w.cohost)
		}
	case *gatewayv1.WatchLiveResponse_Battle:
		if w.battle++; p.Battle.GetNumber() != w.battle {
			w.t.Fatalf("battle event %d, want %d", p.Battle.GetNumber(), w.battle)
		}
	case *gatewayv1.WatchLiveResponse_Scores:
		if m.GetOffset() != w.offset {
			w.t.Fatalf("scores moved the offset from %s to %s", w.offset, m.GetOffset())
		}
		w.scores = p.Scores
	}
	w.offset = m.GetOffset()
	return m
}

// connected receives the first message.
func (w *watcher) connected(recovered bool) *gatewayv1.WatchLiveResponse_Connected {
	w.t.Helper()
	m := w.next()
	for m.GetScores() != nil { // they come when they come
		m = w.next()
	}
	c := m.GetConnected()
	if c == nil || c.GetRecovered() != recovered {
		w.t.Fatalf("connected: %v, want recovered %v", m, recovered)
	}
	if (c.GetCohost() == nil) != recovered || (c.GetBattle() == nil) != recovered {
		w.t.Fatalf("snapshots: %v", c)
	}
	return c
}

// until receives events until there were these many.
func (w *watcher) until(cohost, battle int64) {
	w.t.Helper()
	for w.cohost < cohost || w.battle < battle {
		if m := w.next(); m.GetConnected() != nil {
			w.t.Fatalf("connected anew: %v", m)
		}
	}
	if w.cohost != cohost || w.battle != battle {
		w.t.Fatalf("events up to %d and %d, want %d and %d", w.cohost, w.battle, cohost, battle)
	}
}

func TestWatchLive(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.cohost.Happen("a", 2)
	w := e.watch(t, "")
	if c := w.connected(false); c.GetCohost().GetNumber() != 2 || c.GetBattle().GetNumber() != 0 || c.GetScores() != nil {
		t.Fatalf("snapshots: %v", c)
	}
	e.cohost.Happen("a", 1)
	e.battle.Happen("a", 2)
	w.until(3, 2)
	e.score.Tell(&scorev1.BattleScores{BattleId: "x", Scores: map[string]int64{"anna": 5}})
	for w.scores == nil {
		w.next()
	}
	if w.scores.GetScores()["anna"] != 5 {
		t.Errorf("scores %v", w.scores)
	}
}

func TestWatchLiveBeginsWithTheScores(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.battle.Run(running("x"))
	e.score.Tell(&scorev1.BattleScores{BattleId: "x", Scores: map[string]int64{"anna": 5}})
	if c := e.watch(t, "").connected(false); c.GetScores().GetScores()["anna"] != 5 {
		t.Errorf("scores %v", c.GetScores())
	}
}

func TestWatchLiveGoesOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name             string
		cohost, battle   int // events that have happened
		cohost0, battle0 int // events that the caller has
		recovered        bool
	}{
		{"missed nothing", 3, 3, 3, 3, true},
		{"nothing has ever happened", 0, 0, 0, 0, true},
		{"missed some of one", 5, 3, 3, 3, true},
		{"missed some of both", 5, 9, 3, 8, true},
		{"missed all that is kept", fakes.Kept, 0, 0, 0, true},
		{"missed more than is kept", fakes.Kept + 1, 0, 0, 0, false},
		{"missed more than is kept of one", 3, fakes.Kept + 3, 1, 0, false},
		{"has what has not happened", 3, 3, 4, 3, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			e.cohost.Happen("a", row.cohost)
			e.battle.Happen("a", row.battle)
			w := e.watch(t, fmt.Sprintf("c%d.b%d", row.cohost0, row.battle0))
			w.cohost, w.battle = int64(row.cohost0), int64(row.battle0)
			w.connected(row.recovered)
			e.cohost.Happen("a", 1)
			e.battle.Happen("a", 1)
			w.until(int64(row.cohost)+1, int64(row.battle)+1)
		})
	}
}

func TestWatchLiveOverRestarts(t *testing.T) {
	t.Parallel()
	e := start(t)
	w := e.watch(t, "")
	w.connected(false)
	var cohost, battle int64
	for range 3 {
		e.cohost.Stop()
		e.score.Stop()
		e.cohost.Happen("a", fakes.Kept)
		e.battle.Happen("a", 1)
		w.until(cohost, battle+1) // the others' events go on
		e.cohost.Restart()
		e.score.Restart()
		w.until(cohost+fakes.Kept, battle+1)
		e.battle.Restart()
		e.battle.Happen("a", 2)
		cohost, battle = cohost+fakes.Kept, battle+3
		w.until(cohost, battle)
	}
	e.score.Tell(&scorev1.BattleScores{BattleId: "x"})
	for w.scores == nil {
		w.next()
	}

	// More than is kept happens while nobody listens: anew, with a snapshot.
	e.cohost.Stop()
	e.cohost.Happen("a", fakes.Kept+1)
	e.cohost.Restart()
	if c := w.connected(false); c.GetCohost().GetNumber() != cohost+fakes.Kept+1 || c.GetBattle().GetNumber() != battle {
		t.Errorf("snapshots %v", c)
	}
	e.battle.Happen("a", 1)
	w.until(cohost+fakes.Kept+1, battle+1)

	// The history is lost: anew, with a snapshot.
	e.cohost.Stop()
	e.cohost.Forget(fakes.Kept)
	e.cohost.Restart()
	if c := w.connected(false); c.GetCohost().GetNumber() != 0 {
		t.Errorf("snapshots %v", c)
	}
}

func TestWatchLiveRefusals(t *testing.T) {
	t.Parallel()
	e := start(t)
	refused := func(ctx context.Context, live, offset string) error {
		stream, err := gatewayv1.NewGatewayServiceClient(e.grpc).WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: live, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		return err
	}
	if err := refused(t.Context(), "a", ""); status.Code(err) != codes.Unauthenticated {
		t.Errorf("no token: %v", err)
	}
	if err := refused(as(t, "carl", "b", auth.Audience), "a", ""); status.Code(err) != codes.PermissionDenied {
		t.Errorf("another live's audience: %v", err)
	}
	if err := refused(as(t, "carl", "a", auth.Audience), "a.b", ""); status.Code(err) != codes.InvalidArgument {
		t.Errorf("malformed live: %v", err)
	}
	for _, offset := range []string{"x", "c1", "c1.", "c1.b", "c-1.b1", "c1.b1.x", "c01.b1", "c+1.b1", "b1.c1", "c1.b9223372036854775808", "c١.b1"} {
		err := refused(as(t, "carl", "a", auth.Audience), "a", offset)
		if bad := violations(err); status.Code(err) != codes.InvalidArgument || len(bad) != 1 || bad[0].GetField() != "offset" {
			t.Errorf("offset %q: %v", offset, err)
		}
	}
}

// TestWatchLiveEndsSlowCallers: a caller that does not read is ended, and may go on where it was.
func TestWatchLiveEndsSlowCallers(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.cohost.Forget(5000)
	w := e.watch(t, "")
	w.connected(false)
	e.cohost.Happen("a", 5000)
	e.cohost.AwaitWatchers(0) // the gateway does not watch for it any more
	var err error
	for err == nil {
		if _, err = w.stream.Recv(); err == nil {
			w.cohost++
		}
	}
	if status.Code(err) != codes.ResourceExhausted || w.cohost >= 5000 {
		t.Errorf("after %d events: %v", w.cohost, err)
	}
	again := e.watch(t, fmt.Sprintf("c%d.b0", w.cohost))
	again.cohost = w.cohost
	again.connected(true)
}

func TestWatchLiveEndsWhenTheGatewayStops(t *testing.T) {
	t.Parallel()
	e := start(t)
	w := e.watch(t, "")
	w.connected(false)
	e.stop()
	if _, err := w.stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("%v", err)
	}
	e.cohost.AwaitWatchers(0)
}

// TestWatchLiveLeavesNothingBehind: a caller who leaves is not watched for.
func TestWatchLiveLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	e := start(t)
	ctx, leave := context.WithCancel(as(t, "carl", "a", auth.Audience))
	stream, err := gatewayv1.NewGatewayServiceClient(e.grpc).WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	e.cohost.AwaitWatchers(1)
	leave()
	e.cohost.AwaitWatchers(0)
}
