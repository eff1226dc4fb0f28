package sim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// fight requests a battle with some of those that a live is connected with.
func (a *actor) fight() {
	live, targets := a.opponents()
	if len(targets) == 0 {
		x, y := a.two()
		live, targets = x, []string{y}
	} else if _, stranger := a.two(); a.rng.IntN(12) == 0 && stranger != live && len(targets) < 8 {
		targets = append(a.others(live, append(targets, live), 1), targets...)
	}
	r := &battlev1.RequestBattleRequest{
		InviterLiveId: live, TargetLiveIds: targets, TimeoutSeconds: 1 + a.rng.Int32N(3), Config: a.config(live, targets),
	}
	if a.rng.IntN(8) == 0 {
		r.TargetLiveIds = nil
		for _, target := range targets {
			r.TargetUserIds = append(r.TargetUserIds, user(target).GetUserId())
		}
	}
	_, b := a.requestBattle(r)
	if b.GetConfig().GetNeedResponse() && a.rng.IntN(2) == 0 {
		a.answerAll(b)
	}
}

// answerAll has all that were asked to a battle answer it, most of them with yes, while its inviter may take it back.
func (a *actor) answerAll(b *battlev1.Battle) {
	no, back := a.rng.IntN(3*len(b.GetUsers())), a.rng.IntN(8)
	some := b.GetUsers()[a.rng.IntN(len(b.GetUsers()))].GetLiveId()
	a.allOf(b, func(c *client, live string, n int) {
		o := answers(check.AcceptBattle, b, live)
		switch {
		case n == no:
			o = answers(check.RejectBattle, b, live)
		case live == b.GetInviterLiveId() && back == 0:
			o = cancels(b, live)
		case live == b.GetInviterLiveId() && back < 4 && some != live:
			o = cancels(b, live, some)
		case live == b.GetInviterLiveId() && back < 7:
			return
		}
		c.inBattle(o)
	})
}

// opponents are a live and some of those that it is connected with; nobody if none is found.
func (a *actor) opponents() (live string, targets []string) {
	for range 4 {
		live, targets = a.live(), nil
		s, err := a.state(live)
		if refusal, ok := rpc.Refusal(err); ok && refusal.Reason == "LIVE_NOT_FOUND" {
			a.create(live)
		}
		all := a.rng.IntN(3) == 0
		for _, m := range s.GetConnected() {
			if m.GetLiveId() != live && len(targets) < 8 && (all || len(targets) == 0 || a.rng.IntN(2) == 0) {
				targets = append(targets, m.GetLiveId())
			}
		}
		if len(targets) > 0 {
			return live, targets
		}
	}
	return "", nil
}

// config is one for a battle of a live with others.
func (a *actor) config(live string, targets []string) *battlev1.BattleConfig {
	c := &battlev1.BattleConfig{
		DurationSeconds: 1 + a.rng.Int32N(4), NeedResponse: a.rng.IntN(2) == 0, PunishmentSeconds: a.rng.Int32N(3), ExtensionInfo: a.info(),
	}
	if a.rng.IntN(3) == 0 {
		c.BestOf = 3
	}
	if a.rng.IntN(3) == 0 {
		c.DurationSeconds += 3 // for proposals to lapse in it
	}
	switch n := a.rng.IntN(10); {
	case n < 4:
		c.Mode = battlev1.BattleConfig_FREE_FOR_ALL
	case n < 6:
		c.Mode = battlev1.BattleConfig_ONE_VS_MANY
	case n < 9:
		c.Mode, c.Teams = battlev1.BattleConfig_TEAMS, a.teams(append([]string{live}, targets...))
	}
	if a.rng.IntN(40) == 0 {
		c.BestOf = 2
	}
	return c
}

