package cohost_test

import (
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func answerRows() []row {
	a2b := given(lives("a", "b"), invited("a", "b"))
	reject := cohost.RejectHostConnection{LiveID: "b", From: "a", Reason: "busy"}
	rejected := ended("a", "b", cohost.Rejected)
	rejected.Reason, rejected.Code = "busy", cohost.RejectCustom
	silent := ended("a", "b", cohost.Rejected)
	silent.Code = cohost.RejectDeclined
	coded := rejected
	coded.Code, coded.ExtensionInfo = cohost.RejectBusy, "until 9"
	with := accept("b", "a")
	with.ExtensionInfo = "hello"
	acceptedWith := ended("a", "b", cohost.Accepted)
	acceptedWith.ExtensionInfo = "hello"
	cancel := cohost.CancelHostConnection{LiveID: "a", To: "b"}
	rows := []row{
		{
			Name: "accept founds a connection", Given: a2b, When: accept("b", "a"),
			Then: given([]cohost.Event{ended("a", "b", cohost.Accepted)}, connected("new", "a", "b")),
		},
		{
			Name:  "accept joins the inviter's connection",
			Given: given(a2b, lives("c"), connected("x", "a", "c")), When: accept("b", "a"),
			Then: []cohost.Event{ended("a", "b", cohost.Accepted), joined("x", "b")},
		},
		{
			Name:  "accept takes the last seat",
			Given: given(lives("b"), lives(numbered(8)...), invited("l1", "b"), connected("x", numbered(8)...)), When: accept("b", "l1"),
			Then: []cohost.Event{ended("l1", "b", cohost.Accepted), joined("x", "b")},
		},
		{
			Name:  "accept when the connection is full",
			Given: given(lives("b"), lives(numbered(9)...), invited("l1", "b"), connected("x", numbered(9)...)), When: accept("b", "l1"),
			Reason: "CONNECTION_FULL",
		},
		{
			Name:  "accept by a live that is in another connection",
			Given: given(a2b, lives("c"), connected("x", "b", "c")), When: accept("b", "a"),
			Reason: "CONNECTED_WITH_OTHERS",
		},
		{Name: "accept by the inviter", Given: a2b, When: accept("a", "b"), Reason: "INVITATION_ENDED"},
		{Name: "reject", Given: a2b, When: reject, Then: []cohost.Event{rejected}},
		{Name: "reject without a reason", Given: a2b, When: cohost.RejectHostConnection{LiveID: "b", From: "a"}, Then: []cohost.Event{silent}},
		{
			Name: "reject with code, words and information", Given: a2b,
			When: cohost.RejectHostConnection{LiveID: "b", From: "a", Reason: "busy", Code: cohost.RejectBusy, ExtensionInfo: "until 9"},
			Then: []cohost.Event{coded},
		},
		{Name: "accept with information", Given: a2b, When: with, Then: given([]cohost.Event{acceptedWith}, connected("new", "a", "b"))},
		{Name: "cancel", Given: a2b, When: cancel, Then: []cohost.Event{ended("a", "b", cohost.Cancelled)}},
		{Name: "cancel by the invitee", Given: a2b, When: cohost.CancelHostConnection{LiveID: "b", To: "a"}, Reason: "INVITATION_ENDED"},
	}
	// An invitation ends exactly once: after every ending every answer is refused.
	answers := map[string]cohost.Command{"accept": accept("b", "a"), "reject": reject, "cancel": cancel}
	endings := map[string]cohost.Ending{
		"accepted": cohost.Accepted, "rejected": cohost.Rejected, "cancelled": cohost.Cancelled,
		"timed out": cohost.TimedOut, "ended with a live": cohost.EndedWithLive, "withdrawn": cohost.Withdrawn,
	}
	for what, when := range answers {
		for how, ending := range endings {
			rows = append(rows, row{
				Name: what + " when " + how, Given: given(a2b, []cohost.Event{ended("a", "b", ending)}), When: when, Reason: "INVITATION_ENDED",
			})
		}
		rows = append(rows,
			row{Name: what + " without an invitation", Given: lives("a", "b"), When: when, Reason: "INVITATION_ENDED"},
			row{Name: what + " at the deadline", Given: a2b, Now: estest.T0.Add(half), When: when, Reason: "INVITATION_ENDED"},
			row{Name: what + " by a live that does not exist", When: when, Reason: "LIVE_NOT_FOUND"},
		)
	}
	return rows
}

// withdrawRows: which invitations end because a live joins a connection, and which stay.
func withdrawRows() []row {
	// a, b, c and d have all sent and received.
	web := given(lives("a", "b", "c", "d", "e"),
		invited("a", "b"), invited("c", "b"), invited("d", "b"), // b: received from a, c, d
		invited("e", "a"),                    // a: received from e
		invited("a", "d"), invited("b", "e")) // sent by a and b
	return []row{
		{
			Name: "founding withdraws what both have received from others; what they sent stays", Given: web, When: accept("b", "a"),
			Then: given([]cohost.Event{ended("a", "b", cohost.Accepted)}, connected("new", "a", "b"), []cohost.Event{
				ended("e", "a", cohost.Withdrawn), ended("c", "b", cohost.Withdrawn), ended("d", "b", cohost.Withdrawn),
			}),
		},
		{
			Name:  "joining withdraws what the invitee has received, from members of that connection too",
			Given: given(lives("a", "b", "c", "d"), connected("x", "a", "c"), invited("a", "b"), invited("c", "b"), invited("d", "b"), invited("a", "d")),
			When:  accept("b", "a"),
			Then: []cohost.Event{
				ended("a", "b", cohost.Accepted), joined("x", "b"), ended("c", "b", cohost.Withdrawn), ended("d", "b", cohost.Withdrawn),
			},
		},
		{
			Name:  "an invitation whose deadline has passed is not withdrawn, it has timed out",
			Given: given(lives("a", "b", "c"), invited("c", "b"), []cohost.Event{lateInvitation("a", "b")}), When: accept("b", "a"), Now: estest.T0.Add(half),
			Then: given([]cohost.Event{ended("a", "b", cohost.Accepted)}, connected("new", "a", "b"), []cohost.Event{ended("c", "b", cohost.TimedOut)}),
		},
		{
			Name:  "an invitation sent before joining leads into the connection",
			Given: given(lives("a", "b", "c"), invited("a", "b"), connected("x", "c", "a")), When: accept("b", "a"),
			Then: []cohost.Event{ended("a", "b", cohost.Accepted), joined("x", "b")},
		},
		{
			Name:  "an invitation sent in a connection that has ended founds a new one",
			Given: given(lives("a", "b", "c"), connected("x", "c", "a"), invited("a", "b"), dissolved("x", "c", "a")), When: accept("b", "a"),
			Then: given([]cohost.Event{ended("a", "b", cohost.Accepted)}, connected("new", "a", "b")),
		},
	}
}

// lateInvitation is one that has twice the usual time.
func lateInvitation(inviter, invitee string) cohost.InvitationSent {
	e := sent(inviter, invitee)
	e.ExpiresAt = estest.T0.Add(2 * half)
	return e
}

// dissolved has the first of two members exit.
func dissolved(connection, exits, other string) []cohost.Event {
	return []cohost.Event{
		left(connection, exits, cohost.LeftExited), left(connection, other, cohost.LeftDissolved), cohost.ConnectionEnded{ConnectionID: connection},
	}
}
