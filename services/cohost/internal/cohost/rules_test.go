package cohost_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

type row = estest.Row[cohost.Command, cohost.Event]

const half = 30 * time.Second // timeout of all invitations here

var rules = cohost.Rules{MaxMembers: 9, MaxPending: 3, LiveRate: 600, UserRate: 600, SessionRate: 3, EndedKept: time.Hour, RejoinWithin: time.Minute}

// TestRules holds every rule of the package comment, in the files named after what is decided.
func TestRules(t *testing.T) {
	t.Parallel()
	kinds := []cohost.Event{
		cohost.LiveCreated{},
		cohost.LiveEnding{},
		cohost.InvitationSent{},
		cohost.InvitationEnded{},
		cohost.ConnectionStarted{},
		cohost.MemberJoined{},
		cohost.MemberLeft{},
		cohost.ConnectionEnded{},
		cohost.LayoutSet{},
		cohost.RemoteMuteSet{},
		cohost.HostChanged{},
		cohost.PresenceBegan{},
		cohost.HostUnreachable{},
		cohost.HostRecovered{},
		cohost.HostLost{},
		cohost.SessionTaken{},
	}
	newState := func() es.Machine[cohost.Command, cohost.Event] { return cohost.New(rules) }
	estest.Run(t, newState, kinds, slices.Concat(liveRows(), requestRows(), answerRows(), withdrawRows(), exitRows(), timeoutRows(), memberRows(), layoutRows(), muteRows(), updateRows(),
		presenceRows(), sessionRows(), rejoinRows()))
}

// History, as a list of events.

func given(parts ...[]cohost.Event) []cohost.Event { return slices.Concat(parts...) }

func user(live string) cohost.User { return cohost.User{ID: "u-" + live, Name: "Host of " + live} }

// lives creates video lives.
func lives(ids ...string) []cohost.Event {
	var events []cohost.Event
	for _, id := range ids {
		events = append(events, cohost.LiveCreated{LiveID: id, Kind: cohost.Video, Host: user(id)})
	}
	return events
}

// invited sends the invitation named "a>b" at T0.
func invited(inviter, invitee string) []cohost.Event {
	return []cohost.Event{sent(inviter, invitee)}
}

func sent(inviter, invitee string) cohost.InvitationSent {
	return cohost.InvitationSent{
		InvitationID: inviter + ">" + invitee, Inviter: inviter, Invitee: invitee,
		Layout: "hostDynamicGrid", ExpiresAt: estest.T0.Add(half),
	}
}

func ended(inviter, invitee string, ending cohost.Ending) cohost.InvitationEnded {
	return cohost.InvitationEnded{InvitationID: inviter + ">" + invitee, Inviter: inviter, Invitee: invitee, Ending: ending}
}

// connected founds a connection of the given members.
func connected(connection string, ids ...string) []cohost.Event {
	events := []cohost.Event{cohost.ConnectionStarted{ConnectionID: connection, Layout: "hostDynamicGrid"}}
	for _, id := range ids {
		events = append(events, joined(connection, id))
	}
	return events
}

func joined(connection, live string) cohost.MemberJoined {
	return cohost.MemberJoined{ConnectionID: connection, LiveID: live, Host: user(live)}
}

func left(connection, live string, reason cohost.Leaving) cohost.MemberLeft {
	return cohost.MemberLeft{ConnectionID: connection, LiveID: live, Reason: reason}
}

// numbered returns l1 to ln.
func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("l%d", i+1)
	}
	return ids
}

// request has `inviter` request `target`; new ids are "a>b" and "new".
func request(inviter, target string) cohost.RequestHostConnection {
	return cohost.RequestHostConnection{
		LiveID: inviter, Target: target, Timeout: half, NewInvitationID: inviter + ">" + target, NewConnectionID: "new",
	}
}

func accept(invitee, inviter string) cohost.AcceptHostConnection {
	return cohost.AcceptHostConnection{LiveID: invitee, From: inviter, NewConnectionID: "new"}
}