// teams are two to four, of even sizes or not. Sometimes one of the lives is in none, or in two.
func (a *actor) teams(lives []string) []*battlev1.BattleConfig_Team {
	n := min(2+a.rng.IntN(3), len(lives))
	teams := make([]*battlev1.BattleConfig_Team, n)
	for i := range teams {
		teams[i] = &battlev1.BattleConfig_Team{TeamId: fmt.Sprintf("team%d", i)}
	}
	even := a.rng.IntN(2) == 0
	for i, seat := range a.rng.Perm(len(lives)) {
		team := teams[i%n]
		if i >= n && !even {
			team = teams[a.rng.IntN(n)]
		}
		team.LiveIds = append(team.LiveIds, lives[seat])
	}
	switch last := teams[n-1]; a.rng.IntN(30) {
	case 0:
		last.LiveIds = append(last.LiveIds, teams[0].GetLiveIds()[0])
	case 1:
		if len(last.GetLiveIds()) > 1 {
			last.LiveIds = last.GetLiveIds()[1:]
		}
	}
	return teams
}

// act is something that is done to a battle for one of its lives, and when it can come to something.
type act struct {
	weight int
	when   battlev1.Battle_Status
	do     func(a *actor, b *battlev1.Battle, live string)
}

const (
	waits = battlev1.Battle_REQUESTED
	runs  = battlev1.Battle_RUNNING
	over  = battlev1.Battle_ENDED
)

var acts = []act{
	{20, waits, func(a *actor, b *battlev1.Battle, live string) { a.send(answers(check.AcceptBattle, b, live)) }},
	{6, waits, func(a *actor, b *battlev1.Battle, live string) { a.send(answers(check.RejectBattle, b, live)) }},
	{3, waits, func(a *actor, b *battlev1.Battle, _ string) { a.takeBack(b, b.GetInviterLiveId()) }},
	{6, waits, (*actor).takeBackSome},
	{1, waits, (*actor).takeBack},
	{10, runs, func(a *actor, b *battlev1.Battle, live string) { a.send(exits(b, live)) }},
	{2, over, func(a *actor, b *battlev1.Battle, live string) { a.send(exits(b, live)) }},
	{8, runs, (*actor).proposeEnd},
	{5, runs, (*actor).agreeToEnd},
	{10, runs, (*actor).proposeLonger},
	{12, runs, (*actor).agreeToMore},
	{5, runs, func(a *actor, b *battlev1.Battle, _ string) { a.send(extends(b, "", a.seconds())) }},
	{2, runs, func(a *actor, b *battlev1.Battle, _ string) { a.send(ends(b, "", a.info())) }},
	{2, over, func(a *actor, b *battlev1.Battle, _ string) { a.send(ends(b, "", a.info())) }},
	{2, runs, func(a *actor, b *battlev1.Battle, _ string) { a.send(voids(b, a.info())) }},
	{12, over, (*actor).rematchOf},
}

// stage is where a battle should be by now, as far as it was heard of.
func stage(b *battlev1.Battle) battlev1.Battle_Status {
	switch end := b.GetEndsAt(); {
	case b.GetStatus() == over || end != nil && !time.Now().Before(end.AsTime()):
		return over
	case end != nil:
		return runs
	}
	return waits
}

// battleTo is a battle that was heard of not long ago, most often one to which something can be done.
func (a *actor) battleTo(x act) *battlev1.Battle {
	var b *battlev1.Battle
	for range 6 {
		var ok bool
		if b, ok = recent(a.h, &a.h.battles, a.rng.IntN(100)); !ok || a.rng.IntN(60) == 0 {
			return &battlev1.Battle{BattleId: "none", InviterLiveId: a.live(), Users: []*battlev1.BattleUser{{LiveId: a.live()}}}
		}
		if stage(b) == x.when || a.rng.IntN(6) == 0 {
			break
		}
	}
	return b
}

