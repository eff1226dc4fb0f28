package cohost_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// memberRows: what connections of more than two do to invitations.
func memberRows() []row {
	mutual := func(inviter, invitee string) cohost.InvitationEnded {
		e := ended(inviter, invitee, cohost.Accepted)
		e.Mutual = true
		return e
	}
	abc := given(lives("a", "b", "c", "d"), connected("x", "a", "b", "c"))
	full := given(lives("b"), lives(numbered(9)...), connected("x", numbered(8)...), invited("l1", "b"), invited("l2", "l9"))
	return []row{
		{
			Name:  "mutual: the one who asked first is connected meanwhile",
			Given: given(lives("a", "b", "c"), invited("a", "b"), connected("x", "c", "a")), When: request("b", "a"),
			Then: []cohost.Event{mutual("a", "b"), joined("x", "b")},
		},
		{
			Name:  "mutual: the member invites back into its own connection only who is free",
			Given: given(lives("a", "b", "c", "d"), connected("x", "a", "c"), connected("y", "b", "d")), When: request("b", "a"),
			Reason: "CONNECTED_WITH_OTHERS",
		},
		{
			Name:  "two members invite one live: it joins through either, and the other invitation is withdrawn",
			Given: given(abc, invited("b", "d"), invited("c", "d")), When: accept("d", "c"),
			Then: []cohost.Event{ended("c", "d", cohost.Accepted), joined("x", "d"), ended("b", "d", cohost.Withdrawn)},
		},
		{
			Name:  "the invitation of a member that has left does not lead into the connection any more",
			Given: given(abc, invited("a", "d"), []cohost.Event{left("x", "a", cohost.LeftExited)}), When: accept("d", "a"),
			Then: given([]cohost.Event{ended("a", "d", cohost.Accepted)}, connected("new", "a", "d")),
		},
		{
			Name:  "the invitation of a member that has joined others leads there",
			Given: given(abc, lives("e"), invited("a", "d"), []cohost.Event{left("x", "a", cohost.LeftExited)}, connected("y", "e", "a")), When: accept("d", "a"),
			Then: []cohost.Event{ended("a", "d", cohost.Accepted), joined("y", "d")},
		},
		{
			Name:  "a member whose live ends takes its invitations along",
			Given: given(abc, invited("a", "d")), When: cohost.EndLive{LiveID: "a"},
			Then: []cohost.Event{ended("a", "d", cohost.EndedWithLive), left("x", "a", cohost.LeftLiveEnded), cohost.LiveEnding{LiveID: "a"}},
		},
		{
			Name:  "a connection fills up: other pending invitations into it stay",
			Given: full, When: accept("b", "l1"),
			Then: []cohost.Event{ended("l1", "b", cohost.Accepted), joined("x", "b")},
		},
		{
			Name:  "the last place went to another: refused, and pending still",
			Given: given(full, []cohost.Event{ended("l1", "b", cohost.Accepted), joined("x", "b")}), When: accept("l9", "l2"),
			Reason: "CONNECTION_FULL",
		},
		{
			Name:  "a place is free again before the invitation times out",
			Given: given(full, []cohost.Event{ended("l1", "b", cohost.Accepted), joined("x", "b"), left("x", "l1", cohost.LeftExited)}),
			When:  accept("l9", "l2"),
			Then:  []cohost.Event{ended("l2", "l9", cohost.Accepted), joined("x", "l9")},
		},
	}
}

// TestConnectionsOfEverySize: a live joins through any member as long as there is room, and when any member leaves, by
// itself or because its live ends, the rest go on unless only one is left.
func TestConnectionsOfEverySize(t *testing.T) {
	t.Parallel()
	decide := func(t *testing.T, s *cohost.State, c cohost.Command) ([]cohost.Event, string) {
		t.Helper()
		events, err := s.Decide(estest.T0, c)
		var refusal *es.Refusal
		if errors.As(err, &refusal) {
			return nil, refusal.Reason
		}
		if err != nil {
			t.Fatal(err)
		}
		return events, ""
	}
	for size := 2; size <= 9; size++ {
		for _, member := range numbered(size) {
			t.Run(fmt.Sprintf("%s of %d", member, size), func(t *testing.T) {
				t.Parallel()
				s := cohost.New(rules)
				estest.Fold(s, estest.T0, given(lives("new"), lives(numbered(size)...), connected("x", numbered(size)...))...)

				events, refused := decide(t, s, request(member, "new"))
				if size == 9 {
					if refused != "CONNECTION_FULL" {
						t.Errorf("invited into a full connection: %v, %q", events, refused)
					}
				} else {
					s := cohost.New(rules)
					estest.Fold(s, estest.T0, given(lives("new"), lives(numbered(size)...), connected("x", numbered(size)...), events)...)
					joins, refused := decide(t, s, accept("new", member))
					want := []cohost.Event{ended(member, "new", cohost.Accepted), joined("x", "new")}
					if diff := cmp.Diff(want, joins); refused != "" || diff != "" {
						t.Errorf("joins: %q (-want +got):\n%s", refused, diff)
					}
				}

				for _, leaves := range []struct {
					command cohost.Command
					reason  cohost.Leaving
					last    []cohost.Event
				}{
					{cohost.ExitHostConnection{LiveID: member}, cohost.LeftExited, nil},
					{cohost.EndLive{LiveID: member}, cohost.LeftLiveEnded, []cohost.Event{cohost.LiveEnding{LiveID: member}}},
				} {
					want := []cohost.Event{left("x", member, leaves.reason)}
					if size == 2 {
						other := numbered(2)[1-slices.Index(numbered(2), member)]
						want = append(want, left("x", other, cohost.LeftDissolved), cohost.ConnectionEnded{ConnectionID: "x"})
					}
					got, refused := decide(t, s, leaves.command)
					if diff := cmp.Diff(append(want, leaves.last...), got); refused != "" || diff != "" {
						t.Errorf("%T: %q (-want +got):\n%s", leaves.command, refused, diff)
					}
				}
			})
		}
	}
}
