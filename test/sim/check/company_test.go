package check

import (
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

const (
	seven = "hostDynamic1v6"
	two   = "HostVideoLandscapeFixed2Seats"
	voice = "hostVoiceConnection"
)

func layoutSet(connection, live, template string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_LayoutSet_{LayoutSet: &cohostv1.Entry_LayoutSet{
		ConnectionId: connection, LiveId: live, LayoutTemplate: template,
	}}}
}

func muted(connection, live, target string, muted bool) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_RemoteMuteSet_{RemoteMuteSet: &cohostv1.Entry_RemoteMuteSet{
		ConnectionId: connection, LiveId: live, TargetLiveId: target, Muted: muted,
	}}}
}

func named(live, name string) *userv1.User {
	h := hostOf(live)
	h.UserName = name
	return h
}

func renamed(live, name string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostChanged_{HostChanged: &cohostv1.Entry_HostChanged{LiveId: live, Host: named(live, name)}}}
}

func ended(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: live}}}
}

func gives(e *cohostv1.Entry, info string) *cohostv1.Entry {
	if i := e.GetInvitationSent(); i != nil {
		i.ExtensionInfo = info
	}
	if i := e.GetInvitationEnded(); i != nil {
		i.ExtensionInfo = info
	}
	return e
}

func rejects(id, from, to, words string) *cohostv1.Entry {
	e := over(id, from, to, cohostv1.Entry_InvitationEnded_REJECTED)
	e.GetInvitationEnded().Reason, e.GetInvitationEnded().ReasonCode = words, cohostv1.CoHostRequestRejected_CUSTOM
	return e
}

// Operations of company, by number.
const (
	opInvite = iota
	opAccept
	opLayout
	opMute
	opMuteAgain
	opUpdate
	opInviteNext
	opReject
	opTooFast
	opExit
)

// togetherAt is the group of company from which on x and y are.
const togetherAt = 6

// company is a run without a fault: x invites y and a voice live; y joins, changes the layout and is muted; x is shown in
// another way, invites z, which says no, and would invite more; y leaves.
func company() *book {
	k := &book{Run{Logs: map[string][][]byte{}, Limits: Limits{Members: 3, Pending: 2, LiveRate: 2, UserRate: 3}, Quiet: true}}
	k.write(c, "", 1, created("x"))
	k.write(c, "", 2, created("y"))
	k.write(c, "", 3, created("z"))
	other := created("v")
	other.GetLiveCreated().Kind = cohostv1.Live_VOICE
	k.write(c, "", 4, other)
	k.write(c, "5", 5, gives(sent("i1", "x", "y"), "hello"))
	k.also(c, "5/v", 5, "LIVE_KIND_MISMATCH")
	k.write(c, "6", 6, gives(over("i1", "x", "y", accepted), "yes"), founded("k1"), joined("k1", "x"), joined("k1", "y"))
	k.write(c, "7", 7, layoutSet("k1", "y", seven))
	k.write(c, "8", 8, muted("k1", "x", "y", true))
	k.also(c, "8a", 8, "")
	k.write(c, "9", 9, renamed("x", "X"))
	k.write(c, "10", 10, sent("i2", "x", "z"))
	k.write(c, "11", 11, gives(rejects("i2", "x", "z", "no"), "bye"))
	parted := left("k1", "x")
	parted.GetMemberLeft().Reason = cohostv1.Entry_MemberLeft_DISSOLVED
	k.write(c, "12", 12, left("k1", "y"), parted, dissolved("k1"))
	invites := func(seconds int32, info string, to ...string) *cohostv1.RequestHostConnectionRequest {
		return &cohostv1.RequestHostConnectionRequest{LiveId: "x", TargetLiveIds: to, TimeoutSeconds: seconds, ExtensionInfo: info}
	}
	mutes := &cohostv1.MuteRemoteHostAudioRequest{LiveId: "x", TargetLiveId: "y", Muted: true}
	name := "X"
	k.Ops = []Op{
		opInvite: {
			Kind: Invite, Live: "x", Others: []string{"y", "v"}, ID: "5", Accepted: []string{"y"}, Refusals: map[string]string{"v": "LIVE_KIND_MISMATCH"},
			Request: invites(0, "hello", "y", "v"),
		},
		opAccept: {
			Kind: Accept, Live: "y", Others: []string{"x"}, ID: "6",
			Request: &cohostv1.AcceptHostConnectionRequest{LiveId: "y", FromLiveId: "x", ExtensionInfo: "yes"},
		},
		opLayout:    {Kind: SetLayout, Live: "y", ID: "7", Request: &cohostv1.SetLayoutTemplateRequest{LiveId: "y", LayoutTemplate: seven}},
		opMute:      {Kind: Mute, Live: "x", Others: []string{"y"}, ID: "8", Request: mutes},
		opMuteAgain: {Kind: Mute, Live: "x", Others: []string{"y"}, ID: "8a", Request: proto.CloneOf(mutes)},
		opUpdate: {Kind: UpdateLive, Live: "x", ID: "9", Request: &cohostv1.UpdateLiveRequest{
			LiveId: "x", Host: &cohostv1.UpdateLiveRequest_HostProfile{UserName: &name},
		}},
		opInviteNext: {Kind: Invite, Live: "x", Others: []string{"z"}, ID: "10", Accepted: []string{"z"}, Request: invites(0, "", "z")},
		opReject: {Kind: Reject, Live: "z", Others: []string{"x"}, ID: "11", Request: &cohostv1.RejectHostConnectionRequest{
			LiveId: "z", FromLiveId: "x", Reason: "no", ExtensionInfo: "bye",
		}},
		opTooFast: {Kind: Invite, Live: "x", Others: []string{"z"}, ID: "11a", Outcome: Refused, Reason: rateLimited, Own: Window{11, 12}},
		opExit:    {Kind: Exit, Live: "y", ID: "12"},
	}
	for i := range k.Ops {
		if k.Ops[i].Outcome == "" {
			k.Ops[i].Outcome, k.Ops[i].Own = OK, Window{0, 12}
		}
	}
	k.lookAround()
	k.listen()
	return k
}

