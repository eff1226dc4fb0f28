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
	holds   map[string]bool // lives that are in it
	plays   map[string]bool // lives that were there at the start
	exited  map[string]bool
	closed  map[string]int64
	started bool
	until   int64 // log time at which a request times out, or a start fails; 0: none
}

func (b fight) clone() fight {
	b.holds, b.plays, b.exited, b.closed = maps.Clone(b.holds), maps.Clone(b.plays), maps.Clone(b.exited), maps.Clone(b.closed)
	return b
}

// fights is what BATTLE_00 says.
type fights struct {
	member map[string]string // live to connection, as far as COHOST_00 was read
	open   map[string]fight
	ended  map[string]bool
	at     int64 // log time
}

func (s fights) clone() fights {
	return fights{maps.Clone(s.member), maps.Clone(s.open), maps.Clone(s.ended), s.at}
}

// over reports whether a battle has ended, or its deadline has come so that it does.
func (s fights) over(id string) bool {
	b, open := s.open[id]
	return s.ended[id] || open && b.until > 0 && b.until <= s.at
}

// held reports whether a live is in an open battle.
func (s fights) held(live string) bool {
	for _, b := range s.open {
		if b.holds[live] {
			return true
		}
	}
	return false
}

// battleLog is BATTLE_00 read.
type battleLog struct {
	decisions []decision[*battlev1.Entry]
	states    []state[fights]
	byID      map[string]decision[*battlev1.Entry]
	results   map[string]*battlev1.BattleResult // nil for one that never started
}

func (l *battleLog) now() fights { return l.states[len(l.states)-1].s }

// readBattle folds BATTLE_00: a live is in one open battle at most, its lives share a connection at every recorded position
// of COHOST_00, that copy is what COHOST_00 says, and every battle ends once.
func readBattle(f *Findings, groups [][]byte, cohost *cohostLog) *battleLog {
	const name = "BATTLE_00"
	l := &battleLog{decisions: readLog(f, name, groups, func() *battlev1.Entry { return new(battlev1.Entry) }), results: map[string]*battlev1.BattleResult{}}
	l.byID = byID(l.decisions)
	s := fights{map[string]string{}, map[string]fight{}, map[string]bool{}, 0}
	l.states = []state[fights]{{0, s}}
	var read uint64
	for _, d := range l.decisions {
		s = s.clone()
		s.at = d.at
		before := read
		for _, entry := range d.entries {
			l.apply(f, &s, &read, d.seq, entry)
		}
		if read != before {
			if !maps.Equal(s.member, cohost.at(read).member) {
				f.add(Violation, "%s/%d: the connections copied from COHOST_00/%d are not those", name, d.seq, read)
			}
		}
		in := map[string]string{}
		for id, b := range s.open {
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

func (l *battleLog) apply(f *Findings, s *fights, read *uint64, seq uint64, entry *battlev1.Entry) {
	const name = "BATTLE_00"
	change := func(id string, change func(*fight)) {
		b, ok := s.open[id]
		if !ok {
			f.add(Violation, "%s/%d: battle %s is not open: %v", name, seq, id, entry)
			return
		}
		b = b.clone()
		change(&b)
		s.open[id] = b
	}
	switch e := entry.GetEntry().(type) {
	case *battlev1.Entry_CohostRead_:
		if e.CohostRead.GetSequence() <= *read {
			f.add(Duplicated, "%s/%d: group %d of COHOST_00 is read after %d", name, seq, e.CohostRead.GetSequence(), *read)
		}
		*read = e.CohostRead.GetSequence()
	case *battlev1.Entry_ConnectionJoined_:
		s.member[e.ConnectionJoined.GetLiveId()] = e.ConnectionJoined.GetConnectionId()
	case *battlev1.Entry_ConnectionLeft_:
		delete(s.member, e.ConnectionLeft.GetLiveId())
	case *battlev1.Entry_BattleRequested_:
		b := e.BattleRequested
		if _, open := s.open[b.GetBattleId()]; open || s.ended[b.GetBattleId()] {
			f.add(Duplicated, "%s/%d: battle %s is requested twice", name, seq, b.GetBattleId())
		}
		x := fight{until: b.GetExpiresAtMs(), holds: map[string]bool{b.GetInviter().GetLiveId(): true}, plays: map[string]bool{}, exited: map[string]bool{}, closed: map[string]int64{}}
		for _, p := range b.GetInvitees() {
			x.holds[p.GetLiveId()] = true
		}
		s.open[b.GetBattleId()] = x
	case *battlev1.Entry_InviteeAnswered_:
		a := e.InviteeAnswered
		change(a.GetBattleId(), func(b *fight) {
			if a.GetAnswer() != battlev1.Entry_InviteeAnswered_ACCEPTED {
				delete(b.holds, a.GetLiveId())
			}
		})
	case *battlev1.Entry_BattleStarting_:
		change(e.BattleStarting.GetBattleId(), func(b *fight) {
			b.phase, b.until = starting, e.BattleStarting.GetStartsAtMs()+openWithin
			for _, p := range e.BattleStarting.GetParticipants() {
				b.plays[p.GetLiveId()] = true
			}
		})
	case *battlev1.Entry_BattleStarted_:
		change(e.BattleStarted.GetBattleId(), func(b *fight) { b.phase, b.started, b.until = running, true, 0 })
	case *battlev1.Entry_UserExited_:
		x := e.UserExited
		change(x.GetBattleId(), func(b *fight) {
			if !b.holds[x.GetLiveId()] {
				f.add(Duplicated, "%s/%d: live %s leaves battle %s and is not in it", name, seq, x.GetLiveId(), x.GetBattleId())
			}
			delete(b.holds, x.GetLiveId())
			b.exited[x.GetLiveId()] = true
		})
	case *battlev1.Entry_BattleEnding_:
		change(e.BattleEnding.GetBattleId(), func(b *fight) { b.phase = settling })
	case *battlev1.Entry_LiveClosed_:
		c := e.LiveClosed
		change(c.GetBattleId(), func(b *fight) {
			if _, again := b.closed[c.GetLiveId()]; again {
				f.add(Duplicated, "%s/%d: live %s of battle %s is closed twice", name, seq, c.GetLiveId(), c.GetBattleId())
			}
			b.closed[c.GetLiveId()] = c.GetTotal()
		})
	case *battlev1.Entry_BattleEnded_:
		id := e.BattleEnded.GetBattleId()
		b, open := s.open[id]
		switch {
		case s.ended[id]:
			f.add(Duplicated, "%s/%d: battle %s ends twice", name, seq, id)
		case !open:
			f.add(Violation, "%s/%d: battle %s ends and was never requested", name, seq, id)
		case b.started != (e.BattleEnded.GetResult() != nil):
			f.add(Violation, "%s/%d: battle %s, started %v, ends with the result %v", name, seq, id, b.started, e.BattleEnded.GetResult())
		}
		for _, r := range e.BattleEnded.GetResult().GetLives() {
			if total, ok := b.closed[r.GetLiveId()]; !ok || total != r.GetScore() {
				f.add(Violation, "%s/%d: live %s of battle %s closed with %d and settles with %d", name, seq, r.GetLiveId(), id, total, r.GetScore())
			}
		}
		if r := e.BattleEnded.GetResult(); r != nil && len(r.GetLives()) != len(b.plays) {
			f.add(Violation, "%s/%d: %d lives played battle %s, %d are settled", name, seq, len(b.plays), id, len(r.GetLives()))
		}
		delete(s.open, id)
		s.ended[id] = true
		l.results[id] = e.BattleEnded.GetResult()
	}
}
