package cohost_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	type told struct {
		to   string
		news cohost.News
	}
	member := func(live string) cohost.Member {
		return cohost.Member{LiveID: live, Host: user(live), JoinedAt: estest.T0}
	}
	side := func(live string) cohost.Member { return cohost.Member{LiveID: live, Host: user(live)} }
	invitation := cohost.Invitation{
		ID: "a>b", Inviter: side("a"), Invitee: side("b"), Layout: "hostDynamicGrid", CreatedAt: estest.T0, ExpiresAt: estest.T0.Add(half),
	}
	a2b := given(lives("a", "b"), invited("a", "b"))
	rejected := ended("a", "b", cohost.Rejected)
	rejected.Reason, rejected.Code, rejected.ExtensionInfo = "busy", cohost.RejectBusy, "until 9"
	mutual := ended("a", "b", cohost.Accepted)
	mutual.Mutual, mutual.ExtensionInfo = true, "hello"
	joins := func(live string) cohost.News {
		return cohost.UserJoined{ConnectionID: "x", Member: member(live), Layout: "hostDynamicGrid"}
	}
	leaves := func(live string, why cohost.Leaving) cohost.News {
		return cohost.UserLeft{ConnectionID: "x", Member: member(live), Reason: why}
	}
	both := func(n cohost.News) []told { return []told{{"a", n}, {"b", n}} }
	relaid := cohost.LayoutChanged{ConnectionID: "x", Layout: "hostDynamic1v6", By: member("b")}
	shown := cohost.HostShown(renamed("a"))
	for _, row := range []struct {
		name  string
		given []cohost.Event
		then  []cohost.Event // one group
		told  []told
	}{
		{"request: each side as its own", lives("a", "b"), invited("a", "b"), []told{
			{"a", cohost.RequestSent{Invitation: invitation}}, {"b", cohost.RequestReceived{Invitation: invitation}},
		}},
		{"cancelled: both", a2b, []cohost.Event{ended("a", "b", cohost.Cancelled)}, both(cohost.RequestCancelled{Invitation: invitation, Ending: cohost.Cancelled})},
		{"rejected: both", a2b, []cohost.Event{rejected}, both(cohost.RequestRejected{Invitation: invitation, Reason: "busy", Code: cohost.RejectBusy, ExtensionInfo: "until 9"})},
		{"timed out: both", a2b, []cohost.Event{ended("a", "b", cohost.TimedOut)}, both(cohost.RequestTimedOut{Invitation: invitation})},
		{"withdrawn: both", a2b, []cohost.Event{ended("a", "b", cohost.Withdrawn)}, both(cohost.RequestCancelled{Invitation: invitation, Ending: cohost.Withdrawn})},
		{"accepted: both, then the founders of each other", a2b, given([]cohost.Event{mutual}, connected("x", "a", "b")), []told{
			{"a", cohost.RequestAccepted{Invitation: invitation, Mutual: true, ExtensionInfo: "hello"}},
			{"b", cohost.RequestAccepted{Invitation: invitation, Mutual: true, ExtensionInfo: "hello"}},
			{"a", joins("a")},
			{"b", joins("a")},
			{"a", joins("b")},
			{"b", joins("b")},
		}},
		{"joined: the new member of all, all of the new member", given(lives("a", "b", "c"), connected("x", "a", "b")), []cohost.Event{joined("x", "c")}, []told{
			{"c", joins("a")},
			{"c", joins("b")},
			{"a", joins("c")},
			{"b", joins("c")},
			{"c", joins("c")},
		}},
		{"left: all, the leaving one included", given(lives("a", "b", "c"), connected("x", "a", "b", "c")), []cohost.Event{left("x", "b", cohost.LeftExited)}, []told{
			{"a", leaves("b", cohost.LeftExited)}, {"b", leaves("b", cohost.LeftExited)}, {"c", leaves("b", cohost.LeftExited)},
		}},
		{"dissolved: the other is told so", given(lives("a", "b"), connected("x", "a", "b")), dissolved("x", "a", "b"), []told{
			{"a", leaves("a", cohost.LeftExited)},
			{"b", leaves("a", cohost.LeftExited)},
			{"b", leaves("b", cohost.LeftDissolved)},
		}},
		{"layout: every member, the one that changed it included", given(lives("a", "b", "c", "d"), connected("x", "a", "b", "c")), layoutSet("b", "hostDynamic1v6"), []told{
			{"a", relaid}, {"b", relaid}, {"c", relaid},
		}},
		{"mute: the live that mutes", given(lives("a", "b"), connected("x", "a", "b")), muteSet("a", "b", true), []told{
			{"a", cohost.RemoteMuteChanged{ConnectionID: "x", Target: member("b"), Muted: true}},
		}},
		{
			"host changed: the live, its members and the other sides of its invitations, once each",
			given(lives("a", "b", "c", "d", "e", "f"), invited("c", "a"), connected("x", "a", "b"), invited("a", "d"), invited("a", "c"), invited("e", "f")),
			[]cohost.Event{renamed("a")},
			[]told{{"a", shown}, {"b", shown}, {"d", shown}, {"c", shown}},
		},
		{"a live that ends", a2b, []cohost.Event{ended("a", "b", cohost.EndedWithLive), cohost.LiveEnding{LiveID: "a"}}, []told{
			{"a", cohost.RequestCancelled{Invitation: invitation, Ending: cohost.EndedWithLive}},
			{"b", cohost.RequestCancelled{Invitation: invitation, Ending: cohost.EndedWithLive}},
			{"a", cohost.Ended{LiveID: "a"}},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := cohost.New(rules)
			estest.Fold(s, estest.T0, row.given...)
			evolve := func() {
				for i, e := range row.then {
					s.Evolve(es.Place{Seq: 100, Index: uint32(i), At: estest.T0}, e)
				}
			}
			evolve()
			s.Discard() // nobody is told what was thrown away
			evolve()
			s.Commit()
			var want []cohost.Notice
			for _, n := range row.told {
				want = append(want, cohost.Notice{To: n.to, At: estest.T0, News: n.news})
			}
			if diff := cmp.Diff(want, s.Told()); diff != "" {
				t.Fatalf("told (-want +got):\n%s", diff)
			}
			s.Commit()
			if again := s.Told(); len(again) > 0 {
				t.Errorf("told again: %v", again)
			}
		})
	}
}
