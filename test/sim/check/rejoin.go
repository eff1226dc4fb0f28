package check

import (
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// exit is that a live left a battle, or came back to it.
type exit struct {
	seq     uint64
	back    *battlev1.Entry_UserRejoined // nil if it left
	rejoins int32                        // how often it had come back before it left
}

// lostIn is that a live left its battle because its host was lost, in a group of BATTLE_00.
type lostIn struct {
	live string
	seq  uint64
}

// out reports whether a live has left a battle, and not come back, by a group of BATTLE_00 that was read whole or, if that is not so, not.
func out(exits []exit, read uint64, whole bool) (gone bool, since uint64) {
	for _, x := range exits {
		if x.seq < read || x.seq == read && whole {
			gone, since = x.back == nil, x.seq
		}
	}
	return gone, since
}

// mayRejoin says why a live may not come back to a battle; empty if it may: it was lost from it after it had opened, the battle runs, the
// live is in its connection again, and in no other battle.
func (s *fights) mayRejoin(d decision[*battlev1.Entry], b fight, e *battlev1.Entry_UserRejoined) string {
	live := e.GetLiveId()
	switch {
	case b.phase != running || d.at >= b.endsAt:
		return "which does not run"
	case !b.lost[live] || !b.plays[live] || !b.opened[live] || b.holds[live]:
		return "which it was not lost from"
	case s.heldIn(live, true) || s.heldIn(live, false):
		return "and is in another one"
	case s.member[live] == "" || b.GetConnectionId() != "" && s.member[live] != b.GetConnectionId():
		return "and is not in its connection"
	case e.GetRejoins() != b.rejoins[live]+1:
		return "and has not so often"
	case e.GetEndsAtMs() != b.endsAt:
		return "which does not end then"
	}
	return ""
}

// current are the sessions that may act for the hosts of lives.
func current(sessions map[string]presence) map[string]string {
	all := map[string]string{}
	for live, p := range sessions {
		all[live] = p.current
	}
	return all
}

// fenced says why a command may not have been decided for its session by BATTLE_00; empty if it may: by then that had read all that COHOST_00
// said of the sessions of the live when the command was sent, and none had taken over.
func (a answers) fenced(o Op, d decision[*battlev1.Entry], s fights) string {
	if o.Session == "" || o.Live == "" {
		return ""
	}
	if p := s.sessions[o.Live]; p.superseded(o.Session) && d.refusal == nil {
		return "session " + p.current + " has taken over"
	}
	if then := a.cohost.at(o.SinceCohost).lives[o.Live].presence; o.Tried && s.read < o.SinceCohost && then.fence > s.sessions[o.Live].fence {
		return "it has not been read that session " + then.current + " had taken over before"
	}
	return ""
}

// exited reports whether a live has left a battle, since it came back for the last of so many times, as far as a log has read BATTLE_00: a
// part of the last group counts as all of it. It may have come back once more in the same group.
func (l *battleLog) exited(key [2]string, rejoins int32, read uint64) bool {
	return slices.ContainsFunc(l.exits[key], func(x exit) bool { return x.back == nil && x.rejoins == rejoins && x.seq <= read })
}

// first is the group in which a live opened for the first time.
func (r *room) first() uint64 {
	if len(r.before) > 0 {
		return r.before[0].Before
	}
	return r.from
}

// unread is a battle that a gift's live had begun, or come back to, in a group of BATTLE_00 before the call, and that the live's log does not
// know by a group of it; empty if there is none.
func (s *scoreLogs) unread(g Gift, by uint64) (battle string, seq uint64) {
	for id, x := range s.battle.starts {
		if x.seq > g.Battle || !plays(x, g.Live) {
			continue
		}
		key := [2]string{id, g.Live}
		r := s.rooms[key]
		if r == nil || r.first() > by {
			return id, x.seq
		}
		for _, e := range s.battle.exits[key] {
			if e.back != nil && e.seq <= g.Battle && !r.tombstone && r.stays(by) <= int(e.back.GetRejoins()) {
				return id, e.seq
			}
		}
	}
	return "", 0
}

// stays is how often a live had opened by a group.
func (r *room) stays(by uint64) (n int) {
	for _, w := range append(slices.Clone(r.before), Window{r.from, r.to}) {
		if w.Before <= by {
			n++
		}
	}
	return n
}
