package cohost_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func rejoin(id string) cohost.RejoinHostConnection { return cohost.RejoinHostConnection{LiveID: id} }

func joinedAgain(connection, id string) []cohost.Event {
	return []cohost.Event{cohost.MemberJoined{ConnectionID: connection, LiveID: id, Host: user(id)}}
}

// until is when a host that is back at T0 may rejoin no more.
var until = estest.T0.Add(rules.RejoinWithin)

func back(id string) []cohost.Event {
	return []cohost.Event{cohost.HostRecovered{LiveID: id, RejoinUntil: until}}
}

func rejoinRows() []row {
	three := given(lives("a", "b", "c", "d", "e"), connected("x", "a", "b", "c"), gone("a"))
	out := given(three, []cohost.Event{left("x", "a", cohost.LeftLost)})
	returned := given(out, back("a"))
	refused := func(name, reason string, history []cohost.Event) row {
		return row{Name: "rejoin: " + name, Given: history, When: rejoin("a"), Reason: reason}
	}
	return []row{
		{Name: "back, and its connection goes on", Given: out, When: hear("a", ""), Then: back("a")},
		{Name: "back before it has departed", Given: three, When: hear("a", ""), Then: back("a")},
		{
			Name: "back, and its connection has ended", Given: given(out, dissolved("x", "b", "c")), When: hear("a", ""),
			Then: []cohost.Event{cohost.HostRecovered{LiveID: "a"}},
		},
		{Name: "rejoins", Given: returned, When: rejoin("a"), Then: joinedAgain("x", "a")},
		{Name: "rejoins in the last moment", Given: returned, Now: until.Add(-time.Millisecond), When: rejoin("a"), Then: joinedAgain("x", "a")},
		{Name: "rejoins at the edge", Given: returned, Now: until, When: rejoin("a"), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "rejoins after the edge", Given: returned, Now: until.Add(time.Millisecond), When: rejoin("a"), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "rejoins once", Given: given(returned, joinedAgain("x", "a")), When: rejoin("a")},
		{
			Name: "rejoins, and nobody waits for its answer", Given: given(returned, invited("d", "a")), When: rejoin("a"),
			Then: given(joinedAgain("x", "a"), []cohost.Event{ended("d", "a", cohost.Withdrawn)}),
		},
		{
			Name: "unreachable for a moment, and rejoins", Given: given(returned, []cohost.Event{cohost.HostUnreachable{LiveID: "a"}, cohost.HostRecovered{LiveID: "a"}}),
			When: rejoin("a"), Then: joinedAgain("x", "a"),
		},
		{
			Name: "lost again before it rejoined", Given: given(returned, []cohost.Event{cohost.HostUnreachable{LiveID: "a"}, cohost.HostLost{LiveID: "a"}}),
			When: hear("a", ""), Then: back("a"),
		},
		{
			Name: "lost again after it rejoined", Given: given(returned, joinedAgain("x", "a"), []cohost.Event{
				cohost.HostUnreachable{LiveID: "a"}, cohost.HostLost{LiveID: "a"}, left("x", "a", cohost.LeftLost),
			}, back("a")),
			When: rejoin("a"), Then: joinedAgain("x", "a"),
		},
		{Name: "rejoins by the newer session", Given: returned, When: cohost.AsHost{LiveID: "a", Session: "s1", Command: rejoin("a")}, Then: given([]cohost.Event{taken("a", "s1", 1)}, joinedAgain("x", "a"))},
		{
			Name: "rejoins by an older session", Given: given(returned, []cohost.Event{taken("a", "s1", 1), taken("a", "s2", 2)}),
			When: cohost.AsHost{LiveID: "a", Session: "s1", Command: rejoin("a")}, Reason: "SUPERSEDED",
		},
		refused("nobody", "LIVE_NOT_FOUND", nil),
		refused("still lost", "HOST_LOST", out),
		refused("still leaving", "HOST_LOST", given(three, back("a"))),
		refused("was in no connection", "CONNECTION_NOT_FOUND", given(lives("a"), gone("a"), []cohost.Event{cohost.HostRecovered{LiveID: "a"}})),
		refused("never lost", "CONNECTION_NOT_FOUND", given(lives("a"), present("a"))),
		refused("the connection has ended", "CONNECTION_NOT_FOUND", given(returned, dissolved("x", "b", "c"))),
		refused("in another one", "CONNECTED_WITH_OTHERS", given(returned, connected("y", "a", "d"))),
		refused("left another one since", "CONNECTION_NOT_FOUND", given(returned, connected("y", "a", "d"), dissolved("y", "a", "d"))),
		refused("left by itself since", "CONNECTION_NOT_FOUND", given(returned, joinedAgain("x", "a"), []cohost.Event{left("x", "a", cohost.LeftExited)})),
		refused("no seat is free", "CONNECTION_FULL", given(returned, []cohost.Event{cohost.LayoutSet{ConnectionID: "x", LiveID: "b", Layout: "HostVideoLandscapeFixed2Seats"}})),
		refused("another live of that id", "CONNECTION_NOT_FOUND", given(returned, []cohost.Event{cohost.LiveEnding{LiveID: "a"}}, lives("a"))),
	}
}

// TestRejoinIsTold: the others are told that it is back, and that it has joined; it is told until when it may, and who is there.
func TestRejoinIsTold(t *testing.T) {
	t.Parallel()
	s := cohost.New(rules)
	estest.Fold(s, estest.T0, given(lives("a", "b", "c"), connected("x", "a", "b", "c"), gone("a"), []cohost.Event{left("x", "a", cohost.LeftLost)})...)
	estest.Fold(s, estest.T0, back("a")...)
	if told := s.Told(); len(told) != 1 || told[0].To != "a" || told[0].News != (cohost.Back{LiveID: "a", Host: user("a"), WasLost: true, RejoinUntil: until}) {
		t.Errorf("back: told %+v", told)
	}
	estest.Fold(s, estest.T0, joinedAgain("x", "a")...)
	to := map[string]int{}
	for _, n := range s.Told() {
		if _, ok := n.News.(cohost.UserJoined); ok {
			to[n.To]++
		}
	}
	if to["a"] != 3 || to["b"] != 1 || to["c"] != 1 {
		t.Errorf("rejoined: told %v", s.Told())
	}
}
