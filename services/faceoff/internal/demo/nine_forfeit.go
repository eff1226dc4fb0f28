package demo

import (
	"context"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// forfeitAlone is a battle of three that ends when one is left, who wins though the others have more.
func (n *nine) forfeitAlone(ctx context.Context) error {
	sides := n.lives[:3]
	b, battle, err := n.begin(ctx, "alone", &battlev1.BattleConfig{DurationSeconds: unhurried, Mode: battlev1.BattleConfig_FREE_FOR_ALL}, sides...)
	if err != nil {
		return err
	}
	return n.forfeit(ctx, b, battle, []int{4, 1, 3}, sides[0], sides[2])
}

// forfeitTeam is a battle of two against three that ends when one team has left, with more points; one of the others had
// left before, and its points stay with its team.
func (n *nine) forfeitTeam(ctx context.Context) error {
	red, blue := n.lives[3:5], n.lives[5:8]
	b, battle, err := n.begin(ctx, "team", &battlev1.BattleConfig{
		DurationSeconds: unhurried, Mode: battlev1.BattleConfig_TEAMS, Teams: teams(red, blue),
	}, n.lives[3:8]...)
	if err != nil {
		return err
	}
	return n.forfeit(ctx, b, battle, []int{4, 4, 1, 2, 0}, blue[1], red[0], red[1])
}

// forfeit has sides leave a battle, which ends with the last of them, and not before.
func (n *nine) forfeit(ctx context.Context, b *bout, battle *battlev1.Battle, gifts []int, leavers ...*host) error {
	if err := n.sendEach(ctx, b, battle, 0, gifts...); err != nil {
		return err
	}
	for _, leaver := range leavers {
		now, err := n.getBattle(ctx, leaver, b.battle)
		if err != nil {
			return err
		}
		n.check("the battle "+b.name+" goes on until "+leaver.live+" leaves", now.GetStatus() == battlev1.Battle_RUNNING, "it is %v", now)
		if err := n.leave(ctx, b, leaver); err != nil {
			return err
		}
	}
	_, err := n.settle(ctx, b, battlev1.Battle_FORFEIT)
	return err
}

// leave has a host exit a battle; it is told so, and all that are still there.
func (n *nine) leave(ctx context.Context, b *bout, leaver *host) error {
	if err := n.order(ctx, b, leaver.token, "exit", &battlev1.ExitBattleRequest{LiveId: leaver.live}); err != nil {
		return err
	}
	n.tell(leaver.user, "exits the battle")
	for _, h := range b.sides {
		if b.exited[h.live] {
			continue
		}
		reason, err := await(ctx, h.viewer, "UserExitBattle of "+leaver.live, func(m *message) (battlev1.UserExitBattle_Reason, bool) {
			e := m.GetBattle().GetUserExitBattle()
			return e.GetReason(), e.GetBattleId() == b.battle && e.GetUser().GetLiveId() == leaver.live
		})
		if err != nil {
			return err
		}
		n.check(h.live+" is told that "+leaver.live+" exited by itself", reason == battlev1.UserExitBattle_EXITED, "the reason is %s", reason)
	}
	b.exited[leaver.live] = true
	return nil
}
