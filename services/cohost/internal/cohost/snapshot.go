package cohost

import (
	"fmt"
	"iter"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Piece is a part of committed state. All pieces together are all of it; what follows from others is none.
type Piece interface{ isPiece() }

type (
	// KeptLive is an active live.
	KeptLive struct{ Live Live }
	// KeptPart begins a part of the ended lives: those that are forgotten together, oldest first.
	KeptPart struct {
		Start, Last time.Time
		Len         int
	}
	// KeptEnded is an ended live.
	KeptEnded struct {
		Part int // the oldest being 0
		Live Live
	}
	// KeptConnection is a connection.
	KeptConnection struct{ Connection Connection }
	// KeptInvitation is a pending invitation.
	KeptInvitation struct{ Invitation Invitation }
	// KeptSenderPart begins a part of the senders: those that are forgotten together, oldest first.
	KeptSenderPart struct {
		Start, Last time.Time
		Len         int
	}
	// KeptSender is who has sent invitations, or was taken over by sessions, lately, and when.
	KeptSender struct {
		Part   int // the oldest being 0
		Sender Sender
		At     []time.Time
	}
)

func (KeptLive) isPiece()       {}
func (KeptPart) isPiece()       {}
func (KeptEnded) isPiece()      {}
func (KeptConnection) isPiece() {}
func (KeptInvitation) isPiece() {}
func (KeptSenderPart) isPiece() {}
func (KeptSender) isPiece()     {}

// Pieces has one of each kind.
var Pieces = []Piece{KeptLive{}, KeptPart{}, KeptEnded{}, KeptConnection{}, KeptInvitation{}, KeptSenderPart{}, KeptSender{}}

// Freeze has committed state stand still until Thaw is done, and ranges over it. Whoever does needs no lock.
func (s *State) Freeze() iter.Seq[Piece] {
	lives, ended := s.lives.Freeze(), s.ended.Freeze()
	connections, invitations, senders := s.connections.Freeze(), s.invitations.Freeze(), s.senders.Freeze()
	return func(yield func(Piece) bool) {
		for _, l := range lives {
			if !yield(KeptLive{l}) {
				return
			}
		}
		for i, part := range ended {
			if !yield(KeptPart{part.Start, part.Last, part.Len}) {
				return
			}
			for _, l := range part.Values {
				if !yield(KeptEnded{i, l}) {
					return
				}
			}
		}
		for _, c := range connections {
			if !yield(KeptConnection{c}) {
				return
			}
		}
		for _, i := range invitations {
			if !yield(KeptInvitation{i}) {
				return
			}
		}
		for i, part := range senders {
			if !yield(KeptSenderPart{part.Start, part.Last, part.Len}) {
				return
			}
			for sender, at := range part.Values {
				if !yield(KeptSender{i, sender, at}) {
					return
				}
			}
		}
	}
}

// Thaw lets state change again; see es.Thaw.
func (s *State) Thaw() (done bool) {
	return es.Thaw(&s.lives, s.ended, &s.connections, &s.invitations, s.senders)
}

// Restore puts a piece into a state that is to be given to Become, in the order in which Freeze gives them.
func (s *State) Restore(piece Piece) error {
	switch p := piece.(type) {
	case KeptLive:
		s.lives.Restore(p.Live.ID, p.Live)
	case KeptPart:
		s.ended.RestorePart(p.Start, p.Last, p.Len)
	case KeptEnded:
		if !s.ended.Restore(p.Part, p.Live.ID, p.Live) {
			return fmt.Errorf("live %s ended in part %d, which there is not", p.Live.ID, p.Part)
		}
	case KeptConnection:
		s.connections.Restore(p.Connection.ID, p.Connection)
	case KeptInvitation:
		i := p.Invitation
		s.invitations.Restore(i.ID, i)
		s.byPair.Restore(pair{i.Inviter.LiveID, i.Invitee.LiveID}, i.ID)
		s.timeouts.Restore(i.ID, i.ExpiresAt)
	case KeptSenderPart:
		s.senders.RestorePart(p.Start, p.Last, p.Len)
	case KeptSender:
		if !s.senders.Restore(p.Part, p.Sender, p.At) {
			return fmt.Errorf("%+v sent in part %d, which there is not", p.Sender, p.Part)
		}
	default:
		return fmt.Errorf("no place for %T", piece)
	}
	return nil
}

// Become makes a restored state, which is not used any more, committed state.
func (s *State) Become(restored *State) { *s = *restored }

// Empty makes the state of an empty log with the same rules.
func (s *State) Empty() *State { return New(s.rules) }
