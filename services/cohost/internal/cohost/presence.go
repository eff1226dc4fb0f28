package cohost

import (
	"fmt"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Stage is how far the silence of a host has gone.
type Stage int

// Stages. A live whose host has never shown a sign of life has none: it is driven by a backend, and is never lost.
const (
	Present     Stage = 1
	Unreachable Stage = 2
	Lost        Stage = 3
)

// pastSessions is how many sessions of a live are known to be older than the current one. A session that was superseded hears
// so at its next sign of life, so it would have to sleep through as many others to be taken for a new one.
const pastSessions = 32

// Presence is what the log says of a host being there. Values are never changed, only replaced.
type Presence struct {
	// Stage is 0 for a live whose host has never shown a sign of life.
	Stage Stage
	Since time.Time // of the stage
	// Session is the current one, empty before the first. Fence counts them.
	Session string
	Fence   int64
	// Past holds the sessions that were current before, the latest last.
	Past []string
	// Departs names the HostLost after which the live is still to leave its connection; empty if it is not.
	Departs string
}

// Superseded reports whether another session has taken over from this one.
func (p Presence) Superseded(session string) bool { return slices.Contains(p.Past, session) }

// Shows reports whether a sign of life of the session changes nothing in the log.
func (p Presence) Shows(session string) bool {
	return p.Stage == Present && (session == "" || session == p.Session)
}

// asHost decides a host's own command: an older session may not act for it, nor may anybody while the host is lost.
func (s *State) asHost(now time.Time, c AsHost) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	switch {
	case !ok: // for the command itself to say
	case live.Presence.Superseded(c.Session):
		return nil, superseded(live)
	case live.Presence.Stage == Lost:
		return nil, hostLost(live.ID)
	}
	events, err := s.Decide(now, c.Command)
	if err != nil || !ok {
		return events, err
	}
	return append(taken(live, c.Session), events...), nil
}

// hear decides what a sign of life changes.
func (s *State) hear(c HearHost) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	if !ok {
		return nil, liveNotFound(c.LiveID)
	}
	if live.Presence.Superseded(c.Session) {
		return nil, superseded(live)
	}
	events := taken(live, c.Session)
	switch live.Presence.Stage {
	case Present:
	case Unreachable, Lost:
		events = append(events, HostRecovered{LiveID: live.ID})
	default:
		events = append(events, PresenceBegan{LiveID: live.ID})
	}
	return events, nil
}

// taken is the event that makes a session the current one, if it is not.
func taken(live Live, session string) []Event {
	if session == "" || session == live.Presence.Session {
		return nil
	}
	return []Event{SessionTaken{LiveID: live.ID, Session: session, Fence: live.Presence.Fence + 1}}
}

// miss takes the silence of a host one stage further. If the host has come back meanwhile, nothing follows.
func (s *State) miss(now time.Time, c MissHost) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	if !ok || live.Presence.Stage != c.Stage {
		return nil, nil
	}
	switch c.Stage {
	case Present:
		return []Event{HostUnreachable{LiveID: live.ID}}, nil
	case Unreachable:
		events := []Event{HostLost{LiveID: live.ID}}
		events = append(events, s.endInvitations(now, live.Sent, Withdrawn)...)
		return append(events, s.endInvitations(now, live.Received, Withdrawn)...), nil
	case Lost:
		events := s.leave(live, LeftLost) // if battle has not let it in all the time
		return append(events, LiveEnding{LiveID: live.ID, Lost: true}), nil
	}
	return nil, nil
}

// leaveLost takes a live out of its connection because its host was lost, be it back since: that was decided then.
func (s *State) leaveLost(c LeaveLost) []Event {
	live, _ := s.lives.Get(c.LiveID)
	if live.Presence.Departs == "" {
		return nil
	}
	return s.leave(live, LeftLost)
}

func (s *State) evolveStage(at es.Place, id string, stage Stage) {
	s.change(id, func(l *Live) {
		l.Presence.Stage, l.Presence.Since = stage, at.At
		if stage == Lost && l.ConnectionID != "" {
			l.Presence.Departs = fmt.Sprintf("%d-%d", at.Seq, at.Index)
		}
	})
}

func (s *State) evolveSessionTaken(e SessionTaken) {
	s.change(e.LiveID, func(l *Live) {
		p := &l.Presence
		if p.Session != "" {
			p.Past = with(p.Past[max(0, len(p.Past)+1-pastSessions):], p.Session)
		}
		p.Session, p.Fence = e.Session, e.Fence
	})
}
