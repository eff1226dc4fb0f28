package workload

import (
	"context"
	"fmt"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// battle requests a battle with some of those that a live is connected with. If they have to answer, they do.
func (c *client) battle(ctx context.Context) {
	live, targets := c.connected(ctx)
	if len(targets) == 0 {
		if !c.chance(10) {
			return
		}
		x, y := c.two()
		live, targets = x, []string{y}
	}
	config := c.config(live, targets)
	a := c.requestBattle(ctx, live, targets, config, 1+c.rng.Int32N(2))
	if a.Battle != "" && config.GetNeedResponse() {
		c.answerBattle(ctx, a.Battle, live, targets)
	}
}

// config is how a live battles with others.
func (c *client) config(live string, targets []string) *battlev1.BattleConfig {
	x := &battlev1.BattleConfig{DurationSeconds: 2 + c.rng.Int32N(3), NeedResponse: c.chance(50), ExtensionInfo: c.info()}
	if c.chance(30) {
		x.PunishmentSeconds = 1 + c.rng.Int32N(2)
	}
	if c.chance(15) {
		x.BestOf, x.DurationSeconds = 3, 1
	}
	switch n := c.rng.IntN(10); {
	case n < 5:
		x.Mode = battlev1.BattleConfig_FREE_FOR_ALL
	case n < 7:
		x.Mode = battlev1.BattleConfig_ONE_VS_MANY
	default:
		x.Mode, x.Teams = battlev1.BattleConfig_TEAMS, c.teams(append([]string{live}, targets...))
	}
	return x
}

// teams puts lives into two teams, or three.
func (c *client) teams(lives []string) []*battlev1.BattleConfig_Team {
	teams := make([]*battlev1.BattleConfig_Team, min(2+c.rng.IntN(2), len(lives)))
	for i, seat := range c.rng.Perm(len(lives)) {
		n := i
		if i >= len(teams) { // nobody is alone against nobody
			n = c.rng.IntN(len(teams))
		} else {
			teams[i] = &battlev1.BattleConfig_Team{TeamId: fmt.Sprintf("team%d", i)}
		}
		teams[n].LiveIds = append(teams[n].LiveIds, lives[seat])
	}
	return teams
}

// answerBattle has those that are asked to a battle answer, at the same moment or just when it times out; meanwhile it may be taken back,
// for all or for some.
func (c *client) answerBattle(ctx context.Context, battle, inviter string, targets []string) {
	at := time.Now().Add(c.between(0, 400*time.Millisecond))
	if f, ok := c.heardOf(battle); ok && c.chance(25) && !f.expires.IsZero() {
		at = f.expires
	}
	var deeds []func(*client)
	for _, target := range targets {
		if c.chance(10) {
			continue // not all answer
		}
		deeds = append(deeds, func(side *client) {
			if side.chance(15) {
				side.rejectBattle(ctx, battle, target)
			} else {
				side.acceptBattle(ctx, battle, target)
			}
		})
	}
	switch n := c.rng.IntN(10); {
	case n < 1:
		deeds = append(deeds, func(side *client) { side.cancelBattle(ctx, battle, inviter) })
	case n < 4:
		deeds = append(deeds, func(side *client) { side.cancelBattle(ctx, battle, inviter, pick(side, targets)) })
	}
	c.together(ctx, at, deeds...)
}

func (c *client) heardOf(battle string) (fight, bool) {
	c.stage.mu.Lock()
	defer c.stage.mu.Unlock()
	f, ok := c.stage.fight[battle]
	return f, ok
}

// phase is where a battle should be by now.
type phase int

const (
	waits phase = iota
	runs
	ended
)

func (f fight) phase() phase {
	switch {
	case f.ended || !f.ends.IsZero() && !time.Now().Before(f.ends):
		return ended
	case !f.starts.IsZero():
		return runs
	}
	return waits
}

// act is something that is done to a battle for one of its lives, and the phase in which it can come to something.
type act struct {
	weight int
	when   phase
	do     func(c *client, ctx context.Context, f fight, live string)
}

var acts = []act{
	{10, waits, func(c *client, ctx context.Context, f fight, live string) { c.acceptBattle(ctx, f.id, live) }},
	{4, waits, func(c *client, ctx context.Context, f fight, live string) { c.rejectBattle(ctx, f.id, live) }},
	{4, waits, func(c *client, ctx context.Context, f fight, _ string) { c.cancelBattle(ctx, f.id, f.inviter) }},
	{6, waits, func(c *client, ctx context.Context, f fight, live string) { c.cancelBattle(ctx, f.id, f.inviter, live) }},
	{8, runs, func(c *client, ctx context.Context, f fight, live string) { c.exitBattle(ctx, f.id, live) }},
	{4, runs, func(c *client, ctx context.Context, _ fight, live string) { c.exit(ctx, live) }}, // out of the connection, and so out of the battle
	{5, runs, func(c *client, ctx context.Context, f fight, live string) { c.endBattle(ctx, f.id, live) }},
	{5, runs, func(c *client, ctx context.Context, f fight, live string) { c.extendBattle(ctx, f.id, live, 1) }},
	{6, runs, (*client).agreeToEnd},
	{8, runs, (*client).agreeToMore},
	{3, runs, func(c *client, ctx context.Context, f fight, _ string) { c.endBattle(ctx, f.id, "") }},
	{4, runs, func(c *client, ctx context.Context, f fight, _ string) { c.extendBattle(ctx, f.id, "", 1) }},
	{6, runs, func(c *client, ctx context.Context, f fight, _ string) { c.voidBattle(ctx, f.id) }},
	{2, ended, func(c *client, ctx context.Context, f fight, live string) { c.exitBattle(ctx, f.id, live) }},
	{1, ended, func(c *client, ctx context.Context, f fight, _ string) { c.endBattle(ctx, f.id, "") }},
	{18, ended, (*client).rematchOf},
}

// inBattle does something with a battle of late that can come to something, at any time or just when it starts or ends.
func (c *client) inBattle(ctx context.Context) {
	f, ok := c.battleIn(pick(c, []phase{waits, runs, runs, ended}))
	if !ok {
		c.exitBattle(ctx, "none", c.live())
		return
	}
	x := c.act(f.phase())
	if c.chance(5) { // or to nothing
		x = pick(c, acts)
	}
	if at := pick(c, []time.Time{f.starts, f.ends}); c.chance(15) && !at.IsZero() && !c.at(ctx, at) {
		return
	}
	x.do(c, ctx, f, pick(c, f.lives))
}

// act draws one of a phase.
func (c *client) act(when phase) (x act) {
	total := 0
	for _, x := range acts {
		if x.when == when {
			total += x.weight
		}
	}
	n := c.rng.IntN(total)
	for _, x = range acts {
		if x.when != when {
			continue
		}
		if n -= x.weight; n < 0 {
			break
		}
	}
	return x
}

// battleIn is one of the last battles: in a phase, if one is found.
func (c *client) battleIn(when phase) (f fight, ok bool) {
	for range 16 {
		if f, ok = c.recent(16); !ok || f.phase() == when {
			break
		}
	}
	return f, ok
}

// agreeToEnd has the lives of a battle agree to end it; now and then one of them exits at the same moment.
func (c *client) agreeToEnd(ctx context.Context, f fight, _ string) {
	c.agree(ctx, f, func(side *client, live string) { side.endBattle(ctx, f.id, live) })
}

// agreeToMore has them agree that it takes longer.
func (c *client) agreeToMore(ctx context.Context, f fight, _ string) {
	c.agree(ctx, f, func(side *client, live string) { side.extendBattle(ctx, f.id, live, 1) })
}

func (c *client) agree(ctx context.Context, f fight, consent func(side *client, live string)) {
	exits := c.rng.IntN(4 * len(f.lives))
	var deeds []func(*client)
	for i, live := range f.lives {
		deeds = append(deeds, func(side *client) {
			if i == exits {
				side.exitBattle(ctx, f.id, live)
			} else {
				consent(side, live)
			}
		})
	}
	c.together(ctx, time.Now(), deeds...)
}

// rematchOf requests a battle again, as it was or in another way. Who has to answer may do so.
func (c *client) rematchOf(ctx context.Context, f fight, live string) {
	var config *battlev1.BattleConfig
	if c.chance(30) {
		config = &battlev1.BattleConfig{DurationSeconds: 1, Mode: battlev1.BattleConfig_FREE_FOR_ALL, NeedResponse: c.chance(40), PunishmentSeconds: c.rng.Int32N(2)}
	}
	a := c.rematch(ctx, f.id, live, config, 1+c.rng.Int32N(2))
	if a.battle.GetConfig().GetNeedResponse() && c.chance(70) {
		c.answerBattle(ctx, a.Battle, live, a.Accepted)
	}
}
