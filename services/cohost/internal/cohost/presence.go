package cohost

import (
	"fmt"
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

// Presence is what the log says of a host being there. Values are never changed, only replaced.
type Presence struct {
	// Stage is 0 for a live whose host has never shown a sign of life.
	Stage Stage
	Since time.Time // of the stage
	// Sessions are the devices or tabs of the host that have acted for the live.
	Sessions es.Holders
	// Departs names the HostLost after which the live is still to leave its connection; empty if it is not.
	Departs string
	// LostFrom is the connection that the live was in when its host was lost last, and RejoinUntil until when it may rejoin it:
	// zero while the host is not back, and once it has rejoined.
	LostFrom    string
	RejoinUntil time.Time
}

// Superseded reports whether another session has taken over from this one.
func (p Presence) Superseded(session string) bool { return p.Sessions.Superseded(session) }

// Shows reports whether a sign of life of the session changes nothing in the log.
func (p Presence) Shows(session string) bool {
	return p.Stage == Present && (session == "" || session == p.Sessions.Current)
}

// asHost decides a host's own command: an older session may not act for it, nor may anybody while the host is lost.
func (s *State) asHost(now time.Time, c AsHost) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	switch {
	case !ok: // for the command itself to say
	case live.Presence.Superseded(c.Session):
		return nil, superseded(live)
	case live.Presence.Stage == Lost:
		return nil, lostNow(live.ID)
	}
	if !ok {
		return s.Decide(now, c.Command)
	}
	took, err := s.take(now, live, c.Session)
	if err != nil {
		return nil, err
	}
	events, err := s.Decide(now, c.Command)
	if err != nil {
		return nil, err
	}
	return append(took, events...), nil
}

// hear decides what a sign of life changes.
func (s *State) hear(now time.Time, c HearHost) ([]Event, error) {
	live, ok := s.lives.Get(c.LiveID)
	if !ok {
		return nil, liveNotFound(c.LiveID)
	}
	if live.Presence.Superseded(c.Session) {
		return nil, superseded(live)
	}
	events, err := s.take(now, live, c.Session)
	if err != nil {
		return nil, err
	}
	switch live.Presence.Stage {
	case Present:
	case Unreachable:
		events = append(events, HostRecovered{LiveID: live.ID})
	case Lost:
		recovered := HostRecovered{LiveID: live.ID}
		if s.connections.Has(live.Presence.LostFrom) {
			recovered.RejoinUntil = now.Add(s.rules.RejoinWithin)
		}
		events = append(events, recovered)
	default:
		events = append(events, PresenceBegan{LiveID: live.ID})
	}
	return events, nil
}

// take decides whether a session that is not the current one may become it.
func (s *State) take(now time.Time, live Live, session string) ([]Event, error) {
	if session == "" || session == live.Presence.Sessions.Current {
		return nil, nil
	}
	if err := s.paceSessions(now, live.ID); err != nil {
		return nil, err
	}
	return []Event{SessionTaken{LiveID: live.ID, Session: session, Fence: live.Presence.Sessions.Fence + 1}}, nil
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
			l.Presence.LostFrom, l.Presence.RejoinUntil = l.ConnectionID, time.Time{}
		}
	})
}

func (s *State) evolveSessionTaken(at es.Place, e SessionTaken) {
	s.senders.Add(Sender{TakenLiveID: e.LiveID}, at.At)
	s.change(e.LiveID, func(l *Live) { l.Presence.Sessions = l.Presence.Sessions.After(e.Session, e.Fence) })
}
