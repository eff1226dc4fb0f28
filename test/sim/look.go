package sim

import (
	"context"
	"strconv"
	"strings"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// saw records what a read said, if it said anything. It may be old, but it must have been so.
func (c *client) saw(log string, r check.Read, err error) {
	if err != nil {
		return
	}
	r.Window.After = c.w.head(log)
	c.h.saw(r)
}

// sawScores records what a read of scores said. They stand where it says, by log, or behind.
func (c *client) sawScores(m *scorev1.BattleScores, err error) {
	if err != nil {
		return
	}
	s := check.Scores{
		Where: "GetBattleScores", Battle: m.GetBattleId(), Points: m.GetScores(), Windows: map[string]check.Window{},
		Final: m.GetStatus() == scorev1.BattleScores_CLOSED,
	}
	for place := range strings.SplitSeq(m.GetSeq(), ",") {
		nn, text, _ := strings.Cut(place, ":")
		seq, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			c.w.found("battle %s: there is no such place as %q", s.Battle, m.GetSeq())
			return
		}
		log := "SCORE_" + nn
		s.Windows[log] = check.Window{Before: seq, After: c.w.head(log)}
	}
	c.h.sawScores(s)
}

// patient is a context for a read.
func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Second)
}

// look reads something, while faults happen.
func (a *actor) look() {
	if a.rng.IntN(2) == 0 {
		a.lookCohost()
		return
	}
	ctx, cancel := patient()
	defer cancel()
	if g, ok := recent(a.h, &a.h.sent, a.rng.IntN(100)); ok && a.rng.IntN(3) == 0 {
		r, err := a.score.GetGift(ctx, &scorev1.GetGiftRequest{LiveId: g.GetLiveId(), EventId: g.GetEventId()})
		a.saw(check.LogOf(g.GetLiveId(), partitions), check.Read{Question: check.AskGift, ID: g.GetLiveId(), Event: g.GetEventId(), Receipt: r.GetVerdict()}, err)
		return
	}
	b, ok := recent(a.h, &a.h.battles, a.rng.IntN(100))
	switch {
	case !ok:
	case a.rng.IntN(2) == 0:
		r, err := a.battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: b.GetBattleId()})
		a.saw(battleLog, check.Read{Question: check.AskBattle, ID: b.GetBattleId(), Battle: r.GetBattle()}, err)
		a.h.heard(r.GetBattle())
	default:
		r, err := a.score.GetBattleScores(ctx, &scorev1.GetBattleScoresRequest{BattleId: b.GetBattleId()})
		a.sawScores(r.GetScores(), err)
	}
}
