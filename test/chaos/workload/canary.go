package workload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

const (
	// canaryEvery is how often a canary writes, and how soon it tries again at the next gateway.
	canaryEvery = 20 * time.Millisecond
	// canaryTry is how long it waits for one answer.
	canaryTry = 500 * time.Millisecond
	// canaryBattle is longer than any round.
	canaryBattle = 1800
)

// Canary finds out when the product can be written to. It makes cheap writes without a break: one canary opens and ends a live, which cohost
// decides, another sends a gift to a battle, which score decides. Each repeats a write until it is acknowledged.
type Canary struct {
	w  *Workload
	mu sync.Mutex
	// acked are the times of the acknowledgements of each canary, by the history's clock.
	acked  [canaries][]time.Duration
	faults [canaries]error
	// stop ends the canaries between two writes, giveUp at once.
	stop, giveUp context.CancelFunc
	running      sync.WaitGroup
}

const (
	liveCanary = iota
	giftCanary
	canaries
)

var canaryLives = []string{"canary-red", "canary-blue"}

// Canary opens a battle and starts the canaries on it. The cluster must be whole.
func (w *Workload) Canary(ctx context.Context) (*Canary, error) {
	k := &Canary{w: w}
	c := w.client(canaryProcess)
	red, blue := canaryLives[0], canaryLives[1]
	others := []string{blue}
	for _, m := range []command{
		c.canaryCreate(red),
		c.canaryCreate(blue),
		c.canaryCommand(check.Invite, call.Command{Live: red, Others: others},
			&cohostv1.RequestHostConnectionRequest{LiveId: red, TargetLiveIds: others, TimeoutSeconds: 60}),
		c.canaryCommand(check.Accept, call.Command{Live: blue, Others: []string{red}},
			&cohostv1.AcceptHostConnectionRequest{LiveId: blue, FromLiveId: red}),
		c.canaryCommand(check.RequestBattle, call.Command{Live: red, Others: others},
			&battlev1.RequestBattleRequest{InviterLiveId: red, TargetLiveIds: others, Config: &battlev1.BattleConfig{DurationSeconds: canaryBattle}}),
	} {
		if err := k.command(ctx, c, m); err != nil {
			return nil, err
		}
	}
	asking, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	writing, stop := context.WithCancel(asking)
	k.stop, k.giveUp = stop, giveUp
	for i, write := range []func(context.Context, *client, int) error{liveCanary: k.live, giftCanary: k.gift} {
		c := w.client(canaryProcess + i)
		k.running.Go(func() {
			for n := 0; k.faults[i] == nil && wait(writing, canaryEvery); n++ { // what is begun is brought to an end
				if k.faults[i] = write(asking, c, n); k.faults[i] == nil {
					k.mu.Lock()
					k.acked[i] = append(k.acked[i], c.h.Now())
					k.mu.Unlock()
				}
			}
		})
	}
	return k, nil
}

func (c *client) canaryCommand(kind check.Kind, what call.Command, request proto.Message) command {
	what.Door = byGRPC
	return c.command(backend, kind, what, request)
}

func (c *client) canaryCreate(live string) command {
	return c.canaryCommand(check.CreateLive, call.Command{Live: live},
		&cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VOICE, Host: &userv1.User{UserId: hostOf(live)}})
}

func (c *client) canaryEnd(live string) command {
	return c.canaryCommand(check.EndLive, call.Command{Live: live}, &cohostv1.EndLiveRequest{LiveId: live})
}

// live opens a live, or ends the one that it has opened.
func (k *Canary) live(ctx context.Context, c *client, n int) error {
	live := fmt.Sprintf("canary-%d", n/2)
	if n%2 == 0 {
		return k.command(ctx, c, c.canaryCreate(live))
	}
	return k.command(ctx, c, c.canaryEnd(live))
}

func (k *Canary) command(ctx context.Context, c *client, m command) error {
	return k.until(ctx, c, string(m.kind), m.Command, m.invocation, func(r proto.Message) any {
		var a answer
		a.read(r)
		return a.Done
	})
}

// gift sends a gift.
func (k *Canary) gift(ctx context.Context, c *client, n int) error {
	gifts := []*scorev1.GiftEvent{{
		EventId: fmt.Sprintf("canary-%d", n), LiveId: canaryLives[n%2], Sender: &userv1.User{UserId: "canary"}, GiftId: "rose",
		Category: scorev1.GiftEvent_BASIC, UnitValue: 1, Count: 1, SentAt: timestamppb.New(time.Now().Truncate(time.Millisecond)),
	}}
	i := invocation{backend, "", scorev1.ScoreService_SendGifts_FullMethodName, &scorev1.SendGiftsRequest{Gifts: gifts}}
	return k.until(ctx, c, call.SendGifts, call.Gifts{Door: byGRPC, Gifts: call.Messages(gifts)}, i, func(r proto.Message) any {
		return call.Verdicts{Verdicts: call.Messages(r.(*scorev1.SendGiftsResponse).GetVerdicts())}
	})
}

// until makes one call until it is acknowledged, at one gateway after another. Nothing that a canary does can be refused.
func (k *Canary) until(ctx context.Context, c *client, f string, what any, i invocation, read func(proto.Message) any) error {
	for try := 0; ; try++ {
		attempt, cancel := context.WithTimeout(ctx, canaryTry)
		kind := c.record(f, i.key, what, func() (any, error) {
			response, err := c.invokeAt(attempt, c.gateways[try%len(c.gateways)], byGRPC, i)
			if err != nil {
				return nil, err
			}
			return read(response), nil
		})
		cancel()
		switch {
		case kind == history.OK:
			return nil
		case kind == history.Fail:
			return fmt.Errorf("%s of a canary is refused", f)
		case !wait(ctx, canaryEvery):
			return fmt.Errorf("%s of a canary: %w", f, ctx.Err())
		}
	}
}

// Stop ends the canaries when each has been acknowledged once more, and with them what they began. The error says what was not
// acknowledged before ctx ended.
func (k *Canary) Stop(ctx context.Context) error {
	for before := k.counts(); ; {
		now := k.counts()
		if now[liveCanary] > before[liveCanary] && now[giftCanary] > before[giftCanary] || !wait(ctx, canaryEvery) {
			break
		}
	}
	k.stop()
	defer context.AfterFunc(ctx, k.giveUp)()
	k.running.Wait()
	k.giveUp()
	c := k.w.client(canaryProcess)
	errs := k.faults[:]
	for _, live := range canaryLives {
		errs = append(errs, k.command(ctx, c, c.canaryEnd(live)))
	}
	return errors.Join(errs...)
}

func (k *Canary) counts() (n [canaries]int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, acked := range k.acked {
		n[i] = len(acked)
	}
	return n
}

// Outage is the longest time without an acknowledgement that a canary knew between two moments by the history's clock: it may have begun before
// the first one and ended after the second.
func (k *Canary) Outage(from, to time.Duration) (longest time.Duration) {
	for _, acked := range k.acked {
		for i := 1; i < len(acked); i++ {
			if acked[i] >= from && acked[i-1] <= to {
				longest = max(longest, acked[i]-acked[i-1])
			}
		}
	}
	return longest
}