// disturb does something to a battle, at any time or about when its end or the last moment for an extension comes, or a proposal lapses.
func (a *actor) disturb() {
	total := 0
	for _, x := range acts {
		total += x.weight
	}
	n, x := a.rng.IntN(total), act{}
	for _, x = range acts {
		if n -= x.weight; n < 0 {
			break
		}
	}
	b := a.battleTo(x)
	switch end := b.GetEndsAt(); {
	case end == nil:
	case a.rng.IntN(8) == 0:
		a.at(time.Until(end.AsTime()))
	case a.rng.IntN(8) == 0:
		a.at(time.Until(end.AsTime()) - time.Second)
	case len(b.GetProposals()) > 0 && a.rng.IntN(3) == 0:
		a.at(time.Until(b.GetProposals()[0].GetExpiresAt().AsTime()))
	}
	live := b.GetUsers()[a.rng.IntN(len(b.GetUsers()))].GetLiveId()
	if a.rng.IntN(30) == 0 {
		live = a.live()
	}
	x.do(a, b, live)
}

// send has a command decided, sometimes as a host: of its live, which may, or of another one.
func (a *actor) send(o check.Op) check.Op {
	switch n := a.rng.IntN(30); {
	case n < 8:
		o.As = o.Live
	case n < 9:
		o.As = a.live()
	}
	o, _ = a.inBattle(o)
	return o
}

// allOf has every live of a battle do something at the same time, but for some that do not always.
func (a *actor) allOf(b *battlev1.Battle, do func(c *client, live string, n int)) {
	var busy sync.WaitGroup
	for i, u := range b.GetUsers() {
		if a.rng.IntN(12) == 0 {
			continue
		}
		a.made++
		c, late := newClient(a.w, a.h, fmt.Sprintf("%s-%d", a.name, a.made), 0), time.Duration(a.rng.Int64N(int64(20*time.Millisecond)))
		busy.Go(func() {
			_ = wait(context.Background(), late)
			do(c, u.GetLiveId(), i)
		})
	}
	busy.Wait()
}

func answers(kind check.Kind, b *battlev1.Battle, live string) check.Op {
	o := check.Op{Kind: kind, Live: live, Battle: b.GetBattleId()}
	if kind == check.AcceptBattle {
		o.Request = &battlev1.AcceptBattleRequest{BattleId: o.Battle, LiveId: live}
	} else {
		o.Request = &battlev1.RejectBattleRequest{BattleId: o.Battle, LiveId: live, Reason: "nicht heute"}
	}
	return o
}

func cancels(b *battlev1.Battle, live string, targets ...string) check.Op {
	r := &battlev1.CancelBattleRequestRequest{BattleId: b.GetBattleId(), LiveId: live, TargetLiveIds: targets}
	return check.Op{Kind: check.CancelBattle, Live: live, Battle: b.GetBattleId(), Others: targets, Request: r}
}

func exits(b *battlev1.Battle, live string) check.Op {
	r := &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: live}
	return check.Op{Kind: check.ExitBattle, Live: live, Battle: b.GetBattleId(), Request: r}
}

func ends(b *battlev1.Battle, live, why string) check.Op {
	r := &battlev1.EndBattleRequest{BattleId: b.GetBattleId(), LiveId: live, Reason: why}
	return check.Op{Kind: check.EndBattle, Live: live, Battle: b.GetBattleId(), Request: r}
}

func extends(b *battlev1.Battle, live string, seconds int32) check.Op {
	r := &battlev1.ExtendBattleRequest{BattleId: b.GetBattleId(), LiveId: live, ExtendSeconds: seconds}
	return check.Op{Kind: check.ExtendBattle, Live: live, Battle: b.GetBattleId(), Request: r}
}

func voids(b *battlev1.Battle, why string) check.Op {
	r := &battlev1.VoidBattleRequest{BattleId: b.GetBattleId(), Reason: why}
	return check.Op{Kind: check.VoidBattle, Battle: b.GetBattleId(), Request: r}
}

func (a *actor) seconds() int32 { return 1 + a.rng.Int32N(3) }

func (a *actor) takeBack(b *battlev1.Battle, live string) { a.send(cancels(b, live)) }

// takeBackSome takes a request back from a live, and often from others.
func (a *actor) takeBackSome(b *battlev1.Battle, live string) {
	targets := []string{live}
	for _, u := range b.GetUsers() {
		if u.GetLiveId() != live && u.GetLiveId() != b.GetInviterLiveId() && a.rng.IntN(3) == 0 {
			targets = append(targets, u.GetLiveId())
		}
	}
	a.send(cancels(b, b.GetInviterLiveId(), targets...))
}

