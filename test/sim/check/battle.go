package check

import (
	"maps"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

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
	exits     map[[2]string][]exit // battle, live
	lost      []lostIn
	results   map[string]*battlev1.BattleResult // nil for one that never started
	final     map[string]fight                  // battles that have ended, as they were at their end
	over      map[string]uint64                 // the groups in which they have
	ends      map[string][]place                // when each battle was to end, as it was set and extended
	asked     map[string]Op                     // all commands by id; nil if not all are known
	places    map[string]int                    // of decisions, by id
	users     map[string]string                 // hosts of lives
	hosts     map[[2]string]string              // and as they were when a battle started
	limits    Limits

	spans  []Span
	f      *Findings
	read   uint64 // how far COHOST_00 was read
	restAt int64
}

func (l *battleLog) now() fights { return l.states[len(l.states)-1].s }

// readBattle folds BATTLE_00: a live is in one open battle at most, its lives share a connection at every recorded position
// of COHOST_00, that copy is what COHOST_00 says, and every battle passes its phases in order, when their time has come, can
// always be ended by something, and ends once. From the group after rest on, deadlines are met in time.
func readBattle(f *Findings, r Run, cohost *cohostLog) *battleLog {
	const name = "BATTLE_00"
	rest := r.Rest[name]
	l := &battleLog{
		decisions: readLog(f, name, r.Logs[name], func() *battlev1.Entry { return new(battlev1.Entry) }), f: f, restAt: never, limits: r.Limits,
		final: map[string]fight{}, over: map[string]uint64{}, ends: map[string][]place{}, places: map[string]int{}, users: map[string]string{},
		lives: map[string]map[string]bool{}, inviters: map[string]string{}, starts: map[string]start{}, endings: map[string]battlev1.Battle_EndReason{},
		exits: map[[2]string][]exit{}, results: map[string]*battlev1.BattleResult{}, hosts: map[[2]string]string{},
	}
	l.byID = byID(l.decisions)
	if r.Complete {
		l.asked = map[string]Op{}
		for _, o := range r.Ops {
			l.asked[o.ID] = o
		}
	}
	s := fights{
		sessions: map[string]presence{}, member: map[string]string{}, open: map[string]fight{}, ends: map[string]int{},
		after: after{punished: map[string]int64{}, rounds: map[string]waiting{}},
	}
	l.states = []state[fights]{{0, s}}
	for _, d := range l.decisions {
		s = s.clone()
		s.at, s.number = d.at, s.number+1
		if _, again := l.places[d.id]; !again {
			l.places[d.id] = s.number - 1
		}
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
			if now := cohost.at(l.read).sessionsOf(); !maps.Equal(current(s.sessions), now) {
				f.add(Violation, "%s/%d: the sessions copied from COHOST_00/%d are not those: %v, there are %v", name, d.seq, l.read, current(s.sessions), now)
			}
		}
		in := map[string]string{}
		for id, r := range s.after.rounds {
			if len(r.sides()) < 2 {
				f.add(Violation, "%s/%d: fewer than two sides wait for the round after battle %s, and it is to come", name, d.seq, id)
			}
			for live := range r.lives {
				if s.member[live] == "" {
					f.add(Violation, "%s/%d: live %s waits for the round after battle %s and is in no connection", name, d.seq, live, id)
				}
				in[live] = id
			}
		}
		for id, b := range s.open {
			if what, undone := b.undone(d.at, l.limits); undone {
				f.add(Violation, "%s/%d: all in battle %s have agreed to %v, and nothing comes of it", name, d.seq, id, what)
			}
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
		s.read = l.read
	case *battlev1.Entry_ConnectionJoined_:
		l.users[e.ConnectionJoined.GetLiveId()] = e.ConnectionJoined.GetHost().GetUserId()
		s.member[e.ConnectionJoined.GetLiveId()] = e.ConnectionJoined.GetConnectionId()
	case *battlev1.Entry_ConnectionLeft_:
		delete(s.member, e.ConnectionLeft.GetLiveId())
	case *battlev1.Entry_SessionTaken_:
		p := s.sessions[e.SessionTaken.GetLiveId()]
		if e.SessionTaken.GetFence() <= p.fence {
			wrong(Duplicated, "session %s of live %s has fence %d, after %d", e.SessionTaken.GetSessionId(), e.SessionTaken.GetLiveId(), e.SessionTaken.GetFence(), p.fence)
		}
		if p.current != "" {
			p.past = append(slices.Clip(p.past), p.current)
		}
		p.current, p.fence = e.SessionTaken.GetSessionId(), e.SessionTaken.GetFence()
		s.sessions[e.SessionTaken.GetLiveId()] = p
	case *battlev1.Entry_LiveEnded_:
		delete(s.sessions, e.LiveEnded.GetLiveId())
	case *battlev1.Entry_BattleRequested_:
		b := e.BattleRequested
		if l.lives[b.GetBattleId()] != nil {
			wrong(Duplicated, "battle %s is requested twice", b.GetBattleId())
		}
		inviter := b.GetInviter().GetLiveId()
		x := fight{
			until: b.GetExpiresAtMs(), since: place{d.seq, d.at}, duration: int64(b.GetConfig().GetDurationSeconds()) * 1000, inviter: inviter,
			asked: map[string]bool{}, holds: map[string]bool{inviter: true}, plays: map[string]bool{}, opened: map[string]bool{},
			exited: map[string]bool{}, lost: map[string]bool{}, rejoins: map[string]int32{}, closed: map[string]int64{}, side: sidesOf(b), proposals: map[subject]proposal{},
			answers: map[string]battlev1.Entry_InviteeAnswered_Answer{}, Entry_BattleRequested: b,
		}
		for _, p := range b.GetInvitees() {
			x.holds[p.GetLiveId()], x.asked[p.GetLiveId()] = true, true
		}
		s.open[b.GetBattleId()] = x
		s.after.begins(b, x.holds, wrong)
		l.requested(s, d, x, wrong)
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
			b.answers[a.GetLiveId()] = a.GetAnswer()
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
			b.exited[x.GetLiveId()], b.left = true, x.GetReason()
			if b.lost[x.GetLiveId()] = x.GetReason() == battlev1.Entry_UserExited_LOST; b.lost[x.GetLiveId()] {
				l.lost = append(l.lost, lostIn{x.GetLiveId(), d.seq})
			}
			key := [2]string{x.GetBattleId(), x.GetLiveId()}
			l.exits[key] = append(l.exits[key], exit{seq: d.seq, rejoins: b.rejoins[x.GetLiveId()]})
		})
	case *battlev1.Entry_UserRejoined_:
		x := e.UserRejoined
		change(x.GetBattleId(), func(b *fight) {
			if why := s.mayRejoin(d, *b, x); why != "" {
				wrong(Violation, "live %s rejoins battle %s, %s: %v", x.GetLiveId(), x.GetBattleId(), why, x)
			}
			b.holds[x.GetLiveId()], b.rejoins[x.GetLiveId()] = true, x.GetRejoins()
			delete(b.exited, x.GetLiveId())
			delete(b.lost, x.GetLiveId())
			delete(b.closed, x.GetLiveId())
			key := [2]string{x.GetBattleId(), x.GetLiveId()}
			l.exits[key] = append(l.exits[key], exit{seq: d.seq, back: x})
		})
	case *battlev1.Entry_BattleEnding_:
		id := e.BattleEnding.GetBattleId()
		l.endings[id] = e.BattleEnding.GetReason()
		change(id, func(b *fight) {
			timeOver := e.BattleEnding.GetReason() == battlev1.Battle_TIME_OVER
			switch {
			case b.phase != running || timeOver && d.at < b.endsAt || !timeOver && (d.at >= b.endsAt || !l.mayEnd(d, id, *b, e.BattleEnding.GetReason())):
				wrong(Violation, "battle %s with %d lives ends by %v at %d in phase %d; its end is %d", id, len(b.holds), e.BattleEnding.GetReason(), d.at, b.phase, b.endsAt)
			case overdue(d.at, b.endsAt, l.restAt):
				wrong(Violation, "battle %s ends %d ms late", id, d.at-b.endsAt)
			}
			if timeOver {
				l.span(d, "battle "+id+" ends", b.since, b.endsAt)
			}
			if end := e.BattleEnding.GetEndsAtMs(); timeOver && end > 0 && end != b.endsAt {
				wrong(Violation, "battle %s ends at %d, its lives are to close at %d", id, b.endsAt, end)
			}
			if said := b.proposals[toEnd].reason; e.BattleEnding.GetReason() == battlev1.Battle_CUT_SHORT && e.BattleEnding.GetDetail() != said {
				wrong(Violation, "battle %s is cut short for %q, proposed was that for %q", id, e.BattleEnding.GetDetail(), said)
			}
			b.phase, b.since, b.proposals = settling, place{d.seq, d.at}, map[subject]proposal{}
		})
	case *battlev1.Entry_ProposalMade_, *battlev1.Entry_ProposalConsented_, *battlev1.Entry_ProposalLapsed_, *battlev1.Entry_BattleExtended_:
		l.proposal(d, e, change, wrong)
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
		if x := entry.GetSeriesEnded(); x != nil {
			l.seriesEnded(s, d, x, wrong)
		}
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
		l.ends[id] = append(l.ends[id], place{d.seq, b.endsAt})
		for _, p := range e.GetParticipants() {
			b.plays[p.GetLiveId()] = true
			l.hosts[[2]string{id, p.GetLiveId()}] = p.GetHost().GetUserId()
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
	switch reason := e.GetReason(); {
	case reason == battlev1.Battle_TERMINATED && b.phase < running && !l.byAdmin(d, EndBattle, id), reason == battlev1.Battle_VOIDED && !l.byAdmin(d, VoidBattle, id):
		wrong(Violation, "battle %s ends by %v, and no admin has said so", id, reason)
	case reason != battlev1.Battle_VOIDED && b.phase == settling && reason != l.endings[id]:
		wrong(Violation, "battle %s was ending by %v and ends by %v", id, l.endings[id], reason)
	}
	if open && e.GetReason() == battlev1.Battle_NEVER_STARTED && !l.mayNever(d, b, e) {
		wrong(Violation, "battle %s in phase %d never starts by %v; asked are %v, in it are %v", id, b.phase, e.GetNever(), b.asked, b.holds)
	}
	s.follows(d.at, b, e, wrong)
	delete(s.open, id)
	l.final[id], l.over[id] = b, d.seq
	s.ends[id] = s.number
	l.results[id] = r
}

