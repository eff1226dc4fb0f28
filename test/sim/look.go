package sim

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// saw records what a read said, if it said anything.
func saw[M proto.Message](c *client, log string, said M, err error) {
	if err == nil {
		c.h.saw(check.Look{Said: said, After: c.w.head(log)})
	}
}

// patient is a context for a read.
func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Second)
}

func (c *client) state(live string) (*cohostv1.CoHostState, error) {
	ctx, cancel := patient()
	defer cancel()
	r, err := c.cohost.GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: live})
	saw(c, cohostLog, r.GetState(), err)
	return r.GetState(), err
}

// look reads something, while faults happen.
func (a *actor) look() {
	if a.rng.IntN(4) == 0 {
		_, _ = a.state(a.live()) // not being answered is no fault
		return
	}
	ctx, cancel := patient()
	defer cancel()
	if g, ok := recent(a.h, &a.h.sent, a.rng.IntN(100)); ok && a.rng.IntN(3) == 0 {
		r, err := a.score.GetGift(ctx, &scorev1.GetGiftRequest{LiveId: g.GetLiveId(), EventId: g.GetEventId()})
		saw(a.client, logOf(g.GetLiveId()), r.GetVerdict(), err)
		return
	}
	b, ok := recent(a.h, &a.h.battles, a.rng.IntN(100))
	switch {
	case !ok:
	case a.rng.IntN(2) == 0:
		r, err := a.battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: b.GetBattleId()})
		saw(a.client, battleLog, r.GetBattle(), err)
	default:
		r, err := a.score.GetBattleScores(ctx, &scorev1.GetBattleScoresRequest{BattleId: b.GetBattleId()})
		saw(a.client, battleLog, r.GetScores(), err)
	}
}
