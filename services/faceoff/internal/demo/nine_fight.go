package demo

import (
	"context"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

func (n *nine) seconds() int32 { return int32(n.duration / time.Second) }

// nineWays is a battle of all, each for itself: two in the middle are equal, and one gets nothing.
func (n *nine) nineWays(ctx context.Context) error {
	b, battle, err := n.begin(ctx, "free", &battlev1.BattleConfig{
		DurationSeconds: n.seconds(), NeedResponse: true, Mode: battlev1.BattleConfig_FREE_FOR_ALL,
	}, n.lives...)
	if err != nil {
		return err
	}
	if err := n.sendEach(ctx, b, battle, n.duration/2, 9, 4, 6, 6, 1, 0, 3, 2, 7); err != nil {
		return err
	}
	r, err := n.settle(ctx, b, battlev1.Battle_TIME_OVER)
	n.check("all nine are in the result, and no teams", err != nil || len(r.GetLives()) == 9 && len(r.GetTeams())+len(r.GetWinnerTeamIds()) == 0, "it is %v", r)
	return err
}

// fourAgainstFive is a battle in which the four gather more than the five, though the best live is one of the five.
func (n *nine) fourAgainstFive(ctx context.Context) error {
	four, five := n.lives[:4], n.lives[4:]
	b, battle, err := n.begin(ctx, "teams", &battlev1.BattleConfig{
		DurationSeconds: n.seconds(), Mode: battlev1.BattleConfig_TEAMS, Teams: teams(four, five),
	}, n.lives...)
	if err != nil {
		return err
	}
	if err := n.sendEach(ctx, b, battle, n.duration/2, 6, 6, 5, 6, 9, 1, 2, 1, 0); err != nil {
		return err
	}
	r, err := n.settle(ctx, b, battlev1.Battle_TIME_OVER)
	n.check("both teams are in the result", err != nil || len(r.GetTeams()) == 2 && len(r.GetLives()) == 9, "it is %v", r)
	return err
}

// teams are red and blue.
func teams(red, blue []*host) []*battlev1.BattleConfig_Team {
	return []*battlev1.BattleConfig_Team{
		{TeamId: "red", LiveIds: names(red)}, {TeamId: "blue", LiveIds: names(blue)},
	}
}
