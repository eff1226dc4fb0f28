package cohost_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func voices(ids ...string) []cohost.Event {
	var events []cohost.Event
	for _, id := range ids {
		events = append(events, cohost.LiveCreated{LiveID: id, Kind: cohost.Voice, Host: user(id)})
	}
	return events
}

func layoutSet(live, layout string) []cohost.Event {
	return []cohost.Event{cohost.LayoutSet{ConnectionID: "x", LiveID: live, Layout: layout}}
}

func muteSet(live, target string, muted bool) []cohost.Event {
	return []cohost.Event{cohost.RemoteMuteSet{ConnectionID: "x", LiveID: live, Target: target, Muted: muted}}
}

// layoutRows: who may change the layout to which, and what its seats mean for who wants to join.
func layoutRows() []row {
	set := func(live, layout string) cohost.SetLayoutTemplate {
		return cohost.SetLayoutTemplate{LiveID: live, Layout: layout}
	}
	of := func(n int) []cohost.Event { return given(lives(numbered(n)...), connected("x", numbered(n)...)) }
	fixed2 := given(of(2), lives("b"), layoutSet("l1", "HostVideoLandscapeFixed2Seats"))
	voice := given(voices("a", "b"), []cohost.Event{cohost.ConnectionStarted{ConnectionID: "x", Layout: "hostVoiceConnection"}, joined("x", "a"), joined("x", "b")})
	voiced := request("a", "b")
	voiced.Layout = "hostVoiceConnection"
	gridded := request("a", "b")
	gridded.Layout = "hostDynamicGrid"
	unknown := request("a", "b")
	unknown.Layout = "hostFoo"
	rows := []row{
		{Name: "layout: any member", Given: of(3), When: set("l3", "hostDynamic1v6"), Then: layoutSet("l3", "hostDynamic1v6")},
		{Name: "layout: as it is", Given: of(3), When: set("l3", "hostDynamicGrid")},
		{Name: "layout: in no connection", Given: lives("a"), When: set("a", "hostDynamicGrid"), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "layout: no live", When: set("a", "hostDynamicGrid"), Reason: "LIVE_NOT_FOUND"},
		{Name: "layout: no such", Given: of(2), When: set("l1", "hostFoo"), Reason: "INVALID_ARGUMENT"},
		{Name: "layout: of voice for video", Given: of(2), When: set("l1", "hostVoiceConnection"), Reason: "LIVE_KIND_MISMATCH"},
		{Name: "layout: of voice for voice", Given: voice, When: set("a", "hostVoiceConnection")},
		{Name: "request: layout of voice for video", Given: lives("a", "b"), When: voiced, Reason: "LIVE_KIND_MISMATCH"},
		{Name: "request: layout of video for voice", Given: voices("a", "b"), When: gridded, Reason: "LIVE_KIND_MISMATCH"},
		{Name: "request: no such layout", Given: lives("a", "b"), When: unknown, Reason: "INVALID_ARGUMENT"},
		{Name: "request: no seat in the layout", Given: fixed2, When: request("l1", "b"), Reason: "CONNECTION_FULL"},
		{Name: "accept: no seat in the layout", Given: given(fixed2, invited("l1", "b")), When: accept("b", "l1"), Reason: "CONNECTION_FULL"},
		{
			Name:  "accept: a layout with more seats makes room",
			Given: given(fixed2, invited("l1", "b"), layoutSet("l2", "hostDynamicGrid")), When: accept("b", "l1"),
			Then: []cohost.Event{ended("l1", "b", cohost.Accepted), joined("x", "b")},
		},
		{
			Name:  "layout of a version that is not known here has seats for all",
			Given: given(of(8), lives("b"), layoutSet("l1", "hostOfTomorrow")), When: request("l1", "b"),
			Then: invited("l1", "b"),
		},
	}
	for layout, seats := range map[string]int{
		"hostDynamicGrid": 9, "hostDynamic1v6": 7, "HostVideoLandscapeFixed2Seats": 2, "hostDynamicFloat": 7, "hostFixedFloat": 7,
	} {
		full := row{Name: layout + ": as many members as seats", Given: given(of(seats), layoutSet("l1", "other")), When: set("l1", layout), Then: layoutSet("l1", layout)}
		rows = append(rows, full)
		if seats < 9 {
			rows = append(rows, row{Name: layout + ": more members than seats", Given: of(seats + 1), When: set("l1", layout), Reason: "CONNECTION_FULL"})
		}
	}
	for _, kind := range []string{"hostDynamicGrid", "hostDynamic1v6", "HostVideoLandscapeFixed2Seats", "hostDynamicFloat", "hostFixedFloat"} {
		rows = append(rows, row{Name: kind + " for voice", Given: voice, When: set("a", kind), Reason: "LIVE_KIND_MISMATCH"})
	}
	return rows
}

