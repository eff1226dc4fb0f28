package cohost

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

func liveNotFound(id string) error {
	return es.Refuse("LIVE_NOT_FOUND", "live %s does not exist or has ended", id)
}

func liveExists(id string) error {
	return es.Refuse("LIVE_EXISTS", "live %s is active already", id)
}

func anotherHost(id string) error {
	return es.Refuse("PERMISSION_DENIED", "live %s has another host, and does not change hands", id)
}

func kindMismatch(a, b string) error {
	return es.Refuse("LIVE_KIND_MISMATCH", "lives %s and %s are of different kinds", a, b)
}

func hostLost(id string) error {
	return es.Refuse("HOST_LOST", "the host of live %s is lost until there is a sign of life of it", id)
}

// lostNow is what a lost host's own commands hear. It speaks of a moment: with a sign of life the same command may be given.
func lostNow(id string) error {
	return es.RefusePassing("HOST_LOST", "the host of live %s is lost until there is a sign of life of it", id)
}

// departing speaks of a moment, too, of the second that battle has to let the live leave.
func departing(id string) error {
	return es.RefusePassing("HOST_LOST", "live %s, whose host was lost, is still leaving its connection", id).After(time.Second)
}

func superseded(live Live) error {
	return es.Refuse("SUPERSEDED", "session %s has taken live %s over, with fence %d", live.Presence.Sessions.Current, live.ID, live.Presence.Sessions.Fence)
}

func alreadyConnected(a, b string) error {
	return es.Refuse("ALREADY_CONNECTED", "lives %s and %s are in the same connection already", a, b)
}

func connectedWithOthers(id string) error {
	return es.Refuse("CONNECTED_WITH_OTHERS", "live %s is in another connection", id)
}

func invitationPending(inviter, invitee string) error {
	return es.Refuse("INVITATION_PENDING", "an invitation from live %s to live %s is pending already", inviter, invitee)
}

func invitationEnded(inviter, invitee string) error {
	return es.Refuse("INVITATION_ENDED", "no invitation from live %s to live %s is pending", inviter, invitee)
}

func connectionFull(members int, layout string) error {
	return es.Refuse("CONNECTION_FULL", "the connection has %d members, the most it may have with layout %s", members, layout)
}

func fewSeats(layout string, seats, members int) error {
	return es.Refuse("CONNECTION_FULL", "layout %s has %d seats, the connection has %d members", layout, seats, members)
}

func layoutMismatch(layout, live string) error {
	return es.Refuse("LIVE_KIND_MISMATCH", "layout %s is not for lives of the kind of %s", layout, live)
}

func tooManyPending(id string, limit int) error {
	return es.Refuse("CONNECTION_RATE_LIMITED", "live %s has %d invitations pending, the most it may have", id, limit)
}

// tooFast speaks of a moment: when fewer than most of those sent are of the last minute, the same request may be sent.
func tooFast(who string, sent []time.Time, most int, now time.Time) error {
	return es.RefusePassing("CONNECTION_RATE_LIMITED", "%s has sent %d invitations within a minute, the most it may", who, len(sent)).
		After(sent[len(sent)-most].Add(ratePeriod).Sub(now))
}

// tooManySessions speaks of a moment, as tooFast.
func tooManySessions(live string, taken []time.Time, most int, now time.Time) error {
	return es.RefusePassing(es.ReasonRateLimited, "%d sessions have taken live %s over within a minute, the most that may", len(taken), live).
		After(taken[len(taken)-most].Add(ratePeriod).Sub(now))
}

func notTogether(a, b string) error {
	return es.Refuse("CONNECTION_NOT_FOUND", "lives %s and %s are in no connection with each other", a, b)
}

func notLostFrom(id string) error {
	return es.Refuse("CONNECTION_NOT_FOUND", "the host of live %s was lost from no connection that it has not left since", id)
}

func goneMeanwhile(id string) error {
	return es.Refuse("CONNECTION_NOT_FOUND", "the connection that the host of live %s was lost from has ended", id)
}

func tooLateToRejoin(id string, until time.Time) error {
	return es.Refuse("CONNECTION_NOT_FOUND", "live %s might rejoin its connection until %s", id, until.Format(time.RFC3339Nano))
}

func notConnected(id string) error {
	return es.Refuse("CONNECTION_NOT_FOUND", "live %s is in no connection", id)
}
