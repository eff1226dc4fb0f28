package check

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// watched compares what COHOST_00 says of hosts with what they did.
type watched struct {
	*Presence
	f      *Findings
	cohost *cohostLog
	limits Limits
	groups map[uint64]Shipped
}

// silences: a host is taken a stage further by a replica that wrote, could hear, and heard nothing of it for as long as the stage lasts;
// and it is back only if it has given a sign of life.
func silences(f *Findings, p *Presence, cohost *cohostLog, battle *battleLog, limits Limits) {
	w := watched{p, f, cohost, limits, map[uint64]Shipped{}}
	for _, g := range p.Groups[cohostName] {
		w.groups[g.Seq] = g
	}
	for _, t := range cohost.stages {
		if t.to == present {
			w.shown(t)
		} else {
			w.silent(t)
		}
	}
	w.departures()
	w.exits(battle)
	w.passedOn()
}

// instant is what happens at the same moment, in whatever order.
const instant = 5 * time.Millisecond

func (w watched) lasts(stage cohostv1.Presence_State) time.Duration {
	return time.Duration(map[cohostv1.Presence_State]int64{
		present: w.limits.Unreachable, unreachable: w.limits.Grace, lost: w.limits.EndAfter,
	}[stage]) * time.Millisecond
}

// silent judges that a stage has lasted for its time. It counts from the latest of: the stage began, its writer began to write, it heard
// a sign of life, it could not hear.
func (w watched) silent(t turnOf) {
	g, known := w.groups[t.at.seq]
	began, before := w.groups[t.since.seq]
	if !known || !before {
		w.f.add(Violation, "COHOST_00/%d: nobody knows who has stored that the host of live %s is %v", t.at.seq, t.live, t.to)
		return
	}
	from, why := began.Stored, "that stage began"
	later := func(at time.Duration, what string) {
		if at > from && at < g.Decided-instant {
			from, why = at, what
		}
	}
	writes := time.Duration(0)
	for _, turn := range w.Began[cohostName] {
		if turn.By == g.By {
			later(turn.At, "its writer began to write")
			if turn.At <= g.Decided {
				writes = max(writes, turn.At)
			}
		}
	}
	sessions := w.cohost.at(t.at.seq - 1).lives[t.live].presence
	for _, s := range w.Signs {
		if s.Live != t.live || sessions.superseded(s.Session) {
			continue
		}
		if at, heard := s.Heard[g.By]; heard {
			later(at, "its writer heard a sign of life")
		}
		if s.By == g.By {
			later(s.At, "its writer was given a sign of life")
		}
	}
	renew, hearing := time.Duration(w.limits.Renew)*time.Millisecond, max(writes, w.hosted(t.at.seq))
	for _, s := range w.Deaf {
		if s.Replica != g.By && !strings.HasPrefix(g.By, s.Replica+"-") {
			continue
		}
		// What it could not hear before it wrote, or while there was no host to be heard, does not count: silence counts from then.
		if until := min(s.Until, g.Decided); until-max(s.From, hearing) > renew/3+renew/4+100*time.Millisecond {
			later(until-renew/6-instant, "its writer could not hear")
		}
	}
	if silence := g.Decided - from; silence < w.lasts(t.from)-instant {
		w.f.add(Lost, "COHOST_00/%d: the host of live %s, %v, is %v at %v, %v after %s at %v", t.at.seq, t.live, t.from, t.to, g.Decided, silence, why, from)
	}
}

// hosted is since when some host was to be heard, before a group.
func (w watched) hosted(seq uint64) time.Duration {
	states, since := w.cohost.states, w.groups[seq].Decided
	for i := len(states) - 1; i >= 0; i-- {
		if states[i].seq >= seq {
			continue
		}
		if !states[i].s.hosted() {
			return since
		}
		since = w.groups[states[i].seq].Stored
	}
	return 0
}

// departures: battle is asked to let a live go after its host is lost, and before it leaves its connection.
func (w watched) departures() {
	for _, x := range w.cohost.parted {
		since, until := w.groups[x.since.seq].Stored, w.groups[x.at.seq].Decided
		asked := slices.ContainsFunc(w.Leaves, func(l Leave) bool { return l.Live == x.live && since <= l.At && l.At <= until })
		if !asked && !x.ends {
			w.f.add(Violation, "COHOST_00/%d: live %s, lost in group %d, leaves its connection, and battle was not asked to let it go", x.at.seq, x.live, x.since.seq)
		}
	}
}