func (a *actor) proposeEnd(b *battlev1.Battle, live string) { a.send(ends(b, live, a.info())) }

func (a *actor) proposeLonger(b *battlev1.Battle, live string) {
	a.send(extends(b, live, a.seconds()))
}

// agreeToEnd has the lives of a battle agree to end it; sometimes one exits at the same time, or wants more time.
func (a *actor) agreeToEnd(b *battlev1.Battle, _ string) {
	other, by := a.rng.IntN(3*len(b.GetUsers())), a.seconds()
	a.allOf(b, func(c *client, live string, n int) {
		o := ends(b, live, "enough")
		if n == other {
			if o = exits(b, live); by == 1 {
				o = extends(b, live, by)
			}
		}
		c.inBattle(o)
	})
}

// agreeToMore has the lives of a battle agree that it takes longer; sometimes one exits at the same time, or wants it to end.
func (a *actor) agreeToMore(b *battlev1.Battle, _ string) {
	other, by := a.rng.IntN(3*len(b.GetUsers())), a.seconds()
	a.allOf(b, func(c *client, live string, n int) {
		o := extends(b, live, by)
		if n == other {
			if o = exits(b, live); by == 1 {
				o = ends(b, live, "enough")
			}
		}
		c.inBattle(o)
	})
}

// rematchOf requests a battle again, as it was or in another way.
func (a *actor) rematchOf(b *battlev1.Battle, live string) {
	r := &battlev1.RematchRequest{BattleId: b.GetBattleId(), LiveId: live, TimeoutSeconds: 1 + a.rng.Int32N(2)}
	switch a.rng.IntN(4) {
	case 0:
		var others []string
		for _, u := range b.GetUsers() {
			if u.GetLiveId() != live {
				others = append(others, u.GetLiveId())
			}
		}
		r.Config = a.config(live, others)
	case 1:
		r.Config = &battlev1.BattleConfig{DurationSeconds: 1, Mode: b.GetConfig().GetMode()} // with the teams that there were
	}
	a.rematch(r)
}

// give sends gifts, new ones and old ones, at any time or about when a battle starts or ends.
func (a *actor) give() {
	live := a.live()
	if b, ok := recent(a.h, &a.h.battles, a.rng.IntN(100)); ok && a.rng.IntN(10) > 0 {
		live = b.GetUsers()[a.rng.IntN(len(b.GetUsers()))].GetLiveId()
		switch edge := b.GetEndsAt(); {
		case edge == nil:
		case a.rng.IntN(4) == 0:
			a.at(time.Until(edge.AsTime()))
		case a.rng.IntN(4) == 0:
			a.at(time.Until(b.GetStartsAt().AsTime()))
		}
	}
	var events []*scorev1.GiftEvent
	for range 1 + a.rng.IntN(4) {
		a.made++
		e := a.gift(live, fmt.Sprintf("%s-%d", a.name, a.made))
		if old, ok := recent(a.h, &a.h.sent, a.rng.IntN(100)); ok && a.rng.IntN(5) == 0 {
			e = old
			if a.rng.IntN(3) == 0 { // the same id for another gift
				e = proto.CloneOf(old)
				e.Count += 7
			}
		}
		a.h.send(e)
		events = append(events, e)
	}
	a.gifts(events...)
}

func (a *actor) gift(live, id string) *scorev1.GiftEvent {
	e := &scorev1.GiftEvent{
		EventId: id, LiveId: live, Sender: &userv1.User{UserId: fmt.Sprintf("fan%d", a.rng.IntN(5))}, GiftId: "rose",
		Category: scorev1.GiftEvent_Category(1 + a.rng.IntN(5)), Count: 1 + a.rng.Int64N(9), SentAt: timestamppb.Now(),
	}
	if e.Category == scorev1.GiftEvent_SPECIAL {
		e.FixedScore = 1 + a.rng.Int64N(999)
	} else {
		e.UnitValue = 1 + a.rng.Int64N(100)
	}
	return e
}