// Answers to questions in company, by number.
const (
	readState = iota
	readAnswer
	readCandidates
	readNobody
	readLives
	readRest
)

func (k *book) lookAround() {
	live := func(id string, since int64) *cohostv1.Live {
		return &cohostv1.Live{LiveId: id, Kind: cohostv1.Live_VIDEO, Host: hostOf(id), Status: cohostv1.Live_ACTIVE, CreatedAt: moment(since)}
	}
	x, v := live("x", 1), live("v", 4)
	x.Host, v.Kind = named("x", "X"), cohostv1.Live_VOICE
	state := func(layout string, host *userv1.User, muted ...string) *cohostv1.CoHostState {
		return &cohostv1.CoHostState{
			LiveId: "x", Status: cohostv1.CoHostState_CONNECTED, ConnectionId: "k1", Layout: layout, MutedLiveIds: muted,
			Connected: []*cohostv1.Member{{LiveId: "x", Host: host, JoinedAt: moment(6)}, {LiveId: "y", Host: hostOf("y"), JoinedAt: moment(6)}},
		}
	}
	k.Reads = []Read{
		readState:      {Question: AskCoHost, ID: "x", Window: Window{9, 9}, CoHost: state(seven, named("x", "X"), "y")},
		readAnswer:     {Question: AskCoHost, ID: "x", Window: Window{0, 8}, Of: "8", CoHost: state(seven, hostOf("x"), "y")},
		readCandidates: {Question: AskCandidates, ID: "z", Window: Window{12, 12}, Page: &Page{Size: 5, Lives: []*cohostv1.Live{x, live("y", 2)}}},
		readNobody:     {Question: AskCandidates, ID: "w", Window: Window{12, 12}},
		readLives:      {Question: AskLives, Window: Window{12, 12}, Page: &Page{Size: 2, Lives: []*cohostv1.Live{v, proto.CloneOf(x)}, Next: "x"}},
		readRest:       {Question: AskLives, Window: Window{12, 12}, Page: &Page{After: "x", Size: 2, Lives: []*cohostv1.Live{live("y", 2), live("z", 3)}}},
	}
}

// What lives are told in company, by number.
const (
	toldX = iota
	toldY
	toldZ
	toldNow
)