func muteRows() []row {
	mute := func(live, target string, muted bool) cohost.MuteRemoteHostAudio {
		return cohost.MuteRemoteHostAudio{LiveID: live, Target: target, Muted: muted}
	}
	abc := given(lives("a", "b", "c", "d", "e"), connected("x", "a", "b", "c"))
	return []row{
		{Name: "mute", Given: abc, When: mute("a", "b", true), Then: muteSet("a", "b", true)},
		{Name: "mute again", Given: given(abc, muteSet("a", "b", true)), When: mute("a", "b", true)},
		{Name: "unmute", Given: given(abc, muteSet("a", "b", true)), When: mute("a", "b", false), Then: muteSet("a", "b", false)},
		{Name: "unmute who is not muted", Given: abc, When: mute("a", "b", false)},
		{Name: "each mutes for itself", Given: given(abc, muteSet("a", "b", true)), When: mute("c", "b", true), Then: muteSet("c", "b", true)},
		{Name: "mute oneself", Given: abc, When: mute("a", "a", true), Reason: "INVALID_ARGUMENT"},
		{Name: "mute a live of no connection", Given: abc, When: mute("a", "d", true), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "mute a live of another connection", Given: given(abc, connected("y", "d", "e")), When: mute("a", "d", true), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "mute without a connection", Given: abc, When: mute("d", "a", true), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "mute by a live that does not exist", Given: abc, When: mute("none", "a", true), Reason: "LIVE_NOT_FOUND"},
		{
			Name:  "a mute does not outlive the membership of the muted",
			Given: given(abc, muteSet("a", "b", true), []cohost.Event{left("x", "b", cohost.LeftExited), joined("x", "b")}), When: mute("a", "b", true),
			Then: muteSet("a", "b", true),
		},
		{
			Name:  "nor that of the one that mutes",
			Given: given(abc, muteSet("a", "b", true), []cohost.Event{left("x", "a", cohost.LeftExited), joined("x", "a")}), When: mute("a", "b", true),
			Then: muteSet("a", "b", true),
		},
	}
}

// TestMuted: who is muted is seen in the order of muting, and only of members.
func TestMuted(t *testing.T) {
	t.Parallel()
	s := cohost.New(rules)
	estest.Fold(s, estest.T0, given(lives(numbered(4)...), connected("x", numbered(4)...),
		muteSet("l1", "l4", true), muteSet("l1", "l3", true), muteSet("l1", "l2", true), muteSet("l1", "l3", false), muteSet("l2", "l4", true))...)
	muted := func(live string, want ...string) {
		t.Helper()
		if l, _ := s.Live(live); !slices.Equal(l.Muted, want) {
			t.Errorf("%s has muted %v, want %v", live, l.Muted, want)
		}
	}
	muted("l1", "l4", "l2")
	muted("l2", "l4")
	estest.Fold(s, estest.T0, []cohost.Event{left("x", "l4", cohost.LeftExited)}...)
	muted("l1", "l2")
	muted("l2")
	estest.Fold(s, estest.T0, []cohost.Event{left("x", "l1", cohost.LeftExited)}...)
	muted("l1")
}

// renamed is the event of what rename asks for.
func renamed(live string) cohost.HostChanged {
	return cohost.HostChanged{LiveID: live, Host: cohost.User{ID: "u-" + live, Name: "New", AvatarURL: "https://new"}}
}

func updateRows() []row {
	name, none, avatar, old := "New", "", "https://new", user("a").Name
	rename := cohost.UpdateLive{LiveID: "a", UserID: "u-a", Name: &name, AvatarURL: &avatar}
	nameOnly, avatarOnly, blank := renamed("a"), renamed("a"), renamed("a")
	nameOnly.Host.AvatarURL, avatarOnly.Host.Name, blank.Host = "", old, cohost.User{ID: "u-a"}
	renamedMember := joined("x", "a")
	renamedMember.Host = renamed("a").Host
	return []row{
		{Name: "update", Given: lives("a"), When: rename, Then: []cohost.Event{renamed("a")}},
		{Name: "update the name only", Given: lives("a"), When: cohost.UpdateLive{LiveID: "a", Name: &name}, Then: []cohost.Event{nameOnly}},
		{Name: "update the picture only", Given: lives("a"), When: cohost.UpdateLive{LiveID: "a", AvatarURL: &avatar}, Then: []cohost.Event{avatarOnly}},
		{Name: "update to no name", Given: lives("a"), When: cohost.UpdateLive{LiveID: "a", Name: &none}, Then: []cohost.Event{blank}},
		{Name: "update of nothing", Given: lives("a"), When: cohost.UpdateLive{LiveID: "a", UserID: "u-a"}},
		{Name: "update to what is", Given: lives("a"), When: cohost.UpdateLive{LiveID: "a", Name: &old}},
		{Name: "update to another host", Given: lives("a"), When: cohost.UpdateLive{LiveID: "a", UserID: "u-b", Name: &name}, Reason: "PERMISSION_DENIED"},
		{Name: "update a live that never was", When: rename, Reason: "LIVE_NOT_FOUND"},
		{Name: "update a live that has ended", Given: given(lives("a"), []cohost.Event{cohost.LiveEnding{LiveID: "a"}}), When: rename, Reason: "LIVE_NOT_FOUND"},
		{
			Name:  "the new name goes into a connection",
			Given: given(lives("a", "b", "c"), connected("x", "b", "c"), invited("b", "a"), []cohost.Event{renamed("a")}), When: accept("a", "b"),
			Then: []cohost.Event{ended("b", "a", cohost.Accepted), renamedMember},
		},
	}
}

// TestHostIsShownAnewEverywhere: in the live, in its connection and in its pending invitations.
func TestHostIsShownAnewEverywhere(t *testing.T) {
	t.Parallel()
	s := cohost.New(rules)
	estest.Fold(s, estest.T0, given(lives("a", "b", "c", "d"), invited("d", "a"), connected("x", "a", "b"), invited("a", "c"), []cohost.Event{renamed("a")})...)
	a, _ := s.Live("a")
	connection, _ := s.Connection("x")
	all := s.Invitations(slices.Concat(a.Sent, a.Received))
	got := []cohost.User{a.Host, connection.Members[0].Host, all[0].Inviter.Host, all[1].Invitee.Host}
	if diff := cmp.Diff(slices.Repeat([]cohost.User{renamed("a").Host}, 4), got); diff != "" {
		t.Errorf("host of a (-want +got):\n%s", diff)
	}
	others := []cohost.User{connection.Members[1].Host, all[0].Invitee.Host, all[1].Inviter.Host}
	if diff := cmp.Diff([]cohost.User{user("b"), user("c"), user("d")}, others); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
}
