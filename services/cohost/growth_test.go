package cohost_test

import (
	"fmt"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natstest"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost"
)

// A log that is nearly full takes no new lives, but lets those end that there are; room is made while it runs.
func TestNearlyFull(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	js, err := natsjs.New(natstest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	log := cohost.Logs()[0]
	limit := func(maxBytes int64) {
		t.Helper()
		want := ledgerjs.StreamConfig(log.Name, log.Subject, 1)
		want.MaxBytes = maxBytes
		if _, err := ledgerjs.Apply(t.Context(), js, want, ledgerjs.Keep{}); err != nil {
			t.Fatal(err)
		}
	}
	taken := func() uint64 {
		t.Helper()
		s, err := js.Stream(t.Context(), log.Name)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().State.Bytes
	}
	const small = 64 << 10
	limit(small)
	c, stop := start(t, server)
	defer stop()
	ctx := patiently(t)

	n := 0
	for ; taken() < small*91/100; n++ {
		create(ctx, t, c, fmt.Sprint("live-", n))
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	refusedCreate := func() error {
		_, err := c.CreateLive(ctx, &cohostv1.CreateLiveRequest{LiveId: fmt.Sprint("live-", n), Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "u"}})
		return err
	}
	for err = refusedCreate(); err == nil; err = refusedCreate() {
		n++
		<-tick.C
	}
	if r, ok := rpc.Refusal(err); !ok || r.Reason != "RATE_LIMITED" || status.Code(err) != codes.ResourceExhausted {
		t.Fatalf("a new live: %v", err)
	}
	must(c.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: "live-0"}))(t)
	limit(4 * small)
	for err = refusedCreate(); err != nil; err = refusedCreate() {
		if status.Code(err) != codes.ResourceExhausted {
			t.Fatal(err)
		}
		<-tick.C
	}
}
