package cohost

import (
	"slices"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// setLayout decides whether a member may change the layout.
func (s *State) setLayout(c SetLayoutTemplate) ([]Event, error) {
	live, connection, err := s.connected(c.LiveID)
	if err != nil {
		return nil, err
	}
	if err := layoutFits(c.Layout, live); err != nil {
		return nil, err
	}
	if n := seats(c.Layout); len(connection.Members) > n {
		return nil, fewSeats(c.Layout, n, len(connection.Members))
	}
	if c.Layout == connection.Layout {
		return nil, nil
	}
	return []Event{LayoutSet{ConnectionID: connection.ID, LiveID: live.ID, Layout: c.Layout}}, nil
}

// mute decides whether a live may have another member not be heard.
func (s *State) mute(c MuteRemoteHostAudio) ([]Event, error) {
	if c.LiveID == c.Target {
		return nil, es.Invalid("target_live_id", "a live cannot mute itself for itself")
	}
	live, connection, err := s.connected(c.LiveID)
	if err != nil {
		return nil, err
	}
	if _, ok := connection.member(c.Target); !ok {
		return nil, notTogether(live.ID, c.Target)
	}
	if slices.Contains(live.Muted, c.Target) == c.Muted {
		return nil, nil
	}
	return []Event{RemoteMuteSet{ConnectionID: connection.ID, LiveID: live.ID, Target: c.Target, Muted: c.Muted}}, nil
}

// connected returns an active live and the connection that it is in.
func (s *State) connected(id string) (Live, Connection, error) {
	live, ok := s.lives.Get(id)
	if !ok {
		return Live{}, Connection{}, liveNotFound(id)
	}
	connection, ok := s.connections.Get(live.ConnectionID)
	if !ok {
		return Live{}, Connection{}, notConnected(id)
	}
	return live, connection, nil
}
