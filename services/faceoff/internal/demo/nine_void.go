package demo

import (
	"context"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// void is a battle that an admin declares void: it has no result, and what was given for it counts for nothing.
func (n *nine) void(ctx context.Context) error {
	b, battle, err := n.begin(ctx, "void", &battlev1.BattleConfig{DurationSeconds: unhurried, Mode: battlev1.BattleConfig_FREE_FOR_ALL}, n.lives[5:]...)
	if err != nil {
		return err
	}
	gifts := []int{3, 1, 2, 0}
	if err := n.sendEach(ctx, b, battle, 0, gifts...); err != nil {
		return err
	}
	b.account.Counted = b.counted()
	in := &battlev1.VoidBattleRequest{Reason: "a rule was broken"}
	n.checkRefused("a void by a host", n.order(ctx, b, b.sides[0].token, "void", in), "PERMISSION_DENIED")
	if err := n.order(ctx, b, n.admin, "void", in); err != nil {
		return err
	}
	n.tell("admin", "voids the battle")
	voided, err := n.awaitEnded(ctx, b, battlev1.Battle_VOIDED)
	if err != nil {
		return err
	}
	n.check("a void battle has no result", voided.GetResult() == nil, "it is %v", voided)
	return n.checkVoid(ctx, b, planEach(b, gifts))
}

// checkVoid waits until the scores are void, and looks at the receipts of all gifts that were counted.
func (n *nine) checkVoid(ctx context.Context, b *bout, gifts []planned) error {
	status, err := eventually(ctx, scorev1.BattleScores_VOID, func(ctx context.Context) (scorev1.BattleScores_Status, error) {
		out := new(scorev1.GetBattleScoresResponse)
		err := n.get(ctx, n.service, client.Path("v1", "battles", b.battle, "scores"), out)
		b.account.Scores = out.GetScores().GetScores()
		return out.GetScores().GetStatus(), err
	})
	if err != nil {
		return err
	}
	n.check("the scores are void", status == scorev1.BattleScores_VOID, "they are %s", status)
	for _, g := range gifts {
		receipt, err := eventually(ctx, true, func(ctx context.Context) (bool, error) {
			out := new(scorev1.GetGiftResponse)
			err := n.get(ctx, n.service, client.Path("v1", "lives", g.event.GetLiveId(), "gifts", g.event.GetEventId()), out)
			return out.GetVerdict().GetVoided() && out.GetVerdict().GetBattleId() == b.battle, err
		})
		if err != nil {
			return err
		}
		n.check("the receipt of "+g.event.GetEventId()+" of "+g.event.GetLiveId()+" is void", receipt, "it is not")
	}
	n.tell("backend", "finds %d receipts void", len(gifts))
	return nil
}

// eventually asks until the answer is the one that is looked for, for a little while, and returns the last answer.
func eventually[T comparable](ctx context.Context, want T, ask func(context.Context) (T, error)) (T, error) {
	over := time.NewTimer(5 * time.Second)
	defer over.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := ask(ctx)
		if err != nil || got == want {
			return got, err
		}
		select {
		case <-tick.C:
		case <-over.C:
			return got, nil
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}
