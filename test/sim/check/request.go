package check

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// requested: a rematch is of a battle that is over, by one that played it, of others that did; a round after the first is fought as
// the one before it; and only who is asked can be waited for.
func (l *battleLog) requested(s *fights, d decision[*battlev1.Entry], b fight, wrong func(Class, string, ...any)) {
	id := b.GetBattleId()
	if b.GetConfig().GetNeedResponse() != (b.until > 0) && !byItself(b.Entry_BattleRequested) && b.GetConfig() != nil {
		wrong(Violation, "battle %s needs a response: %v, and times out at %d", id, b.GetConfig().GetNeedResponse(), b.until)
	}
	if of := b.GetRematchOf(); of != "" {
		_, goesOn := s.after.rounds[of]
		if old, ended := l.final[of]; !ended || goesOn || !subset(b.holds, old.plays) {
			wrong(Violation, "battle %s of %v is a rematch of battle %s, over: %v, its series goes on: %v, played by %v", id, b.holds, of, ended, goesOn, old.plays)
		}
	}
	if !byItself(b.Entry_BattleRequested) {
		s.pace = append(slices.Clip(s.pace), sending{live: b.inviter, user: b.GetInviter().GetHost().GetUserId(), at: d.at})
		return
	}
	if last, known := l.final[s.after.before[id]]; known && !sameFight(b.GetConfig(), last.GetConfig()) {
		wrong(Violation, "round %s is fought as %v, the one before as %v", id, b.GetConfig(), last.GetConfig())
	}
}

func subset(a, b map[string]bool) bool {
	for x := range a {
		if !b[x] {
			return false
		}
	}
	return true
}

// sameFight reports whether two battles are fought in the same way. What is not said has been put in, and rules are pinned.
func sameFight(a, asked *battlev1.BattleConfig) bool {
	x, y := proto.CloneOf(a), proto.CloneOf(asked)
	if y == nil {
		y = new(battlev1.BattleConfig)
	}
	if y.GetMode() == 0 {
		y.Mode = battlev1.BattleConfig_FREE_FOR_ALL
	}
	if y.GetDurationSeconds() == 0 {
		y.DurationSeconds = x.GetDurationSeconds()
	}
	if x == nil || !maps.Equal(seats(x.GetTeams()), seats(y.GetTeams())) {
		return false
	}
	x.RuleSet, x.Teams, y.RuleSet, y.Teams = "", nil, "", nil
	return proto.Equal(x, y)
}

// seats are the teams of lives.
func seats(teams []*battlev1.BattleConfig_Team) map[string]string {
	in := map[string]string{}
	for _, t := range teams {
		for _, live := range t.GetLiveIds() {
			in[live] = t.GetTeamId()
		}
	}
	return in
}

// wants is a request for a battle, or for one again, as it is to be carried out: the config, and who is to be asked; lives, or users.
type wants struct {
	config  *battlev1.BattleConfig
	targets []string
	users   bool
	seconds int32
}

// wants returns what a request asks for in a state of BATTLE_00; nothing if what it asked was not kept.
func (a answers) wants(o Op) (w wants, known bool) {
	switch q := o.Request.(type) {
	case *battlev1.RequestBattleRequest:
		return wants{q.GetConfig(), append(q.GetTargetLiveIds(), q.GetTargetUserIds()...), len(q.GetTargetUserIds()) > 0, q.GetTimeoutSeconds()}, true
	case *battlev1.RematchRequest:
		old, ended := a.battle.final[o.Battle]
		if !ended {
			return w, false
		}
		w = wants{old.again(o.Live), nil, false, q.GetTimeoutSeconds()}
		if teams := w.config.GetTeams(); q.GetConfig() != nil {
			if w.config = proto.CloneOf(q.GetConfig()); len(w.config.GetTeams()) == 0 && w.config.GetMode() == battlev1.BattleConfig_TEAMS {
				w.config.Teams = teams
			}
		}
		for live := range old.plays {
			if live != o.Live {
				w.targets = append(w.targets, live)
			}
		}
		return w, true
	}
	return w, false
}

// again is how a battle is fought when a live requests it again: with the sides that played.
func (b fight) again(inviter string) *battlev1.BattleConfig {
	c := proto.CloneOf(b.GetConfig())
	if c.GetMode() == battlev1.BattleConfig_FREE_FOR_ALL || c.GetMode() == battlev1.BattleConfig_ONE_VS_MANY && inviter == b.inviter {
		return c
	}
	c.Mode, c.Teams = battlev1.BattleConfig_TEAMS, nil
	teams := map[string]*battlev1.BattleConfig_Team{}
	for live := range b.plays {
		id := b.side[live]
		if teams[id] == nil {
			teams[id] = &battlev1.BattleConfig_Team{TeamId: id}
			c.Teams = append(c.Teams, teams[id])
		}
		teams[id].LiveIds = append(teams[id].LiveIds, live)
	}
	return c
}

// malformed reports whether nobody could fight so.
func (w wants) malformed(inviter string, l Limits) bool {
	c, all := w.config, append([]string{inviter}, w.targets...)
	if distinct := slices.Compact(slices.Sorted(slices.Values(w.targets))); len(distinct) < len(w.targets) {
		return true
	}
	if l.LongestBattle > 0 && int64(c.GetDurationSeconds())*1000 > l.LongestBattle || c.GetBestOf() > 0 && c.GetBestOf()%2 == 0 {
		return true
	}
	if c.GetMode() != battlev1.BattleConfig_TEAMS {
		return len(c.GetTeams()) > 0
	}
	in, places := seats(c.GetTeams()), 0
	for _, t := range c.GetTeams() {
		places += len(t.GetLiveIds())
	}
	named := all
	if w.users {
		named = all[:1] // whose live is meant is not said
	}
	for _, live := range named {
		if in[live] == "" {
			return true
		}
	}
	return len(c.GetTeams()) < 2 || places != len(all) || len(in) != len(all)
}