func (k *book) listen() {
	member := func(host *userv1.User, live string, at int64) *cohostv1.Member {
		m := &cohostv1.Member{LiveId: live, Host: host}
		if at > 0 {
			m.JoinedAt = moment(at)
		}
		return m
	}
	x, y := member(named("x", "X"), "x", 6), member(hostOf("y"), "y", 6)
	before := member(hostOf("x"), "x", 6)
	joins := func(m *cohostv1.Member) *cohostv1.Event {
		return &cohostv1.Event{At: moment(6), Event: &cohostv1.Event_CoHostUserJoined{CoHostUserJoined: &cohostv1.CoHostUserJoined{
			ConnectionId: "k1", Member: m, LayoutTemplate: grid,
		}}}
	}
	leaves := func(m *cohostv1.Member, why cohostv1.CoHostUserLeft_Reason) *cohostv1.Event {
		return &cohostv1.Event{At: moment(12), Event: &cohostv1.Event_CoHostUserLeft{CoHostUserLeft: &cohostv1.CoHostUserLeft{ConnectionId: "k1", Member: m, Reason: why}}}
	}
	layout := &cohostv1.Event{At: moment(7), Event: &cohostv1.Event_LayoutChanged{LayoutChanged: &cohostv1.LayoutChanged{
		ConnectionId: "k1", LayoutTemplate: seven, ChangedBy: y,
	}}}
	shown := &cohostv1.Event{At: moment(9), Event: &cohostv1.Event_LiveUpdated{LiveUpdated: &cohostv1.LiveUpdated{LiveId: "x", Host: named("x", "X")}}}
	received := func(at int64, info, id, to string, host *userv1.User) *cohostv1.Event {
		return &cohostv1.Event{At: moment(at), Event: &cohostv1.Event_CoHostRequestReceived{CoHostRequestReceived: &cohostv1.CoHostRequestReceived{
			Invitation: &cohostv1.Invitation{
				InvitationId: id, Inviter: member(host, "x", 0), Invitee: member(hostOf(to), to, 0), LayoutTemplate: grid, ExtensionInfo: info,
				CreatedAt: moment(at), ExpiresAt: moment(1000),
			},
		}}}
	}
	sent := func(e *cohostv1.Event) *cohostv1.Event {
		return &cohostv1.Event{At: e.GetAt(), Event: &cohostv1.Event_CoHostRequestSent{CoHostRequestSent: &cohostv1.CoHostRequestSent{
			Invitation: e.GetCoHostRequestReceived().GetInvitation(),
		}}}
	}
	first, second := received(5, "hello", "i1", "y", hostOf("x")), received(10, "", "i2", "z", named("x", "X"))
	accepted := &cohostv1.Event{At: moment(6), Event: &cohostv1.Event_CoHostRequestAccepted{CoHostRequestAccepted: &cohostv1.CoHostRequestAccepted{
		InvitationId: "i1", Inviter: member(hostOf("x"), "x", 0), Invitee: member(hostOf("y"), "y", 0), ExtensionInfo: "yes",
	}}}
	rejected := &cohostv1.Event{At: moment(11), Event: &cohostv1.Event_CoHostRequestRejected{CoHostRequestRejected: &cohostv1.CoHostRequestRejected{
		InvitationId: "i2", Inviter: member(named("x", "X"), "x", 0), Invitee: member(hostOf("z"), "z", 0), Reason: "no",
		ReasonCode: cohostv1.CoHostRequestRejected_CUSTOM, ExtensionInfo: "bye",
	}}}
	k.Told = []Told{
		toldX: {Live: "x", Last: true, Events: []*cohostv1.Event{
			sent(first),
			accepted,
			joins(before),
			joins(y),
			layout,
			{At: moment(8), Event: &cohostv1.Event_RemoteMuteChanged{RemoteMuteChanged: &cohostv1.RemoteMuteChanged{ConnectionId: "k1", Target: y, Muted: true}}},
			shown,
			sent(second),
			rejected,
			leaves(y, cohostv1.CoHostUserLeft_EXITED),
			leaves(x, cohostv1.CoHostUserLeft_DISSOLVED),
		}},
		toldY: {Live: "y", Last: true, Events: []*cohostv1.Event{
			first, accepted, joins(before), joins(y), layout, shown, leaves(y, cohostv1.CoHostUserLeft_EXITED),
		}},
		toldZ:   {Live: "z", Last: true, Events: []*cohostv1.Event{second, rejected}},
		toldNow: {Live: "x", After: -1, First: 9, Snapshot: &cohostv1.WatchLiveResponse_Snapshot{Number: 7, State: proto.CloneOf(k.Reads[readState].CoHost)}},
	}
	for i := range k.Told {
		t := &k.Told[i]
		for n, e := range t.Events {
			t.Events[n] = proto.CloneOf(e)
			t.Events[n].Number = int64(n + 1)
			t.Heads = append(t.Heads, 12)
		}
	}
	k.Told[toldNow].Snapshot.Live = &cohostv1.Live{
		LiveId: "x", Kind: cohostv1.Live_VIDEO, Host: named("x", "X"), Status: cohostv1.Live_ACTIVE, CreatedAt: moment(1), ConnectionId: "k1",
	}
}

// since has a run go on otherwise after a group.
func (k *book) since(seq int) *book {
	k.Logs[c] = k.Logs[c][:seq]
	return k
}
