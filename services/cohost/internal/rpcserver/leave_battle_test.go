package rpcserver_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// fakeBattle is a connection to a battle service that a live can leave.
type fakeBattle struct {
	grpc.ClientConnInterface
	leave func(ctx context.Context, live, commandID string) error
}

func (b *fakeBattle) Invoke(ctx context.Context, method string, request, _ any, _ ...grpc.CallOption) error {
	if method != battlev1.BattleCoordinationService_LeaveBattle_FullMethodName {
		return fmt.Errorf("battle is asked for %s", method)
	}
	out, _ := metadata.FromOutgoingContext(ctx)
	return b.leave(ctx, request.(*battlev1.LeaveBattleRequest).GetLiveId(), fmt.Sprint(out.Get("idempotency-key")))
}

func TestLeavingGoesThroughBattleFirst(t *testing.T) {
	t.Parallel()
	exit := func(h *house, live string) error {
		return second(h.client.ExitHostConnection(withKey(h.host(live), "k"), &cohostv1.ExitHostConnectionRequest{LiveId: live}))
	}
	for name, leave := range map[string]func(*house, string) error{"exit": exit} {
		for answer, battle := range map[string]func(context.Context) error{
			"lets go": func(context.Context) error { return nil },
			"fails":   func(context.Context) error { return errors.New("no") },
			"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		} {
			t.Run(fmt.Sprintf("%s, battle %s", name, answer), func(t *testing.T) {
				fake := &fakeBattle{}
				inHouse(t, fake, func(t *testing.T, h *house) {
					var asked, ids []string
					fake.leave = func(ctx context.Context, live, id string) error {
						if members(h.state(live)) != "a b" {
							t.Errorf("battle is asked when the connection is %v already", h.state(live))
						}
						asked, ids = append(asked, live), append(ids, id)
						return battle(ctx)
					}
					h.create("a", "b", "c")
					h.connect("a", "b")
					began := time.Now()
					if err := leave(h, "a"); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); took > time.Second+50*time.Millisecond {
						t.Errorf("took %v", took)
					}
					if len(asked) != 1 || asked[0] != "a" || len(ids[0]) != len("[]")+32 {
						t.Errorf("battle was asked for %v, with ids %v", asked, ids)
					}
					if s := h.state("b"); s.GetStatus() != cohostv1.CoHostState_DISCONNECTED {
						t.Errorf("still connected: %v", s)
					}
					_ = leave(h, "c") // in no connection
					if len(asked) != 1 {
						t.Errorf("battle was asked for %v", asked)
					}
				})
			})
		}
	}
}

// TestRepeatedExitLeavesNoLaterBattle: what goes before the command must not be done again by a repeat of it, nor by a call
// whose key was used for another.
func TestRepeatedExitLeavesNoLaterBattle(t *testing.T) {
	fake := &fakeBattle{}
	inHouse(t, fake, func(t *testing.T, h *house) {
		asked := 0
		fake.leave = func(context.Context, string, string) error { asked++; return nil }
		exit := func(key string) error {
			return second(h.client.ExitHostConnection(withKey(h.host("a"), key), &cohostv1.ExitHostConnectionRequest{LiveId: "a"}))
		}
		must(h.client.CreateLive(withKey(h.host("a"), "created"), createRequest("a")))(t)
		h.create("b")
		h.connect("a", "b")
		if err := exit("k"); err != nil || asked != 1 {
			t.Fatalf("exit: %v, battle asked %d times", err, asked)
		}
		h.connect("a", "b")
		if err := exit("k"); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, "a key of another call", exit("created"), "PAYLOAD_MISMATCH")
		if asked != 1 || members(h.state("a")) != "a b" {
			t.Errorf("battle was asked %d times; connection %v", asked, h.state("a"))
		}
	})
}

// TestOneKeyServesOneRequest: the same key with other targets invites nobody.
func TestOneKeyServesOneRequest(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "d")
		request := func(targets ...string) error {
			return second(h.client.RequestHostConnection(withKey(h.host("a"), "k"), &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: targets}))
		}
		if err := request("b"); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, "another target", request("c"), "PAYLOAD_MISMATCH")
		wantRefused(t, "another target first", request("d", "b"), "PAYLOAD_MISMATCH")
		if n := len(h.state("a").GetInvitees()); n != 1 {
			t.Errorf("%d invitations are pending, want 1", n)
		}
	})
}
