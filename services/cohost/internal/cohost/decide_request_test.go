package cohost_test

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func requestRows() []row {
	voice := func(id string) []cohost.Event {
		return []cohost.Event{cohost.LiveCreated{LiveID: id, Kind: cohost.Voice, Host: user(id)}}
	}
	voiceSent := sent("a", "b")
	voiceSent.Layout = "hostVoiceConnection"
	withAll := request("a", "b")
	withAll.Layout, withAll.ExtensionInfo, withAll.Timeout = "hostDynamic1v6", "hello", time.Second
	withAllSent := sent("a", "b")
	withAllSent.Layout, withAllSent.ExtensionInfo, withAllSent.ExpiresAt = "hostDynamic1v6", "hello", estest.T0.Add(time.Second)
	lateSent := sent("a", "b")
	lateSent.ExpiresAt = estest.T0.Add(2 * half)
	mutual := ended("b", "a", cohost.Accepted)
	mutual.Mutual = true
	mutualWith := mutual
	mutualWith.ExtensionInfo = "hello"
	with := request("a", "b")
	with.ExtensionInfo = "hello"
	end := func(id string) []cohost.Event { return []cohost.Event{cohost.LiveEnding{LiveID: id}} }

	return []row{
		{Name: "request", Given: lives("a", "b"), When: request("a", "b"), Then: invited("a", "b")},
		{Name: "request between voice lives", Given: given(voice("a"), voice("b")), When: request("a", "b"), Then: []cohost.Event{voiceSent}},
		{Name: "request with layout, words and timeout", Given: lives("a", "b"), When: withAll, Then: []cohost.Event{withAllSent}},
		{Name: "a connected host invites more", Given: given(lives("a", "b", "c"), connected("x", "a", "c")), When: request("a", "b"), Then: invited("a", "b")},
		{Name: "an ended invitation does not count", Given: given(lives("a", "b"), invited("a", "b"), []cohost.Event{ended("a", "b", cohost.Rejected)}), When: request("a", "b"), Then: invited("a", "b")},
		{
			Name:  "request again after the deadline, before the timeout is in the log",
			Given: given(lives("a", "b"), invited("a", "b")), Now: estest.T0.Add(half), When: request("a", "b"),
			Then: []cohost.Event{ended("a", "b", cohost.TimedOut), lateSent},
		},
		{
			Name:  "request again after the deadline, with as many pending as may be",
			Given: given(lives("a", "b", "c", "d"), invited("a", "b"), invited("a", "c"), invited("a", "d"), invited("c", "b"), invited("d", "b")),
			Now:   estest.T0.Add(half), When: request("a", "b"),
			Then: []cohost.Event{ended("a", "b", cohost.TimedOut), lateSent},
		},

		{Name: "request oneself", Given: lives("a"), When: request("a", "a"), Reason: "INVALID_ARGUMENT"},
		{Name: "the inviter does not exist", Given: lives("b"), When: request("a", "b"), Reason: "LIVE_NOT_FOUND"},
		{Name: "the inviter has ended", Given: given(lives("a", "b"), end("a")), When: request("a", "b"), Reason: "LIVE_NOT_FOUND"},
		{Name: "the target does not exist", Given: lives("a"), When: request("a", "b"), Reason: "LIVE_NOT_FOUND"},
		{Name: "the target has ended", Given: given(lives("a", "b"), end("b")), When: request("a", "b"), Reason: "LIVE_NOT_FOUND"},
		{Name: "another kind", Given: given(lives("a"), voice("b")), When: request("a", "b"), Reason: "LIVE_KIND_MISMATCH"},
		{Name: "connected with each other", Given: given(lives("a", "b"), connected("x", "a", "b")), When: request("a", "b"), Reason: "ALREADY_CONNECTED"},
		{Name: "the target is connected with others", Given: given(lives("a", "b", "c"), connected("x", "b", "c")), When: request("a", "b"), Reason: "CONNECTED_WITH_OTHERS"},
		{
			Name:  "both are connected with others",
			Given: given(lives("a", "b", "c", "d"), connected("x", "a", "d"), connected("y", "b", "c")), When: request("a", "b"),
			Reason: "CONNECTED_WITH_OTHERS",
		},
		{Name: "pending already", Given: given(lives("a", "b"), invited("a", "b")), When: request("a", "b"), Reason: "INVITATION_PENDING"},
		{Name: "full already", Given: given(lives("b"), lives(numbered(9)...), connected("x", numbered(9)...)), When: request("l1", "b"), Reason: "CONNECTION_FULL"},
		{Name: "one seat is free", Given: given(lives("b"), lives(numbered(8)...), connected("x", numbered(8)...)), When: request("l1", "b"), Then: invited("l1", "b")},
		{
			Name:  "too many sent",
			Given: given(lives("a", "b", "c", "d", "e"), invited("a", "b"), invited("a", "c"), invited("a", "d")), When: request("a", "e"),
			Reason: "CONNECTION_RATE_LIMITED",
		},
		{
			Name:  "too many received",
			Given: given(lives("a", "b", "c", "d", "e"), invited("b", "a"), invited("c", "a"), invited("d", "a")), When: request("e", "a"),
			Reason: "CONNECTION_RATE_LIMITED",
		},

		{
			Name:  "mutual: both have said yes",
			Given: given(lives("a", "b"), invited("b", "a")), When: request("a", "b"),
			Then: given([]cohost.Event{mutual}, connected("new", "b", "a")),
		},
		{
			Name:  "mutual: what comes with the request goes to the inviter",
			Given: given(lives("a", "b"), invited("b", "a")), When: with,
			Then: given([]cohost.Event{mutualWith}, connected("new", "b", "a")),
		},
		{
			Name:  "mutual: joins the connection of the one who asked first",
			Given: given(lives("a", "b", "c"), connected("x", "b", "c"), invited("b", "a")), When: request("a", "b"),
			Then: []cohost.Event{mutual, joined("x", "a")},
		},
		{
			Name:  "mutual, but the connection is full",
			Given: given(lives("a"), lives(numbered(9)...), connected("x", numbered(9)...), invited("l1", "a")), When: request("a", "l1"),
			Reason: "CONNECTION_FULL",
		},
		{
			Name:  "mutual after the deadline is a request of one's own",
			Given: given(lives("a", "b"), invited("b", "a")), Now: estest.T0.Add(half), When: request("a", "b"),
			Then: []cohost.Event{lateSent},
		},
	}
}
