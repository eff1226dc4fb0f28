package cohostfeed_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/cohostfeed"
)

func joined(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{
		ConnectionId: "x", LiveId: live, Host: &userv1.User{UserId: "u" + live, UserName: "Host", AvatarUrl: "https://a/1.png"},
	}}}
}

func left(live string, reason cohostv1.Entry_MemberLeft_Reason) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{
		ConnectionId: "x", LiveId: live, Reason: reason,
	}}}
}

func group(entries ...*cohostv1.Entry) ledger.Group[*cohostv1.Entry] {
	g := ledger.Group[*cohostv1.Entry]{Seq: 9}
	for _, e := range entries {
		g.Events = append(g.Events, ledger.Placed[*cohostv1.Entry]{Event: e})
	}
	return g
}

var (
	started = &cohostv1.Entry{Entry: &cohostv1.Entry_ConnectionStarted_{ConnectionStarted: &cohostv1.Entry_ConnectionStarted{ConnectionId: "x"}}}
	created = &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: "a"}}}
)

func TestFacts(t *testing.T) {
	t.Parallel()
	host := func(live string) battle.Participant {
		return battle.Participant{LiveID: live, Host: battle.User{ID: "u" + live, Name: "Host", Avatar: "https://a/1.png"}}
	}
	gone := func(live string, reason battle.ExitReason) battle.ConnectionFact {
		return battle.ConnectionFact{ConnectionID: "x", Live: battle.Participant{LiveID: live}, Left: reason}
	}
	for _, row := range []struct {
		name  string
		group ledger.Group[*cohostv1.Entry]
		facts []battle.ConnectionFact
	}{
		{"nothing of interest", group(created), nil},
		{"a fence", group(), nil},
		{"joins", group(started, joined("a"), joined("b")), []battle.ConnectionFact{{ConnectionID: "x", Live: host("a")}, {ConnectionID: "x", Live: host("b")}}},
		{"departures", group(
			left("a", cohostv1.Entry_MemberLeft_EXITED), left("b", cohostv1.Entry_MemberLeft_LIVE_ENDED), left("c", cohostv1.Entry_MemberLeft_LOST),
			left("d", cohostv1.Entry_MemberLeft_REMOVED), left("e", cohostv1.Entry_MemberLeft_DISSOLVED),
		), []battle.ConnectionFact{
			gone("a", battle.ExitLeftConnection), gone("b", battle.ExitLiveEnded), gone("c", battle.ExitLost),
			gone("d", battle.ExitLeftConnection), gone("e", battle.ExitLeftConnection),
		}},
	} {
		got, ok := cohostfeed.Facts(row.group)
		if ok != (len(row.facts) > 0) || got.Sequence != 9 {
			t.Errorf("%s: %v, %v", row.name, got, ok)
		}
		if diff := cmp.Diff(row.facts, got.Facts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	taken := &cohostv1.Entry{Entry: &cohostv1.Entry_SessionTaken_{SessionTaken: &cohostv1.Entry_SessionTaken{LiveId: "a", SessionId: "s", Fence: 2}}}
	ended := &cohostv1.Entry{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: "b"}}}
	lost := &cohostv1.Entry{Entry: &cohostv1.Entry_HostLost_{HostLost: &cohostv1.Entry_HostLost{LiveId: "a"}}}
	got, ok := cohostfeed.Facts(group(lost, taken, ended))
	want := battle.ReadCohost{Sequence: 9, Sessions: []battle.SessionFact{{LiveID: "a", Session: "s", Fence: 2}, {LiveID: "b"}}}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	if got, ok := cohostfeed.Facts(group(lost)); ok {
		t.Errorf("of presence alone: %v", got)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	b, err := proto.Marshal(joined("a"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := cohostfeed.Decode(b)
	if err != nil || !proto.Equal(e, joined("a")) {
		t.Errorf("%v, %v", e, err)
	}
	for _, b := range [][]byte{nil, {0xff}, {0xfa, 0x3f, 0x00}} {
		if e, err := cohostfeed.Decode(b); err == nil {
			t.Errorf("%x was read as %v", b, e)
		}
	}
}
