package demo

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// consent is a battle that all sides agree to extend, and then to end.
func (n *nine) consent(ctx context.Context) error {
	const more = 30
	b, battle, err := n.begin(ctx, "consent", &battlev1.BattleConfig{DurationSeconds: unhurried, Mode: battlev1.BattleConfig_FREE_FOR_ALL}, n.lives[4:7]...)
	if err != nil {
		return err
	}
	if err := n.agree(ctx, b, battlev1.Proposal_EXTEND, "extend", func(h *host) proto.Message {
		return &battlev1.ExtendBattleRequest{LiveId: h.live, ExtendSeconds: more}
	}); err != nil {
		return err
	}
	want := battle.GetEndsAt().AsTime().Add(more * time.Second)
	for _, h := range b.sides {
		e, err := await(ctx, h.viewer, "BattleExtended", func(m *message) (*battlev1.BattleExtended, bool) {
			e := m.GetBattle().GetBattleExtended()
			return e, e.GetBattle().GetBattleId() == b.battle
		})
		if err != nil {
			return err
		}
		n.check(h.live+" is told the new end", e.GetExtendSeconds() == more && e.GetBattle().GetEndsAt().AsTime().Equal(want), "it is %v, not %v", e, want)
	}
	n.tell("all sides", "BattleExtended, until %s", want.Format("15:04:05.000"))
	if err := n.sendEach(ctx, b, battle, 0, 2, 2, 1); err != nil {
		return err
	}
	if err := n.agree(ctx, b, battlev1.Proposal_END, "end", func(h *host) proto.Message {
		return &battlev1.EndBattleRequest{LiveId: h.live, Reason: "enough"}
	}); err != nil {
		return err
	}
	_, err = n.settle(ctx, b, battlev1.Battle_CUT_SHORT)
	return err
}

// agree has the first side propose and all others consent; all are told who has said yes so far.
func (n *nine) agree(ctx context.Context, b *bout, kind battlev1.Proposal_Kind, verb string, in func(*host) proto.Message) error {
	for i, h := range b.sides {
		if err := n.order(ctx, b, h.token, verb, in(h)); err != nil {
			return err
		}
		if i == len(b.sides)-1 {
			n.tell(h.user, "is the last to say yes to %s", kind)
			break // what was proposed is told instead
		}
		n.tell(h.user, "says yes to %s", kind)
		change := battlev1.BattleProposal_CONSENTED
		if i == 0 {
			change = battlev1.BattleProposal_MADE
		}
		for _, side := range b.sides {
			e, err := await(ctx, side.viewer, "BattleProposal", func(m *message) (*battlev1.BattleProposal, bool) {
				e := m.GetBattle().GetBattleProposal()
				return e, e.GetBattleId() == b.battle && e.GetProposal().GetKind() == kind && e.GetUser().GetLiveId() == h.live
			})
			if err != nil {
				return err
			}
			n.check(side.live+" is told the yes of "+h.live+" to "+kind.String(), e.GetChange() == change &&
				len(e.GetProposal().GetConsentedLiveIds()) == i+1, "it is %v", e)
		}
	}
	return nil
}
