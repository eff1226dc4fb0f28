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
	lost    map[string]bool  // lives that have exited because their hosts were lost
	rejoins map[string]int32 // how often lives have come back
	closed  map[string]int64
	side    map[string]string // of lives that do not fight for themselves
	answers map[string]battlev1.Entry_InviteeAnswered_Answer
	// left is why a live has left it last.
	left      battlev1.Entry_UserExited_Reason
	proposals map[subject]proposal
	started   bool
	*battlev1.Entry_BattleRequested
	// Log times. until: when a request times out or a start fails, 0: never.
	until, startsAt, endsAt, duration int64
	since                             place // its phase began
}

func (b fight) clone() fight {
	b.asked, b.holds, b.plays = maps.Clone(b.asked), maps.Clone(b.holds), maps.Clone(b.plays)
	b.opened, b.exited, b.closed = maps.Clone(b.opened), maps.Clone(b.exited), maps.Clone(b.closed)
	b.lost, b.rejoins = maps.Clone(b.lost), maps.Clone(b.rejoins)
	b.proposals, b.answers = maps.Clone(b.proposals), maps.Clone(b.answers)
	return b
}

// ready reports whether all lives that are in the battle are open.
func (b fight) ready() bool {
	for live := range b.holds {
		if !b.opened[live] {
			return false
		}
	}
	return true
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
	// pace has the battles that were requested, oldest first.
	pace []sending
	// sessions are those of the hosts of lives, as far as COHOST_00 was read; read is how far that is.
	sessions map[string]presence
	read     uint64
}

func (s fights) clone() fights {
	s.member, s.open, s.after, s.sessions = maps.Clone(s.member), maps.Clone(s.open), s.after.clone(), maps.Clone(s.sessions)
	return s
}

// ended reports whether a battle has ended.
func (s fights) ended(id string) bool {
	by, ok := s.ends[id]
	return ok && by <= s.number
}

// heldIn reports whether a live is in an open battle that has started, or has not; who waits for the next round of one is in one that has.
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