// mayNever reports whether a battle that has not started never will, for the reason that its end gives.
func (l *battleLog) mayNever(d decision[*battlev1.Entry], b fight, e *battlev1.Entry_BattleEnded) bool {
	id, cause := e.GetBattleId(), new(battlev1.Entry)
	for _, x := range d.entries {
		if x.GetBattleEnded() == e {
			break
		}
		cause = x
	}
	answer, exit := cause.GetInviteeAnswered(), cause.GetUserExited()
	switch {
	case b.phase == starting:
		return e.GetNever() == battlev1.Entry_BattleEnded_ABORTED && (b.until <= d.at || exit.GetBattleId() == id && b.sides() < 2)
	case b.phase != requested:
		return false
	case answer.GetBattleId() == id:
		why := map[battlev1.Entry_InviteeAnswered_Answer]battlev1.Entry_BattleEnded_Never{
			battlev1.Entry_InviteeAnswered_REJECTED:  battlev1.Entry_BattleEnded_REJECTED,
			battlev1.Entry_InviteeAnswered_TIMED_OUT: battlev1.Entry_BattleEnded_TIMED_OUT,
			battlev1.Entry_InviteeAnswered_CANCELLED: battlev1.Entry_BattleEnded_CANCELLED,
		}[answer.GetAnswer()]
		return b.sides() < 2 && why == e.GetNever()
	case exit.GetBattleId() == id:
		return b.sides() < 2 && e.GetNever() == battlev1.Entry_BattleEnded_ABORTED
	}
	o, known := l.asked[d.id]
	leaves := d.id != "" && !known || cause.GetConnectionLeft().GetLiveId() == b.inviter // cohost has it leave first by a command of its own
	return e.GetNever() == battlev1.Entry_BattleEnded_CANCELLED && (leaves || o.Kind == CancelBattle && o.Live == b.inviter && len(o.Others) == 0)
}

