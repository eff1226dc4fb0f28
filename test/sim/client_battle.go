package sim

import (
	"context"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

func (c *client) requestBattle(live string, targets []string, config *battlev1.BattleConfig) (o check.Op, b *battlev1.Battle) {
	o = c.do(check.Op{Kind: check.RequestBattle, Live: live, Others: targets}, func(ctx context.Context, o *check.Op) error {
		r, err := c.battle.RequestBattle(ctx, &battlev1.RequestBattleRequest{
			InviterLiveId: live, TargetLiveIds: targets, TimeoutSeconds: 2, Config: config,
		})
		o.Battle, b = r.GetBattle().GetBattleId(), r.GetBattle()
		return err
	})
	return o, b
}

// onBattle does something with a battle.
func (c *client) onBattle(kind check.Kind, battle, live string) check.Op {
	return c.do(check.Op{Kind: kind, Live: live, Battle: battle}, func(ctx context.Context, _ *check.Op) (err error) {
		switch kind {
		case check.AcceptBattle:
			_, err = c.battle.AcceptBattle(ctx, &battlev1.AcceptBattleRequest{BattleId: battle, LiveId: live})
		case check.RejectBattle:
			_, err = c.battle.RejectBattle(ctx, &battlev1.RejectBattleRequest{BattleId: battle, LiveId: live})
		case check.CancelBattle:
			_, err = c.battle.CancelBattleRequest(ctx, &battlev1.CancelBattleRequestRequest{BattleId: battle, LiveId: live})
		default:
			_, err = c.battle.ExitBattle(ctx, &battlev1.ExitBattleRequest{BattleId: battle, LiveId: live})
		}
		return err
	})
}
