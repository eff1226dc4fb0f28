package check

import "slices"

// battleReason reports whether the reason of a refusal by BATTLE_00 held at some moment of the call, or, for one that was tried
// before, since then.
func (a answers) battleReason(o Op) bool {
	since := Window{o.Since, o.Own.After}
	battle := func(ok func(fights) bool) bool { return some(a.battle.states, since, ok) }
	phase := func(is func(fight) bool) bool {
		return battle(func(s fights) bool {
			b, open := s.open[o.Battle]
			return open && is(b)
		})
	}
	// both holds in a state of BATTLE_00 for what it copied from COHOST_00, and in one of COHOST_00: the copy was as new as
	// the call, or newer.
	both := func(ok func(fights, rooms) bool) bool {
		return battle(func(s fights) bool { return ok(s, rooms{member: s.member}) }) &&
			some(a.cohost.states, Window{o.SinceCohost, o.Cohost.After}, func(r rooms) bool {
				return battle(func(s fights) bool { return ok(s, r) })
			})
	}
	switch o.Reason {
	case "CONNECTION_NOT_FOUND":
		return both(func(_ fights, r rooms) bool { return r.member[o.Live] == "" })
	case "NO_VALID_TARGET":
		return both(func(s fights, r rooms) bool {
			return !slices.ContainsFunc(o.Others, func(live string) bool { return r.together(o.Live, live) && !s.held(live) })
		})
	case "IN_OTHER_BATTLE":
		return battle(func(s fights) bool {
			return s.heldIn(o.Live, true) || slices.ContainsFunc(o.Others, func(live string) bool { return s.heldIn(live, true) })
		})
	case "BATTLE_REQUEST_PENDING":
		return battle(func(s fights) bool {
			return s.heldIn(o.Live, false) || slices.ContainsFunc(o.Others, func(live string) bool { return s.heldIn(live, false) })
		})
	case "BATTLE_NOT_FOUND":
		before := a.battle.at(o.Since)
		_, open := before.open[o.Battle]
		return !open && !before.ended(o.Battle)
	case "BATTLE_ENDED":
		return battle(func(s fights) bool { return s.over(o.Battle) })
	case "NOT_IN_BATTLE":
		return !a.battle.lives[o.Battle][o.Live] || phase(func(b fight) bool { return o.Kind == ExitBattle && !b.plays[o.Live] })
	case "BATTLE_NOT_STARTED_BY_LIVE":
		return a.battle.inviters[o.Battle] != o.Live
	case "BATTLE_NOT_STARTED":
		return phase(func(b fight) bool { return b.phase == requested })
	case "BATTLE_ALREADY_RUNNING":
		return phase(func(b fight) bool { return b.phase != requested })
	case "INVITATION_ENDED":
		return a.battle.inviters[o.Battle] == o.Live || phase(func(b fight) bool { return !b.asked[o.Live] || b.until <= 0 }) ||
			battle(func(s fights) bool { return s.over(o.Battle) })
	}
	return false
}
