package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

const (
	// joins is how often somebody joins a live while something happens to it, joinsAtOnce how many do at a time.
	joins       = 300
	joinsAtOnce = 30
)

// Somebody joins a live at the moment in which its layout changes, and in which it is asked to a battle: each event is either
// in the state or told after it, and the state is exactly that after the events in it.
func TestLateJoinRace(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o := Options{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0", Data: t.TempDir()}
	var between atomic.Int64
	if err := Run(ctx, o, slog.New(slog.DiscardHandler), func(a Addresses) {
		defer stop()
		c, err := client.New(client.Stack{GRPC: a.GRPC, Key: a.Key, Secret: a.Secret})
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		token, err := c.Token("backend", auth.EveryLive, auth.Service)
		if err != nil {
			t.Error(err)
			return
		}
		var all sync.WaitGroup
		for worker := range joinsAtOnce {
			all.Go(func() {
				for i := worker; i < joins && !t.Failed(); i += joinsAtOnce {
					j, err := race(client.As(ctx, token, ""), t, c, i)
					if err != nil {
						t.Errorf("%d: %v", i, err)
					}
					if j.between {
						between.Add(1)
					}
				}
			})
		}
		all.Wait()
	}); err != nil {
		t.Fatal(err)
	}
	if between.Load() == 0 {
		t.Error("nobody joined between two events")
	}
	t.Logf("%d of %d joined between two events", between.Load(), joins)
}

// race has somebody join, and again elsewhere if a call had no answer: a machine that does other things as well can stand still for
// seconds.
func race(ctx context.Context, t *testing.T, c *client.Client, i int) (j *join, err error) {
	t.Helper()
	for try := range 3 {
		j = &join{Client: c, red: fmt.Sprintf("red%d-%d", i, try), blue: fmt.Sprintf("blue%d-%d", i, try)}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		err = j.run(ctx)
		cancel()
		if refusal, _ := rpc.Refusal(err); refusal == nil || refusal.Reason != es.ReasonDeadlineExceeded && refusal.Reason != es.ReasonUnavailable {
			return j, err
		}
		t.Logf("%d: %v", i, err)
	}
	return j, err
}

// join is one race: red and blue are connected, blue changes the layout and asks red to a battle, and somebody joins red.
type join struct {
	*client.Client
	red, blue string
	between   bool // the state has some of the events, and not all
}

// layouts are those that red has, one after another.
var layouts = []string{"hostDynamicGrid", "hostDynamic1v6", "hostDynamicFloat"}

func (j *join) run(ctx context.Context) error {
	if err := j.arrange(ctx); err != nil {
		return err
	}
	before, err := j.state(ctx)
	if err != nil {
		return err
	}
	var happens sync.WaitGroup
	var arranged, asked error
	happens.Go(func() { arranged = j.change(ctx) })
	happens.Go(func() { asked = j.ask(ctx) })
	<-time.After(rand.N(5 * time.Millisecond)) // a commit takes about as long
	state, err := j.state(ctx)
	happens.Wait()
	if err := errors.Join(err, arranged, asked); err != nil {
		return err
	}
	c, b := state.GetCohost().GetNumber()-before.GetCohost().GetNumber(), state.GetBattle().GetNumber()
	j.between = c == 1 || b == 1
	if layout := state.GetCohost().GetState().GetLayout(); layout != layouts[c] {
		return fmt.Errorf("after %d events the layout is %s", c, layout)
	}
	if is := state.GetBattle().GetBattle() != nil; is != (b == 1) {
		return fmt.Errorf("after %d events: in a battle %v", b, is)
	}
	return j.follow(ctx, state, before.GetCohost().GetNumber()+2, 3)
}

func (j *join) arrange(ctx context.Context) error {
	for _, live := range []string{j.red, j.blue} {
		if _, err := j.Cohost.CreateLive(ctx, &cohostv1.CreateLiveRequest{
			LiveId: live, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "u-" + live},
		}); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{j.red: j.blue, j.blue: j.red} { // both say yes
		if _, err := j.Cohost.RequestHostConnection(ctx, &cohostv1.RequestHostConnectionRequest{LiveId: from, TargetLiveIds: []string{to}}); err != nil {
			return err
		}
	}
	return nil
}

func (j *join) state(ctx context.Context) (*gatewayv1.GetLiveStateResponse, error) {
	return j.Gateway.GetLiveState(ctx, &gatewayv1.GetLiveStateRequest{LiveId: j.red})
}

// change makes two co-host events happen.
func (j *join) change(ctx context.Context) error {
	for _, layout := range layouts[1:] {
		if _, err := j.Cohost.SetLayoutTemplate(ctx, &cohostv1.SetLayoutTemplateRequest{LiveId: j.blue, LayoutTemplate: layout}); err != nil {
			return err
		}
	}
	return nil
}

// ask makes three battle events happen: that it is taken back, and that it is over, at once.
func (j *join) ask(ctx context.Context) error {
	r, err := j.Battle.RequestBattle(ctx, &battlev1.RequestBattleRequest{
		InviterLiveId: j.blue, TargetLiveIds: []string{j.red}, Config: &battlev1.BattleConfig{NeedResponse: true},
	})
	if err != nil {
		return err
	}
	_, err = j.Battle.CancelBattleRequest(ctx, &battlev1.CancelBattleRequestRequest{BattleId: r.GetBattle().GetBattleId(), LiveId: j.blue})
	return err
}

// follow watches from the state on until these were the last events.
func (j *join) follow(ctx context.Context, state *gatewayv1.GetLiveStateResponse, cohost, battle int64) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	stream, err := j.Gateway.WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: j.red, Offset: state.GetOffset()})
	if err != nil {
		return err
	}
	c, b := state.GetCohost().GetNumber(), state.GetBattle().GetNumber()
	for connected := false; !connected || c < cohost || b < battle; connected = true {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		switch p := m.GetPayload().(type) {
		case *gatewayv1.WatchLiveResponse_Connected_:
			if !p.Connected.GetRecovered() {
				return fmt.Errorf("a snapshot came instead of the events after %s", state.GetOffset())
			}
		case *gatewayv1.WatchLiveResponse_Cohost:
			if c++; p.Cohost.GetNumber() != c {
				return fmt.Errorf("co-host event %d, want %d", p.Cohost.GetNumber(), c)
			}
		case *gatewayv1.WatchLiveResponse_Battle:
			if b++; p.Battle.GetNumber() != b {
				return fmt.Errorf("battle event %d, want %d", p.Battle.GetNumber(), b)
			}
		}
	}
	if c != cohost || b != battle {
		return fmt.Errorf("events up to %d and %d, want %d and %d", c, b, cohost, battle)
	}
	return nil
}
