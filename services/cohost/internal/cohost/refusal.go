package cohost

import "github.com/faceoff-live/faceoff/pkg/es"

func liveNotFound(id string) error {
	return es.Refuse("LIVE_NOT_FOUND", "live %s does not exist or has ended", id)
}

func liveExists(id string) error {
	return es.Refuse("LIVE_EXISTS", "live %s is active already", id)
}

func kindMismatch(a, b string) error {
	return es.Refuse("LIVE_KIND_MISMATCH", "lives %s and %s are of different kinds", a, b)
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

func connectionFull(limit int) error {
	return es.Refuse("CONNECTION_FULL", "the connection has %d members, the most it may have", limit)
}

func tooManyPending(id string, limit int) error {
	return es.Refuse("CONNECTION_RATE_LIMITED", "live %s has %d invitations pending, the most it may have", id, limit)
}

func notConnected(id string) error {
	return es.Refuse("CONNECTION_NOT_FOUND", "live %s is in no connection", id)
}
