package rpcserver_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"
)

func (h *house) rejoin(live, session string) error {
	ctx := h.host(live)
	if session != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "faceoff-session", session)
	}
	return second(h.client.RejoinHostConnection(ctx, &cohostv1.RejoinHostConnectionRequest{LiveId: live}))
}

// TestRejoin: a host that was lost and is back hears until when it may rejoin, does so up to the last moment and not after it, and the
// others are told; only as the newest device.
func TestRejoin(t *testing.T) {
	t.Parallel()
	for late, reason := range map[time.Duration]string{
		0: "", rejoinWithin - time.Millisecond: "", rejoinWithin: "CONNECTION_NOT_FOUND", rejoinWithin + time.Millisecond: "CONNECTION_NOT_FOUND",
	} {
		t.Run(late.String(), func(t *testing.T) {
			inHouse(t, nil, func(t *testing.T, h *house) {
				h.create("a", "b", "c")
				h.connect("a", "b", "c")
				must(h.beat("a", "phone"))(t)
				pass(unreachableAfter + grace + 2*tick)
				if got := members(h.state("b")); got == "a b c" {
					t.Fatalf("together are %q", got)
				}
				wantRefused(t, "lost", h.rejoin("a", "phone"), "HOST_LOST")
				b := h.watch("b", -1)
				told := b.recv().GetSnapshot().GetNumber()

				back := must(h.beat("a", "desk"))(t).GetPresence()
				may := back.GetRejoinUntil().AsTime()
				if in := may.Sub(h.partition.Now()); in != rejoinWithin || back.GetRejoinConnectionId() == "" {
					t.Errorf("may rejoin for %v: %v", in, back)
				}
				wantRefused(t, "the older device", h.rejoin("a", "phone"), "SUPERSEDED")
				stop := h.keep("a")
				defer stop()
				<-time.After(may.Sub(h.partition.Now()) - rejoinWithin + late)
				err := h.rejoin("a", "desk")
				if reason != "" {
					wantRefused(t, "too late", err, reason)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := len(h.state("b").GetConnected()); got != 3 {
					t.Errorf("together are %d", got)
				}
				if e := b.event(); e.GetCoHostUserJoined().GetMember().GetLiveId() != "a" || e.GetNumber() != told+1 {
					t.Errorf("the others are told %v", e)
				}
				if err := h.rejoin("a", "desk"); err != nil {
					t.Errorf("repeated: %v", err)
				}
				if p := must(h.beat("a", "desk"))(t).GetPresence(); p.GetRejoinUntil() != nil || p.GetRejoinConnectionId() != "" {
					t.Errorf("once it is in: %v", p)
				}
			})
		})
	}
}

// TestRejoinAgain: a command that was refused because the host is lost, or is still leaving, is decided anew when the host repeats it
// with the same id: neither refusal is of more than the moment.
func TestRejoinAgain(t *testing.T) {
	door := &lostDoor{}
	inHouse(t, door, func(t *testing.T, h *house) {
		asked := make(chan struct{})
		door.leave = func(ctx context.Context) error {
			close(asked)
			<-ctx.Done()
			return ctx.Err()
		}
		h.create("a", "b", "c")
		h.connect("a", "b", "c")
		must(h.beat("a", ""))(t)
		ctx := metadata.AppendToOutgoingContext(h.host("a"), "idempotency-key", "again")
		rejoin := func() error {
			return second(h.client.RejoinHostConnection(ctx, &cohostv1.RejoinHostConnectionRequest{LiveId: "a"}))
		}
		<-asked
		wantRefused(t, "lost", rejoin(), "HOST_LOST")
		must(h.beat("a", ""))(t)
		wantRefused(t, "leaving", rejoin(), "HOST_LOST")
		if r, _ := rpc.Refusal(rejoin()); r.RetryAfter != time.Second {
			t.Errorf("is to try again after %v", r.RetryAfter)
		}
		pass(time.Second)
		if err := rejoin(); err != nil {
			t.Errorf("has left: %v", err)
		}
		if got := len(h.state("b").GetConnected()); got != 3 {
			t.Errorf("together are %d", got)
		}
	})
}