// taken is the reason why a live cannot be in another battle; empty if it can.
func (s fights) taken(live string) string {
	switch {
	case s.heldIn(live, false):
		return "BATTLE_REQUEST_PENDING"
	case s.heldIn(live, true):
		return "IN_OTHER_BATTLE"
	}
	return ""
}

// find returns the live that a request names, if it is connected with the inviter.
func (a answers) find(s fights, inviter, name string, w wants) (live string) {
	for other, connection := range s.member {
		if other != inviter && connection == s.member[inviter] && (other == name && !w.users || a.battle.users[other] == name && w.users) {
			return other
		}
	}
	return ""
}

// parts tells which lives of the targets can be asked, with the names by which they were to be, and why others cannot.
func (a answers) parts(s fights, inviter string, w wants) (in, out map[string]string) {
	in, out = map[string]string{}, map[string]string{}
	for _, name := range w.targets {
		live := a.find(s, inviter, name, w)
		seated := w.config.GetMode() != battlev1.BattleConfig_TEAMS || seats(w.config.GetTeams())[live] != ""
		if reason := s.taken(live); live == "" || reason == "" && !seated {
			out[name] = "NO_VALID_TARGET"
		} else if reason != "" {
			out[name] = reason
		} else {
			in[live] = name
		}
	}
	return in, out
}

// refusal is the reason why a request is refused in a state; empty if it is not.
func (a answers) refusal(o Op, w wants, s fights) string {
	in, out := a.parts(s, o.Live, w)
	asked := fight{holds: map[string]bool{o.Live: true}, side: seats(w.config.GetTeams())}
	for live := range in {
		asked.holds[live] = true
	}
	if w.config.GetMode() == battlev1.BattleConfig_ONE_VS_MANY {
		asked.side = nil // two sides, if anybody is there
	}
	switch taken := s.taken(o.Live); {
	case w.malformed(o.Live, a.limits):
		return "INVALID_ARGUMENT"
	case s.member[o.Live] == "":
		return "CONNECTION_NOT_FOUND"
	case taken != "":
		return taken
	case asked.sides() < 2 && len(out) == 1:
		for _, reason := range out {
			return reason
		}
	case asked.sides() < 2:
		return "NO_VALID_TARGET"
	case s.tooMany(o.Live, a.battle.users[o.Live], a.limits):
		return battleRateLimited
	}
	return ""
}

const battleRateLimited = "BATTLE_RATE_LIMITED"

// tooMany reports whether a live, or its host with all lives, has requested as many battles in the last minute as it may.
func (s fights) tooMany(live, user string, l Limits) bool {
	byLive, byUser := 0, 0
	for _, x := range slices.Backward(s.pace) {
		if s.at-x.at >= minute {
			break
		}
		if x.live == live {
			byLive++
		}
		if x.user == user {
			byUser++
		}
	}
	return l.BattleLiveRate > 0 && byLive >= l.BattleLiveRate || l.BattleUserRate > 0 && byUser >= l.BattleUserRate
}

// requestedAs reports whether a battle is what a request asks for: fought so, with all that can be asked, and for each of the others
// why it cannot.
func (a answers) requestedAs(o Op, e *battlev1.Entry_BattleRequested, s fights) bool {
	if e == nil || e.GetInviter().GetLiveId() != o.Live || o.Made != "" && e.GetBattleId() != o.Made ||
		o.Kind == Rematch && e.GetRematchOf() != o.Battle || o.Kind == RequestBattle && e.GetRematchOf() != "" {
		return false
	}
	w, known := a.wants(o)
	if !known {
		return o.Kind == Rematch || o.Battle == "" || e.GetBattleId() == o.Battle
	}
	in, out := a.parts(s, o.Live, w)
	asked, refused := map[string]string{}, map[string]string{}
	for _, p := range e.GetInvitees() {
		asked[p.GetLiveId()] = p.GetLiveId()
		if w.users {
			asked[p.GetLiveId()] = a.battle.users[p.GetLiveId()]
		}
	}
	for _, r := range e.GetRefused() {
		refused[r.GetTarget()] = r.GetReason()
	}
	told := o.Outcome != OK || maps.Equal(o.Refusals, refused) && len(o.Accepted) == len(asked) &&
		!slices.ContainsFunc(o.Accepted, func(name string) bool { return !slices.Contains(slices.Collect(maps.Values(asked)), name) })
	return told && a.refusal(o, w, s) == "" && maps.Equal(asked, in) && maps.Equal(refused, out) && sameFight(e.GetConfig(), w.config) &&
		(w.seconds == 0 || e.GetExpiresAtMs() == 0 || e.GetExpiresAtMs() == s.at+int64(w.seconds)*1000)
}

// fresh reports whether a request was decided by connections as they were at some moment of its call.
func (a answers) fresh(o Op, s fights) bool {
	return o.Cohost.After == 0 || some(a.cohost.states, Window{o.SinceCohost, o.Cohost.After}, func(r rooms) bool { return maps.Equal(r.member, s.member) })
}