// span notes what a deadline has brought.
func (l *battleLog) span(d decision[*battlev1.Entry], what string, since place, at int64) {
	l.spans = append(l.spans, Span{what, "BATTLE_00", since.seq, d.seq, at - since.at})
}

// became counts what became of battles.
func (l *battleLog) became() map[string]int {
	n := map[string]int{}
	for _, d := range l.decisions {
		for _, entry := range d.entries {
			switch e := entry.GetEntry().(type) {
			case *battlev1.Entry_BattleEnded_:
				n[e.BattleEnded.GetReason().String()]++
			case *battlev1.Entry_SeriesEnded_:
				n["series "+e.SeriesEnded.GetReason().String()]++
			case *battlev1.Entry_SeriesContinued_:
				n["next round"]++
			case *battlev1.Entry_PunishmentEnded_:
				n["punishment "+e.PunishmentEnded.GetReason().String()]++
			case *battlev1.Entry_BattleExtended_:
				n["extended"]++
			case *battlev1.Entry_ProposalLapsed_:
				n["proposal lapsed"]++
			case *battlev1.Entry_UserExited_:
				n["exited, "+e.UserExited.GetReason().String()]++
			case *battlev1.Entry_UserRejoined_:
				n["rejoined"]++
			}
		}
	}
	return n
}
