package battle

import (
	"fmt"
	"iter"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Piece is a part of committed state. All pieces together are all of it; what follows from others is none.
type Piece interface{ isPiece() }

type (
	// KeptCohostRead is how far COHOST_00 has been read.
	KeptCohostRead struct{ Sequence uint64 }
	// KeptConnected is a live that is in a connection.
	KeptConnected struct {
		ConnectionID string
		Live         Participant
	}
	// KeptConnection holds the lives of a connection in the order of joining.
	KeptConnection struct {
		ConnectionID string
		LiveIDs      []string
	}
	// KeptSessions are those of the host of a live.
	KeptSessions struct {
		LiveID   string
		Sessions es.Holders
	}
	// KeptBattle is a battle that has not ended, or that something is still to come of.
	KeptBattle struct{ Battle Battle }
	// KeptPart begins a part of the ended battles: those that are forgotten together, oldest first.
	KeptPart struct {
		Start, Last time.Time
		Len         int
	}
	// KeptEnded is a battle that has ended.
	KeptEnded struct {
		Part   int // the oldest being 0
		Battle Battle
	}
	// KeptRequestsPart begins a part of the requests that are counted, as KeptPart does.
	KeptRequestsPart struct {
		Start, Last time.Time
		Len         int
	}
	// KeptRequests are when a live, or a user, has requested battles, oldest first.
	KeptRequests struct {
		Part           int
		LiveID, UserID string
		Times          []time.Time
	}
)

func (KeptCohostRead) isPiece()   {}
func (KeptConnected) isPiece()    {}
func (KeptConnection) isPiece()   {}
func (KeptSessions) isPiece()     {}
func (KeptBattle) isPiece()       {}
func (KeptPart) isPiece()         {}
func (KeptEnded) isPiece()        {}
func (KeptRequestsPart) isPiece() {}
func (KeptRequests) isPiece()     {}

// Pieces has one of each kind.
var Pieces = []Piece{
	KeptCohostRead{}, KeptConnected{}, KeptConnection{}, KeptSessions{}, KeptBattle{}, KeptPart{}, KeptEnded{}, KeptRequestsPart{}, KeptRequests{},
}

// Freeze has committed state stand still until Thaw is done, and ranges over it. Whoever does needs no lock.
func (s *State) Freeze() iter.Seq[Piece] {
	read := s.cohostRead.Committed()
	lives, connections, sessions := s.connected.Freeze(), s.connections.Freeze(), s.sessions.Freeze()
	open, ended, requests := s.open.Freeze(), s.ended.Freeze(), s.requests.Freeze()
	return func(yield func(Piece) bool) {
		if !yield(KeptCohostRead{read}) {
			return
		}
		for _, c := range lives {
			if !yield(KeptConnected{c.connectionID, c.Participant}) {
				return
			}
		}
		for id, lives := range connections {
			if !yield(KeptConnection{id, lives}) {
				return
			}
		}
		for live, held := range sessions {
			if !yield(KeptSessions{live, held}) {
				return
			}
		}
		for _, b := range open {
			if !yield(KeptBattle{b}) {
				return
			}
		}
		for i, part := range ended {
			if !yield(KeptPart{part.Start, part.Last, part.Len}) {
				return
			}
			for _, b := range part.Values {
				if !yield(KeptEnded{i, b}) {
					return
				}
			}
		}
		for i, part := range requests {
			if !yield(KeptRequestsPart{part.Start, part.Last, part.Len}) {
				return
			}
			for a, times := range part.Values {
				if !yield(KeptRequests{i, a.live, a.user, times}) {
					return
				}
			}
		}
	}
}

// Thaw lets state change again; see es.Thaw.
func (s *State) Thaw() (done bool) {
	return es.Thaw(&s.connected, &s.connections, &s.sessions, &s.open, s.ended, s.requests)
}

// Restore puts a piece into a state that is to be given to Become, in the order in which Freeze gives them.
func (s *State) Restore(piece Piece) error {
	switch p := piece.(type) {
	case KeptCohostRead:
		s.cohostRead.Set(p.Sequence)
		s.cohostRead.Commit()
	case KeptConnected:
		s.connected.Restore(p.Live.LiveID, connected{p.ConnectionID, p.Live})
	case KeptConnection:
		s.connections.Restore(p.ConnectionID, p.LiveIDs)
	case KeptSessions:
		s.sessions.Restore(p.LiveID, p.Sessions)
	case KeptBattle:
		s.restoreOpen(p.Battle)
	case KeptPart:
		s.ended.RestorePart(p.Start, p.Last, p.Len)
	case KeptEnded:
		if !s.ended.Restore(p.Part, p.Battle.ID, p.Battle) {
			return fmt.Errorf("battle %s ended in part %d, which there is not", p.Battle.ID, p.Part)
		}
	case KeptRequestsPart:
		s.requests.RestorePart(p.Start, p.Last, p.Len)
	case KeptRequests:
		if !s.requests.Restore(p.Part, asker{p.LiveID, p.UserID}, p.Times) {
			return fmt.Errorf("requests in part %d, which there is not", p.Part)
		}
	default:
		return fmt.Errorf("no place for %T", piece)
	}
	return nil
}

// restoreOpen restores a battle with its timer and its reservations, which follow from it.
func (s *State) restoreOpen(b Battle) {
	s.open.Restore(b.ID, b)
	for _, m := range b.Members {
		if b.Holds(m) {
			s.holds.Restore(m.LiveID, b.ID)
		}
		if b.Punishes(m) {
			s.punished.Restore(m.LiveID, b.ID)
		}
	}
	if at, ok := s.deadline(b); ok {
		s.timers.Restore(b.ID, at)
	}
}

// Become makes a restored state, which is not used any more, committed state.
func (s *State) Become(restored *State) { *s = *restored }

// Empty makes an empty State with the same settings.
func (s *State) Empty() *State { return New(s.settings) }

// Battle returns a battle in committed state that is open or has ended not too long ago.
func (s *State) Battle(id string) (Battle, bool) {
	if b, ok := s.open.Committed(id); ok {
		return b, true
	}
	return s.ended.Committed(id)
}