// exits: what leaves its battle because its host is lost, leaves after that was decided.
func (w watched) exits(battle *battleLog) {
	decided := map[uint64]time.Duration{}
	for _, g := range w.Groups["BATTLE_00"] {
		decided[g.Seq] = g.Decided
	}
	for _, x := range battle.lost {
		if !slices.ContainsFunc(w.cohost.stages, func(t turnOf) bool {
			return t.live == x.live && t.to == lost && w.groups[t.at.seq].Stored <= decided[x.seq]
		}) {
			w.f.add(Violation, "BATTLE_00/%d: live %s leaves its battle because its host is lost, and it was not", x.seq, x.live)
		}
	}
}

// shown judges that a host is there: it has given a sign of life since it was not.
func (w watched) shown(t turnOf) {
	g, known := w.groups[t.at.seq]
	since := time.Duration(0)
	if t.from != unset { // it may have come while that was decided
		since = w.groups[t.since.seq].Decided
	}
	if !known || !slices.ContainsFunc(w.Beats, func(b Beat) bool {
		return b.Live == t.live && b.Sent <= g.Decided && b.Sent >= since-strayTime
	}) {
		w.f.add(Violation, "COHOST_00/%d: the host of live %s is there, after it was %v, and has given no sign of life", t.at.seq, t.live, t.from)
	}
}

// strayTime is how long a sign of life may be under way.
const strayTime = 20 * time.Second

// passedOn: a sign of life that was answered with ok was passed on by the one that answered; and whoever is told that another has taken over,
// or that there is no such live, is told what was so.
func (w watched) passedOn() {
	passed := map[[2]string][]time.Duration{}
	for _, s := range w.Signs {
		key := [2]string{s.Live, s.Session}
		passed[key] = append(passed[key], s.At)
	}
	for _, b := range w.Beats {
		switch b.Reason {
		case "":
			if !slices.ContainsFunc(passed[[2]string{b.Live, b.Session}], func(at time.Duration) bool { return b.Sent <= at && at <= b.Answered }) {
				w.f.add(Lost, "the sign of life of live %s, session %s, given at %v was answered at %v and passed on to nobody", b.Live, b.Session, b.Sent, b.Answered)
			}
			w.answer(b)
		case "SUPERSEDED":
			if !some(w.cohost.states, Window{0, b.After}, func(r rooms) bool { return r.lives[b.Live].presence.superseded(b.Session) }) {
				w.f.add(Violation, "session %s of live %s is told at %v that it is superseded, and nobody has taken over", b.Session, b.Live, b.Answered)
			}
		case "LIVE_NOT_FOUND":
			if !some(w.cohost.states, Window{0, b.After}, func(r rooms) bool { return !r.active(b.Live) }) {
				w.f.add(Violation, "the sign of life of live %s at %v is answered with %s", b.Live, b.Sent, b.Reason)
			}
		case "RATE_LIMITED":
			if !some(w.cohost.states, Window{b.Before, b.After}, func(r rooms) bool { return r.sessions(b.Live) >= w.limits.Sessions }) {
				w.f.add(Violation, "session %s of live %s gives a sign of life at %v and hears that too many have taken over", b.Session, b.Live, b.Sent)
			}
		case "UNAVAILABLE", "DEADLINE_EXCEEDED":
		default:
			w.f.add(Violation, "the sign of life of live %s at %v is answered with %s", b.Live, b.Sent, b.Reason)
		}
	}
}

// answer judges what a host is told of itself: it may be old, but it was so, and the session was not superseded then. At rest it is not
// older than followers are behind.
func (w watched) answer(b Beat) {
	told := Window{0, b.After}
	if w.Ceased > 0 && b.Sent > w.Ceased+settled*time.Millisecond {
		for _, g := range w.Groups[cohostName] {
			if g.Stored < b.Sent-onTime*time.Millisecond {
				told.Before = max(told.Before, g.Seq)
			}
		}
	}
	if !some(w.cohost.states, told, func(r rooms) bool {
		p := r.lives[b.Live].presence
		return !p.superseded(b.Session) && proto.Equal(p.message(), b.Presence)
	}) {
		w.f.add(Violation, "session %s of live %s gives a sign of life at %v and hears %v, which was not so between %d and %d", b.Session, b.Live, b.Sent, b.Presence, told.Before, told.After)
	}
}
