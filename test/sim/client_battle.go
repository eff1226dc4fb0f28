package sim

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// told is what all answers of battle have in common.
type told interface{ GetBattle() *battlev1.Battle }

// verb sends a request to battle.
type verb func(context.Context, battlev1.BattleServiceClient, proto.Message) (told, error)

func sends[Q proto.Message, R told](call func(battlev1.BattleServiceClient, context.Context, Q, ...grpc.CallOption) (R, error)) verb {
	return func(ctx context.Context, c battlev1.BattleServiceClient, request proto.Message) (told, error) {
		return call(c, ctx, request.(Q))
	}
}

var verbs = map[check.Kind]verb{
	check.RequestBattle: sends(battlev1.BattleServiceClient.RequestBattle),
	check.Rematch:       sends(battlev1.BattleServiceClient.Rematch),
	check.AcceptBattle:  sends(battlev1.BattleServiceClient.AcceptBattle),
	check.RejectBattle:  sends(battlev1.BattleServiceClient.RejectBattle),
	check.CancelBattle:  sends(battlev1.BattleServiceClient.CancelBattleRequest),
	check.ExitBattle:    sends(battlev1.BattleServiceClient.ExitBattle),
	check.EndBattle:     sends(battlev1.BattleServiceClient.EndBattle),
	check.ExtendBattle:  sends(battlev1.BattleServiceClient.ExtendBattle),
	check.VoidBattle:    sends(battlev1.BattleServiceClient.VoidBattle),
	check.RejoinBattle:  sends(battlev1.BattleServiceClient.RejoinBattle),
}

// inBattle has a request decided and records the answer, and the battle that it tells of.
func (c *client) inBattle(o check.Op) (check.Op, *battlev1.Battle) {
	var told atomic.Pointer[battlev1.Battle] // anybody may repeat the call later
	o = c.do(o, func(ctx context.Context, o *check.Op) error {
		if o.Live == "" && o.As == "" {
			ctx = auth.With(ctx, admin)
		}
		a, err := verbs[o.Kind](ctx, c.battle, o.Request)
		if err != nil {
			return err
		}
		b := a.GetBattle()
		told.Store(b)
		switch o.Kind {
		case check.RequestBattle, check.Rematch:
			o.Made, o.Accepted, o.Refusals = b.GetBattleId(), nil, map[string]string{}
			for target, result := range a.(interface {
				GetResults() map[string]*errorsv1.TargetResult
			}).GetResults() {
				if result.GetOk() {
					o.Accepted = append(o.Accepted, target)
				} else {
					o.Refusals[target] = result.GetReason()
				}
			}
		default: // read after the command
			c.saw(battleLog, check.Read{Question: check.AskBattle, ID: o.Battle, Battle: b, Of: o.ID}, nil)
		}
		return nil
	})
	b := told.Load()
	c.h.heard(b)
	return o, b
}

func (c *client) requestBattle(r *battlev1.RequestBattleRequest) (check.Op, *battlev1.Battle) {
	return c.inBattle(check.Op{Kind: check.RequestBattle, Live: r.GetInviterLiveId(), Others: append(r.GetTargetLiveIds(), r.GetTargetUserIds()...), Request: r})
}

func (c *client) rematch(r *battlev1.RematchRequest) (check.Op, *battlev1.Battle) {
	return c.inBattle(check.Op{Kind: check.Rematch, Live: r.GetLiveId(), Battle: r.GetBattleId(), Request: r})
}
