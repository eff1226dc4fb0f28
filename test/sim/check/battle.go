package check

import (
	"maps"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// Phases of a battle as the checks know it.
const (
	requested = iota
	starting
	running
	settling
)

// openWithin is how long after its start, in ms, a battle waits for its lives to open.
const openWithin = 5000

// fight is a battle that has not ended. Values are replaced, never changed.
type fight struct {
	phase   int
	inviter string
	asked   map[string]bool // invitees that have not answered
	holds   map[string]bool // lives that are in it
	plays   map[string]bool // lives that were there at the start
	opened  map[string]bool
	exited  map[string]bool
	closed  map[string]int64
	side    map[string]string // of lives that do not fight for themselves
	// proposals, by what they are about, with who has consented
	proposals map[string]map[string]bool
	started   bool
	// Log times. until: when a request times out or a start fails, 0: never.
	until, startsAt, endsAt, duration int64
	since                             place // its phase began
}

func (b fight) clone() fight {
	b.asked, b.holds, b.plays = maps.Clone(b.asked), maps.Clone(b.holds), maps.Clone(b.plays)
	b.opened, b.exited, b.closed = maps.Clone(b.opened), maps.Clone(b.exited), maps.Clone(b.closed)
	b.proposals = maps.Clone(b.proposals)
	return b
}

// endless says why nothing can end the battle; "" if something can.
func (b fight) endless() string {
	switch {
	case b.phase == requested && len(b.asked) == 0:
		return "everybody has answered, and it has neither started nor ended"
	case b.phase == requested && b.until == 0:
		return "its request does not time out"
	case (b.phase == starting || b.phase == running) && b.sides() < 2:
		return "fewer than two sides are in it, and it goes on"
	case b.phase == running && b.endsAt == 0:
		return "it has no end"
	}
	return ""
}

// fights is what BATTLE_00 says.
type fights struct {
	member map[string]string // live to connection, as far as COHOST_00 was read
	open   map[string]fight
	after  after
	at     int64 // log time
	// number of the decision, and by which number each battle of the whole log ended
	number int
	ends   map[string]int
}

func (s fights) clone() fights {
	s.member, s.open, s.after = maps.Clone(s.member), maps.Clone(s.open), s.after.clone()
	return s
}

// ended reports whether a battle has ended.
func (s fights) ended(id string) bool {
	by, ok := s.ends[id]
	return ok && by <= s.number
}

// over reports whether a battle has ended, or its deadline has come so that it does.
func (s fights) over(id string) bool {
	b, open := s.open[id]
	return s.ended(id) || open && b.until > 0 && b.until <= s.at
}

// held reports whether a live is in an open battle, or waits for the next round of one.
func (s fights) held(live string) bool {
	if s.after.waits(live) {
		return true
	}
	for _, b := range s.open {
		if b.holds[live] {
			return true
		}
	}
	return false
}

// heldIn is held by a battle that has started, or has not.
func (s fights) heldIn(live string, started bool) bool {
	if started && s.after.waits(live) {
		return true
	}
	for _, b := range s.open {
		if b.holds[live] && (b.phase != requested) == started {
			return true
		}
	}
	return false
}

// start is a BattleStarting with its place.
type start struct {
	*battlev1.Entry_BattleStarting
	seq uint64
}

// battleLog is BATTLE_00 read.
type battleLog struct {
	decisions []decision[*battlev1.Entry]
	states    []state[fights]
	byID      map[string]decision[*battlev1.Entry]
	lives     map[string]map[string]bool // of each battle, all that were asked to it
	inviters  map[string]string
	starts    map[string]start
	endings   map[string]battlev1.Battle_EndReason
	exits     map[[2]string]uint64              // battle, live
	results   map[string]*battlev1.BattleResult // nil for one that never started

	spans  []Span
	f      *Findings
	read   uint64 // how far COHOST_00 was read
	restAt int64
}

func (l *battleLog) now() fights { return l.states[len(l.states)-1].s }

// at is the state after the group seq.
func (l *battleLog) at(seq uint64) fights { return at(l.states, seq) }

// readBattle folds BATTLE_00: a live is in one open battle at most, its lives share a connection at every recorded position
// of COHOST_00, that copy is what COHOST_00 says, and every battle passes its phases in order, when their time has come, can
// always be ended by something, and ends once. From the group after rest on, deadlines are met in time.
func readBattle(f *Findings, groups [][]byte, cohost *cohostLog, rest uint64) *battleLog {
	const name = "BATTLE_00"
	l := &battleLog{
		decisions: readLog(f, name, groups, func() *battlev1.Entry { return new(battlev1.Entry) }), f: f, restAt: never,
		lives: map[string]map[string]bool{}, inviters: map[string]string{}, starts: map[string]start{}, endings: map[string]battlev1.Battle_EndReason{},
		exits: map[[2]string]uint64{}, results: map[string]*battlev1.BattleResult{},
	}
	l.byID = byID(l.decisions)
	s := fights{
		member: map[string]string{}, open: map[string]fight{}, ends: map[string]int{},
		after: after{map[string]int64{}, map[string]waiting{}, nil},
	}
	l.states = []state[fights]{{0, s}}
	for _, d := range l.decisions {
		s = s.clone()
		s.at, s.number = d.at, s.number+1
		if d.seq <= rest {
			l.restAt = d.at
		}
		before := l.read
		for _, entry := range d.entries {
			l.apply(&s, d, entry)
		}
		if l.read != before {
			if !maps.Equal(s.member, cohost.at(l.read).member) {
				f.add(Violation, "%s/%d: the connections copied from COHOST_00/%d are not those", name, d.seq, l.read)
			}
		}
		in := map[string]string{}
		for id, r := range s.after.rounds {
			for live := range r.lives {
				if s.member[live] == "" {
					f.add(Violation, "%s/%d: live %s waits for the round after battle %s and is in no connection", name, d.seq, live, id)
				}
				in[live] = id
			}
		}
		for id, b := range s.open {
			if why := b.endless(); why != "" {
				f.add(Violation, "%s/%d: battle %s: %s", name, d.seq, id, why)
			}
			connection, first := "", true
			for live := range b.holds {
				if other := in[live]; other != "" {
					f.add(Violation, "%s/%d: live %s is in battles %s and %s", name, d.seq, live, id, other)
				}
				in[live] = id
				if b.phase == settling {
					continue
				}
				c := s.member[live]
				if c == "" || !first && c != connection {
					f.add(Violation, "%s/%d: live %s of battle %s is in connection %q, others in %q", name, d.seq, live, id, c, connection)
				}
				connection, first = c, false
			}
		}
		l.states = append(l.states, state[fights]{d.seq, s})
	}
	return l
}

func (l *battleLog) apply(s *fights, d decision[*battlev1.Entry], entry *battlev1.Entry) {
	wrong := func(c Class, format string, args ...any) {
		l.f.add(c, "BATTLE_00/%d: "+format, append([]any{d.seq}, args...)...)
	}
	change := func(id string, change func(*fight)) {
		b, ok := s.open[id]
		if !ok {
			wrong(Violation, "battle %s is not open: %v", id, entry)
			return
		}
		b = b.clone()
		change(&b)
		s.open[id] = b
	}
	switch e := entry.GetEntry().(type) {
	case *battlev1.Entry_CohostRead_:
		if e.CohostRead.GetSequence() <= l.read {
			wrong(Duplicated, "group %d of COHOST_00 is read after %d", e.CohostRead.GetSequence(), l.read)
		}
		l.read = e.CohostRead.GetSequence()
	case *battlev1.Entry_ConnectionJoined_:
		s.member[e.ConnectionJoined.GetLiveId()] = e.ConnectionJoined.GetConnectionId()
	case *battlev1.Entry_ConnectionLeft_:
		delete(s.member, e.ConnectionLeft.GetLiveId())
	case *battlev1.Entry_BattleRequested_:
		b := e.BattleRequested
		if l.lives[b.GetBattleId()] != nil {
			wrong(Duplicated, "battle %s is requested twice", b.GetBattleId())
		}
		inviter := b.GetInviter().GetLiveId()
		x := fight{
			until: b.GetExpiresAtMs(), since: place{d.seq, d.at}, duration: int64(b.GetConfig().GetDurationSeconds()) * 1000, inviter: inviter,
			asked: map[string]bool{}, holds: map[string]bool{inviter: true}, plays: map[string]bool{}, opened: map[string]bool{},
			exited: map[string]bool{}, closed: map[string]int64{}, side: sidesOf(b), proposals: map[string]map[string]bool{},
		}
		for _, p := range b.GetInvitees() {
			x.holds[p.GetLiveId()], x.asked[p.GetLiveId()] = true, true
		}
		s.open[b.GetBattleId()] = x
		s.after.begins(b, x.holds, wrong)
		l.lives[b.GetBattleId()], l.inviters[b.GetBattleId()] = maps.Clone(x.holds), inviter
	case *battlev1.Entry_InviteeAnswered_:
		a := e.InviteeAnswered
		change(a.GetBattleId(), func(b *fight) {
			timedOut := a.GetAnswer() == battlev1.Entry_InviteeAnswered_TIMED_OUT
			switch {
			case !b.asked[a.GetLiveId()]:
				wrong(Duplicated, "live %s answers for battle %s, and is not asked any more", a.GetLiveId(), a.GetBattleId())
			case b.phase != requested || timedOut != (b.until > 0 && d.at >= b.until):
				wrong(Violation, "live %s answers for battle %s at %d in phase %d: %v; the deadline is %d", a.GetLiveId(), a.GetBattleId(), d.at, b.phase, a.GetAnswer(), b.until)
			case timedOut && overdue(d.at, b.until, l.restAt):
				wrong(Violation, "the request of battle %s times out %d ms late", a.GetBattleId(), d.at-b.until)
			}
			if timedOut {
				l.span(d, "live "+a.GetLiveId()+" of battle "+a.GetBattleId()+" times out", b.since, b.until)
			}
			delete(b.asked, a.GetLiveId())
			if a.GetAnswer() != battlev1.Entry_InviteeAnswered_ACCEPTED {
				delete(b.holds, a.GetLiveId())
			}
		})
	case *battlev1.Entry_BattleStarting_:
		l.starting(s, d, e.BattleStarting, change, wrong)
	case *battlev1.Entry_LiveOpened_:
		o := e.LiveOpened
		change(o.GetBattleId(), func(b *fight) {
			if b.phase != starting || b.opened[o.GetLiveId()] || !b.plays[o.GetLiveId()] {
				wrong(Duplicated, "live %s of battle %s opens in phase %d, opened before: %v", o.GetLiveId(), o.GetBattleId(), b.phase, b.opened[o.GetLiveId()])
			}
			b.opened[o.GetLiveId()] = true
		})
	case *battlev1.Entry_BattleStarted_:
		id := e.BattleStarted.GetBattleId()
		change(id, func(b *fight) {
			for live := range b.holds {
				if !b.opened[live] {
					wrong(Violation, "battle %s starts before live %s is open", id, live)
				}
			}
			if b.phase != starting || d.at < b.startsAt {
				wrong(Violation, "battle %s starts at %d in phase %d; its time is %d", id, d.at, b.phase, b.startsAt)
			}
			b.phase, b.started, b.until = running, true, 0
		})
	case *battlev1.Entry_UserExited_:
		x := e.UserExited
		change(x.GetBattleId(), func(b *fight) {
			if !b.holds[x.GetLiveId()] || b.phase == settling {
				wrong(Duplicated, "live %s leaves battle %s and is not in it", x.GetLiveId(), x.GetBattleId())
			}
			delete(b.holds, x.GetLiveId())
			delete(b.asked, x.GetLiveId())
			b.exited[x.GetLiveId()] = true
			l.exits[[2]string{x.GetBattleId(), x.GetLiveId()}] = d.seq
		})
	case *battlev1.Entry_BattleEnding_:
		id := e.BattleEnding.GetBattleId()
		l.endings[id] = e.BattleEnding.GetReason()
		change(id, func(b *fight) {
			timeOver := e.BattleEnding.GetReason() == battlev1.Battle_TIME_OVER
			switch {
			case b.phase != running || timeOver && d.at < b.endsAt || !timeOver && !b.mayEnd(e.BattleEnding.GetReason()):
				wrong(Violation, "battle %s with %d lives ends by %v at %d in phase %d; its end is %d", id, len(b.holds), e.BattleEnding.GetReason(), d.at, b.phase, b.endsAt)
			case overdue(d.at, b.endsAt, l.restAt):
				wrong(Violation, "battle %s ends %d ms late", id, d.at-b.endsAt)
			}
			if timeOver {
				l.span(d, "battle "+id+" ends", b.since, b.endsAt)
			}
			b.phase, b.since = settling, place{d.seq, d.at}
		})
	case *battlev1.Entry_ProposalMade_, *battlev1.Entry_ProposalConsented_, *battlev1.Entry_ProposalLapsed_:
		l.proposal(e, change)
	case *battlev1.Entry_BattleExtended_:
		x := e.BattleExtended
		change(x.GetBattleId(), func(b *fight) {
			if b.phase != running || x.GetEndsAtMs() != b.endsAt+x.GetExtendMs() || d.at >= b.endsAt-lastMoment {
				wrong(Violation, "battle %s in phase %d, which ends at %d, is extended at %d to %d", x.GetBattleId(), b.phase, b.endsAt, d.at, x.GetEndsAtMs())
			}
			b.endsAt = x.GetEndsAtMs()
			delete(b.proposals, about(battlev1.Proposal_EXTEND, x.GetExtendMs()))
		})
	case *battlev1.Entry_LiveClosed_:
		c := e.LiveClosed
		change(c.GetBattleId(), func(b *fight) {
			if _, again := b.closed[c.GetLiveId()]; again {
				wrong(Duplicated, "live %s of battle %s is closed twice", c.GetLiveId(), c.GetBattleId())
			}
			b.closed[c.GetLiveId()] = c.GetTotal()
		})
	case *battlev1.Entry_BattleEnded_:
		l.ended(s, d, e.BattleEnded, wrong)
	default:
		s.after.apply(d.at, entry, wrong)
	}
}

func (l *battleLog) starting(s *fights, d decision[*battlev1.Entry], e *battlev1.Entry_BattleStarting, change func(string, func(*fight)), wrong func(Class, string, ...any)) {
	id := e.GetBattleId()
	l.starts[id] = start{e, d.seq}
	change(id, func(b *fight) {
		if b.phase != requested || b.until > 0 && len(b.asked) > 0 {
			wrong(Violation, "battle %s starts in phase %d, %d have not answered", id, b.phase, len(b.asked))
		}
		if e.GetStartsAtMs() < d.at || b.duration > 0 && e.GetEndsAtMs() != e.GetStartsAtMs()+b.duration {
			wrong(Violation, "battle %s of %d ms is set at %d to take from %d to %d", id, b.duration, d.at, e.GetStartsAtMs(), e.GetEndsAtMs())
		}
		b.phase, b.startsAt, b.endsAt, b.until = starting, e.GetStartsAtMs(), e.GetEndsAtMs(), e.GetStartsAtMs()+openWithin
		b.since = place{d.seq, d.at}
		for _, p := range e.GetParticipants() {
			b.plays[p.GetLiveId()] = true
		}
		if !maps.Equal(b.plays, b.holds) {
			wrong(Violation, "battle %s starts with %v, in it are %v", id, b.plays, b.holds)
		}
		clear(b.asked)
	})
}

func (l *battleLog) ended(s *fights, d decision[*battlev1.Entry], e *battlev1.Entry_BattleEnded, wrong func(Class, string, ...any)) {
	id, r := e.GetBattleId(), e.GetResult()
	b, open := s.open[id]
	switch {
	case s.ended(id):
		wrong(Duplicated, "battle %s ends twice", id)
	case !open:
		wrong(Violation, "battle %s ends and was never requested", id)
	case (b.started && e.GetReason() != battlev1.Battle_VOIDED) != (r != nil) || r != nil && b.phase != settling:
		wrong(Violation, "battle %s in phase %d ends with the result %v", id, b.phase, r)
	case r != nil:
		if len(r.GetLives()) != len(b.plays) {
			wrong(Violation, "%d lives played battle %s, %d are settled", len(b.plays), id, len(r.GetLives()))
		}
		for _, x := range r.GetLives() {
			total, ok := b.closed[x.GetLiveId()]
			if !ok || total != x.GetScore() || x.GetExited() != b.exited[x.GetLiveId()] {
				wrong(Violation, "live %s of battle %s closed with %d, exited: %v, and settles with %v", x.GetLiveId(), id, total, b.exited[x.GetLiveId()], x)
			}
		}
		b.ranked(id, r, wrong)
	}
	if open && b.phase == settling {
		l.span(d, "battle "+id+" settles", b.since, b.since.at)
	}
	s.after.follows(b, e, wrong)
	delete(s.open, id)
	s.ends[id] = s.number
	l.results[id] = r
}

// span notes what a deadline has brought.
func (l *battleLog) span(d decision[*battlev1.Entry], what string, since place, at int64) {
	l.spans = append(l.spans, Span{what, "BATTLE_00", since.seq, d.seq, at - since.at})
}
