package cohost_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func liveRows() []row {
	create := cohost.CreateLive{LiveID: "a", Kind: cohost.Voice, Host: user("a")}
	created := cohost.LiveCreated(create)
	ending := cohost.LiveEnding{LiveID: "a"}
	end := cohost.EndLive{LiveID: "a"}
	return []row{
		{Name: "create", When: create, Then: []cohost.Event{created}},
		{Name: "create an active live again", Given: lives("a"), When: create, Reason: "LIVE_EXISTS"},
		{Name: "create a live that has ended", Given: given(lives("a"), []cohost.Event{ending}), When: create, Then: []cohost.Event{created}},

		{Name: "end", Given: lives("a"), When: end, Then: []cohost.Event{ending}},
		{Name: "end a live that never was", When: end, Reason: "LIVE_NOT_FOUND"},
		{Name: "end an ended live", Given: given(lives("a"), []cohost.Event{ending}), When: end},
		{
			Name:  "end with invitations sent and received",
			Given: given(lives("a", "b", "c", "d"), invited("a", "b"), invited("c", "a"), invited("a", "d"), invited("c", "b")),
			When:  end,
			Then: []cohost.Event{
				ended("a", "b", cohost.EndedWithLive), ended("a", "d", cohost.EndedWithLive), ended("c", "a", cohost.EndedWithLive), ending,
			},
		},
		{
			Name:  "end with an invitation whose deadline has passed",
			Given: given(lives("a", "b"), invited("a", "b")), When: end, Now: estest.T0.Add(half),
			Then: []cohost.Event{ended("a", "b", cohost.TimedOut), ending},
		},
		{
			Name:  "end in a connection of two",
			Given: given(lives("a", "b"), connected("x", "a", "b")), When: end,
			Then: []cohost.Event{
				left("x", "a", cohost.LeftLiveEnded), left("x", "b", cohost.LeftDissolved), cohost.ConnectionEnded{ConnectionID: "x"}, ending,
			},
		},
		{
			Name:  "end in a connection of three",
			Given: given(lives("a", "b", "c"), connected("x", "a", "b", "c")), When: end,
			Then: []cohost.Event{left("x", "a", cohost.LeftLiveEnded), ending},
		},
	}
}

func TestEndedLivesAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	s := cohost.New(rules)
	estest.Fold(s, estest.T0, given(lives("a", "b"), connected("x", "a", "b"), []cohost.Event{
		left("x", "a", cohost.LeftLiveEnded), left("x", "b", cohost.LeftDissolved),
		cohost.ConnectionEnded{ConnectionID: "x"},
		cohost.LiveEnding{LiveID: "a"},
	})...)
	a, ok := s.Live("a")
	if !ok || a.Active() || !a.EndedAt.Equal(estest.T0) || a.ConnectionID != "" || a.Host != user("a") {
		t.Fatalf("ended live: %+v, %v", a, ok)
	}

	// A new live of the same id hides the ended one, which can still be looked up as such.
	estest.Fold(s, estest.T0.Add(time.Minute), lives("a")...)
	if a, _ := s.Live("a"); !a.Active() {
		t.Errorf("the new live is not seen: %+v", a)
	}
	if a, ok := s.EndedLive("a"); !ok || a.Active() {
		t.Errorf("the ended live is not seen: %+v, %v", a, ok)
	}

	later := estest.T0.Add(2 * time.Hour)
	estest.Fold(s, later, lives("c")...)
	estest.Fold[cohost.Command, cohost.Event](s, later, cohost.LiveEnding{LiveID: "c"})
	if l, ok := s.EndedLive("a"); ok {
		t.Errorf("still kept after two hours: %+v", l)
	}
}
