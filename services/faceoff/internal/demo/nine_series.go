package demo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// bestOfThree is a series of which the first of three hosts wins the first and the last round, and the second the one between.
// Nobody asks for the later rounds.
func (n *nine) bestOfThree(ctx context.Context) error {
	sides := n.lives[:3]
	b, battle, err := n.begin(ctx, "round-1", &battlev1.BattleConfig{
		DurationSeconds: n.seconds(), Mode: battlev1.BattleConfig_FREE_FOR_ALL, BestOf: 3,
	}, sides...)
	if err != nil {
		return err
	}
	series := battle.GetSeries().GetSeriesId()
	wins := make(map[string]int32)
	for round, gifts := range [][]int{{3, 1, 2}, {1, 3, 2}, {4, 1, 0}} {
		if round > 0 {
			if b, battle, err = n.nextRound(ctx, series, int32(round+1), sides); err != nil {
				return err
			}
		}
		if err := n.sendEach(ctx, b, battle, n.duration/2, gifts...); err != nil {
			return err
		}
		if _, err := n.settle(ctx, b, battlev1.Battle_TIME_OVER); err != nil {
			return err
		}
		lives, _ := b.standings()
		if first := best(lives); len(first) == 1 {
			wins[first[0]]++
		}
		if err := n.checkSeries(ctx, b, int32(round+1), wins); err != nil {
			return err
		}
	}
	return nil
}

// nextRound waits for a round of a series, which begins by itself.
func (n *nine) nextRound(ctx context.Context, series string, round int32, sides []*host) (*bout, *battlev1.Battle, error) {
	b := newBout(fmt.Sprintf("round-%d", round), sides)
	next, err := await(ctx, sides[0].viewer, b.name, func(m *message) (*battlev1.Battle, bool) {
		next := m.GetBattle().GetBattleStarted().GetBattle()
		return next, next.GetSeries().GetSeriesId() == series && next.GetSeries().GetRound() == round
	})
	if err != nil {
		return nil, nil, err
	}
	n.register(b, next)
	started, err := n.awaitStarted(ctx, b)
	return b, started, err
}

// checkSeries compares the series, as a round leaves it, with the own count of the rounds won.
func (n *nine) checkSeries(ctx context.Context, b *bout, round int32, wins map[string]int32) error {
	battle, err := n.getBattle(ctx, b.sides[0], b.battle)
	if err != nil {
		return err
	}
	s := battle.GetSeries()
	got := make(map[string]int32)
	for _, w := range s.GetWins() {
		got[w.GetSide()] = w.GetRounds()
	}
	n.check("the rounds won after "+b.name+" are the own count", s.GetBestOf() == 3 && s.GetRound() == round && maps.Equal(got, wins), "it is %v, counted %v", s, wins)
	leader := slices.MaxFunc(slices.Sorted(maps.Keys(wins)), func(a, b string) int { return cmp.Compare(wins[a], wins[b]) })
	winner, reason := "", battlev1.Series_END_REASON_UNSPECIFIED
	if wins[leader] > 1 {
		winner, reason = leader, battlev1.Series_MAJORITY
	}
	n.check("the series goes on after "+b.name+" unless one has won most of it", s.GetDecided() == (winner != "") &&
		s.GetWinner() == winner && s.GetEndReason() == reason && (winner == "") == (s.GetNextRoundAt() != nil), "it is %v, not won by %q", s, winner)
	if winner != "" {
		n.tell("all sides", "%s wins the series, %d rounds of %d", winner, wins[winner], round)
	}
	return nil
}
