package sim

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/metadata"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// client is a caller from outside. It repeats a call with the same id until it knows the outcome, or gives up.
type client struct {
	w      *world
	h      *history
	name   string
	number int
	// since is the part of COHOST_00 that reads must know of: 0 while replicas may be behind.
	since uint64
	// session, if not empty, is named by all commands, and as is the live whose host makes them; empty for a backend.
	session, as string

	cohost cohostv1.CohostServiceClient
	battle battlev1.BattleServiceClient
	score  scorev1.ScoreServiceClient
}

// newClient makes a client; only is the replica that it calls, from 1, or 0 for any.
func newClient(w *world, h *history, name string, only int) *client {
	return &client{
		w: w, h: h, name: name,
		cohost: cohostv1.NewCohostServiceClient(&door{world: w, service: cohostService, only: only}),
		battle: battlev1.NewBattleServiceClient(&door{world: w, service: battleService, only: only}),
		score:  scorev1.NewScoreServiceClient(&door{world: w, service: scoreService, only: only}),
	}
}

const tries = 8

// do has a command decided and records the answer.
func (c *client) do(o check.Op, call func(ctx context.Context, o *check.Op) error) check.Op {
	c.number++
	o.ID = fmt.Sprintf("sim/%s-%d", c.name, c.number)
	o.Session = c.session
	if c.as != "" {
		o.As = c.as
	}
	return c.again(o, call)
}

// again is do for a command that has its id.
func (c *client) again(o check.Op, call func(ctx context.Context, o *check.Op) error) check.Op {
	own := battleLog
	if o.Kind.InCohost() {
		own = cohostLog
	}
	o.Outcome = check.Unknown
	for try := range tries {
		o.Own.Before, o.Cohost.Before = c.w.head(own), c.w.head(cohostLog)
		if !o.Tried {
			o.Tried, o.Since, o.SinceCohost = true, o.Own.Before, o.Cohost.Before
		}
		ctx, cancel := context.WithTimeout(context.Background(), c.w.faults.between(300*time.Millisecond, 5*time.Second))
		err := call(callAs(rpc.WithCommandID(ctx, o.ID[len("sim/"):]), o), &o)
		cancel()
		o.Own.After, o.Cohost.After = c.w.head(own), c.w.head(cohostLog)
		if err == nil {
			o.Outcome = check.OK
			break
		}
		refusal, known := rpc.Refusal(err)
		if known && refusal.Reason != "UNAVAILABLE" && refusal.Reason != "DEADLINE_EXCEEDED" && refusal.Reason != "RATE_LIMITED" {
			o.Outcome, o.Reason = check.Refused, refusal.Reason
			break
		}
		_ = wait(context.Background(), c.w.faults.between(time.Millisecond, time.Duration(try+1)*200*time.Millisecond))
	}
	c.h.add(o, call)
	return o
}

// callAs is the context of a call that names the session of a command, and the host whose it is.
func callAs(ctx context.Context, o check.Op) context.Context {
	if o.Session != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "faceoff-session", o.Session)
	}
	if o.As != "" {
		ctx = auth.With(ctx, auth.Principal{Key: caller.Key, User: caller.User, Live: o.As, Role: auth.Host})
	}
	return ctx
}

// gifts sends gift events until there are verdicts for them, or gives up. It reports whether there are.
func (c *client) gifts(events ...*scorev1.GiftEvent) bool {
	for try := range tries {
		recorded := make([]check.Gift, len(events))
		for i, e := range events {
			name := check.LogOf(e.GetLiveId(), partitions)
			recorded[i] = check.Gift{
				GiftID: check.GiftID{Live: e.GetLiveId(), Event: e.GetEventId()}, Points: check.Worth(e), Log: name, Battle: c.w.head(battleLog), Sent: e,
			}
			recorded[i].Window.Before = c.w.head(name)
		}
		ctx, cancel := context.WithTimeout(context.Background(), c.w.faults.between(300*time.Millisecond, 5*time.Second))
		r, err := c.score.SendGifts(ctx, &scorev1.SendGiftsRequest{Gifts: events})
		cancel()
		c.h.addSent(events, r.GetVerdicts())
		if err == nil {
			for i, v := range r.GetVerdicts() {
				recorded[i].Verdict = v
				recorded[i].Window.After = c.w.head(recorded[i].Log)
			}
			c.h.addGifts(recorded)
			return true
		}
		if refusal, known := rpc.Refusal(err); known && refusal.Reason != "UNAVAILABLE" && refusal.Reason != "DEADLINE_EXCEEDED" && refusal.Reason != "RATE_LIMITED" {
			c.w.found("gifts %v are refused: %v", events, err)
		}
		_ = wait(context.Background(), c.w.faults.between(time.Millisecond, time.Duration(try+1)*200*time.Millisecond))
	}
	c.h.giftsUnknown(len(events))
	return false
}
