package cohost

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Rules are the settings of the rules. Two replicas may have different ones for a while: they matter to decisions only,
// and what was decided is in the log.
type Rules struct {
	// MaxMembers of a connection, 2 to 9.
	MaxMembers int
	// MaxPending invitations of a live in each direction, 1 to 100.
	MaxPending int
	// LiveRate and UserRate are how many invitations a live, and a host with all its lives, may send in any minute of log
	// time, at least 1.
	LiveRate, UserRate int
	// SessionRate is how many sessions may take a live over in any minute of log time, at least 1.
	SessionRate int
	// RejoinWithin is how long, in log time, a host that was lost and is back may rejoin its connection.
	RejoinWithin time.Duration
	// EndedKept is how long, in log time, an ended live can still be looked up.
	EndedKept time.Duration
}

// Live is one live room. Values are never changed, only replaced.
type Live struct {
	ID        string
	Kind      Kind
	Host      User
	CreatedAt time.Time
	EndedAt   time.Time // zero while the live is active
	// ConnectionID is empty when the live is in no connection.
	ConnectionID string
	// Sent and Received hold the ids of pending invitations, oldest first.
	Sent, Received []string
	// Muted holds the members of its connection that the live and its audience do not hear, in the order of muting.
	Muted    []string
	Presence Presence
}

// Active reports whether the live has not ended.
func (l Live) Active() bool { return l.EndedAt.IsZero() }

// Member is a live with its host, as others see it.
type Member struct {
	LiveID   string
	Host     User
	JoinedAt time.Time // zero for the two sides of an invitation
}

// Connection is two or more lives that co-host.
type Connection struct {
	ID      string
	Layout  string
	Members []Member // in the order of joining
}

// member returns a live of the connection.
func (c Connection) member(live string) (Member, bool) {
	i := slices.IndexFunc(c.Members, func(m Member) bool { return m.LiveID == live })
	if i < 0 {
		return Member{}, false
	}
	return c.Members[i], true
}

// Invitation is a pending invitation.
type Invitation struct {
	ID               string
	Inviter, Invitee Member
	Layout           string
	ExtensionInfo    string
	CreatedAt        time.Time
	ExpiresAt        time.Time
}

// State is the fold of the log; it implements es.Machine. The methods in read.go see committed state only.
type State struct {
	rules Rules

	lives       es.Map[string, Live] // active ones
	ended       *es.Window[string, Live]
	connections es.Map[string, Connection]
	invitations es.Map[string, Invitation] // pending ones
	byPair      es.Map[pair, string]       // id of the pending invitation
	timeouts    es.Timers[string]          // by invitation id
	senders     es.Recent[Sender]          // of the invitations of the last minute, and of its sessions
	told        told
}

// pair names an invitation by its two sides.
type pair struct{ inviter, invitee string }

var _ es.Machine[Command, Event] = (*State)(nil)

// New makes the state of an empty log.
func New(rules Rules) *State {
	return &State{
		rules:   rules,
		ended:   es.NewWindow[string, Live](rules.EndedKept),
		senders: es.NewRecent[Sender](ratePeriod, sentKept),
	}
}

// Commit implements es.Machine.
func (s *State) Commit() {
	s.lives.Commit()
	s.ended.Commit()
	s.connections.Commit()
	s.invitations.Commit()
	s.byPair.Commit()
	s.timeouts.Commit()
	s.senders.Commit()
	s.told.commit()
}

// Discard implements es.Machine.
func (s *State) Discard() {
	s.lives.Discard()
	s.ended.Discard()
	s.connections.Discard()
	s.invitations.Discard()
	s.byPair.Discard()
	s.timeouts.Discard()
	s.senders.Discard()
	s.told.discard()
}
