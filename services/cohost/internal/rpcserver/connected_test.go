package rpcserver_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func (h *house) layout(live, template string) (*cohostv1.CoHostState, error) {
	r, err := h.client.SetLayoutTemplate(h.host(live), &cohostv1.SetLayoutTemplateRequest{LiveId: live, LayoutTemplate: template})
	return r.GetState(), err
}

func (h *house) mute(live, target string, muted bool) (*cohostv1.CoHostState, error) {
	r, err := h.client.MuteRemoteHostAudio(h.host(live), &cohostv1.MuteRemoteHostAudioRequest{LiveId: live, TargetLiveId: target, Muted: muted})
	return r.GetState(), err
}

func TestLayout(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "voice1", "voice2")
		h.connect("a", "b", "c")
		a, b := h.watch("a", 7), h.watch("b", 5)
		if s := must(h.layout("b", "hostDynamicFloat"))(t); s.GetLayout() != "hostDynamicFloat" || h.state("a").GetLayout() != "hostDynamicFloat" {
			t.Errorf("after the change: %v, of the other %v", s, h.state("a"))
		}
		must(h.layout("c", "hostDynamicFloat"))(t) // as it is: nobody is told
		must(h.layout("c", "hostDynamicGrid"))(t)
		for _, w := range []*watcher{a, b} {
			first, second := w.event().GetLayoutChanged(), w.event().GetLayoutChanged()
			if first.GetLayoutTemplate() != "hostDynamicFloat" || first.GetChangedBy().GetLiveId() != "b" || first.GetConnectionId() == "" ||
				second.GetLayoutTemplate() != "hostDynamicGrid" || second.GetChangedBy().GetLiveId() != "c" {
				t.Errorf("told %v, %v", first, second)
			}
		}
		_, err := h.layout("a", "HostVideoLandscapeFixed2Seats")
		wantRefused(t, "two seats for three", err, "CONNECTION_FULL")
		_, err = h.layout("a", "hostFoo")
		wantRefused(t, "no such", err, "INVALID_ARGUMENT")
		_, err = h.layout("a", "")
		wantRefused(t, "none", err, "INVALID_ARGUMENT")
		_, err = h.layout("a", "hostVoiceConnection")
		wantRefused(t, "of voice", err, "LIVE_KIND_MISMATCH")
		_, err = h.layout("voice1", "hostVoiceConnection")
		wantRefused(t, "in no connection", err, "CONNECTION_NOT_FOUND")
		h.connect("voice1", "voice2")
		_, err = h.layout("voice1", "hostDynamicGrid")
		wantRefused(t, "of video", err, "LIVE_KIND_MISMATCH")
	})
}

func TestMute(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "d")
		h.connect("a", "b", "c")
		a := h.watch("a", 7)
		must(h.mute("a", "b", true))(t)
		must(h.mute("a", "b", true))(t) // as it is: nobody is told
		if s := must(h.mute("a", "c", true))(t); !slices.Equal(s.GetMutedLiveIds(), []string{"b", "c"}) || len(h.state("b").GetMutedLiveIds()) > 0 {
			t.Errorf("muted: %v, of the muted %v", s, h.state("b"))
		}
		must(h.mute("a", "c", false))(t)
		_, err := h.mute("a", "d", true)
		wantRefused(t, "a live of no connection", err, "CONNECTION_NOT_FOUND")
		_, err = h.mute("a", "a", true)
		wantRefused(t, "oneself", err, "INVALID_ARGUMENT")
		for _, want := range []struct {
			live  string
			muted bool
		}{{"b", true}, {"c", true}, {"c", false}} {
			if e := a.event().GetRemoteMuteChanged(); e.GetTarget().GetLiveId() != want.live || e.GetMuted() != want.muted || e.GetConnectionId() == "" {
				t.Errorf("told %v, want %+v", e, want)
			}
		}
		h.close()
		h.open()
		if s := h.state("a"); !slices.Equal(s.GetMutedLiveIds(), []string{"b"}) {
			t.Errorf("after a restart: %v", s)
		}
		must(h.client.ExitHostConnection(h.host("b"), &cohostv1.ExitHostConnectionRequest{LiveId: "b"}))(t)
		if s := h.state("a"); len(s.GetMutedLiveIds()) > 0 {
			t.Errorf("after the muted has left: %v", s)
		}
	})
}

func TestUpdateLive(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c")
		h.connect("a", "b")
		h.invite("a", "c")
		a, b, c := h.watch("a", 5), h.watch("b", 4), h.watch("c", 1)
		update := func(live string, profile *cohostv1.UpdateLiveRequest_HostProfile) (*cohostv1.UpdateLiveResponse, error) {
			return h.client.UpdateLive(h.host(live), &cohostv1.UpdateLiveRequest{LiveId: live, Host: profile})
		}
		got := must(update("a", &cohostv1.UpdateLiveRequest_HostProfile{UserName: proto.String("Ann"), AvatarUrl: proto.String("https://a/1.png")}))(t).GetLive().GetHost()
		if got.GetUserId() != "u-a" || got.GetUserName() != "Ann" || got.GetAvatarUrl() != "https://a/1.png" {
			t.Errorf("updated: %v", got)
		}
		must(update("a", &cohostv1.UpdateLiveRequest_HostProfile{UserId: "u-a"}))(t) // nothing: nobody is told
		must(update("a", &cohostv1.UpdateLiveRequest_HostProfile{AvatarUrl: proto.String("")}))(t)
		for live, w := range map[string]*watcher{"a": a, "b": b, "c": c} {
			first, second := w.event().GetLiveUpdated(), w.event().GetLiveUpdated()
			if first.GetLiveId() != "a" || !proto.Equal(first.GetHost(), got) || second.GetHost().GetUserName() != "Ann" || second.GetHost().GetAvatarUrl() != "" {
				t.Errorf("%s is told %v, %v", live, first, second)
			}
		}
		if s := h.state("b").GetConnected()[0].GetHost(); s.GetUserName() != "Ann" {
			t.Errorf("as a member: %v", s)
		}
		h.accept("c", "a")
		if e := c.event().GetCoHostRequestAccepted(); e.GetInviter().GetHost().GetUserName() != "Ann" {
			t.Errorf("told with the acceptance: %v", e)
		}
		if e := c.event().GetCoHostUserJoined(); e.GetMember().GetHost().GetUserName() != "Ann" {
			t.Errorf("told later: %v", e)
		}
		_, err := update("a", &cohostv1.UpdateLiveRequest_HostProfile{UserId: "u-b"})
		wantRefused(t, "another host", err, "PERMISSION_DENIED")
		for what, profile := range map[string]*cohostv1.UpdateLiveRequest_HostProfile{
			"nothing at all": nil, "a name of two lines": {UserName: proto.String("A\nB")}, "no https": {AvatarUrl: proto.String("http://a")},
		} {
			_, err := update("a", profile)
			wantRefused(t, what, err, "INVALID_ARGUMENT")
		}
		must(h.client.EndLive(h.host("b"), &cohostv1.EndLiveRequest{LiveId: "b"}))(t)
		for _, live := range []string{"b", "none"} {
			_, err = update(live, &cohostv1.UpdateLiveRequest_HostProfile{UserName: proto.String("Ben")})
			wantRefused(t, live, err, "LIVE_NOT_FOUND")
		}
	})
}

func TestAnswersCarryReasonAndInformation(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "d", "e")
		h.invite("a", "b", "c", "d", "e")
		a := h.watch("a", 4) // its own requests
		for _, x := range []struct {
			live string
			give *cohostv1.RejectHostConnectionRequest
			want cohostv1.CoHostRequestRejected_ReasonCode
		}{
			{"b", &cohostv1.RejectHostConnectionRequest{ReasonCode: cohostv1.CoHostRequestRejected_BUSY, Reason: "later", ExtensionInfo: "x"}, cohostv1.CoHostRequestRejected_BUSY},
			{"c", &cohostv1.RejectHostConnectionRequest{Reason: "no"}, cohostv1.CoHostRequestRejected_CUSTOM},
			{"d", &cohostv1.RejectHostConnectionRequest{}, cohostv1.CoHostRequestRejected_DECLINED},
		} {
			x.give.LiveId, x.give.FromLiveId = x.live, "a"
			must(h.client.RejectHostConnection(h.host(x.live), x.give))(t)
			for _, told := range []*watcher{a, h.watch(x.live, 1)} {
				e := told.event().GetCoHostRequestRejected()
				if e.GetInviter().GetLiveId() != "a" || e.GetInvitee().GetLiveId() != x.live || e.GetReasonCode() != x.want || e.GetReason() != x.give.GetReason() || e.GetExtensionInfo() != x.give.GetExtensionInfo() {
					t.Errorf("told %v, want %v of %v", e, x.want, x.give)
				}
			}
		}
		must(h.client.AcceptHostConnection(h.host("e"), &cohostv1.AcceptHostConnectionRequest{LiveId: "e", FromLiveId: "a", ExtensionInfo: "y"}))(t)
		if e := a.event().GetCoHostRequestAccepted(); e.GetInviter().GetLiveId() != "a" || e.GetInvitee().GetLiveId() != "e" || e.GetExtensionInfo() != "y" {
			t.Errorf("told %v", e)
		}
		long := string(make([]byte, 2049))
		_, err := h.client.AcceptHostConnection(h.host("e"), &cohostv1.AcceptHostConnectionRequest{LiveId: "e", FromLiveId: "a", ExtensionInfo: long})
		wantRefused(t, "too much with yes", err, "INVALID_ARGUMENT")
		_, err = h.client.RejectHostConnection(h.host("e"), &cohostv1.RejectHostConnectionRequest{LiveId: "e", FromLiveId: "a", ExtensionInfo: long})
		wantRefused(t, "too much with no", err, "INVALID_ARGUMENT")
		_, err = h.client.RejectHostConnection(h.host("e"), &cohostv1.RejectHostConnectionRequest{LiveId: "e", FromLiveId: "a", ReasonCode: 99})
		wantRefused(t, "no such code", err, "INVALID_ARGUMENT")
	})
}

// The latest applicant is the applicant; when its invitation ends, the one before is again.
func TestApplicant(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "d")
		want := func(inviter string) {
			t.Helper()
			if got := h.state("a").GetApplicant().GetInviter().GetLiveId(); got != inviter {
				t.Errorf("applicant %q, want %q", got, inviter)
			}
		}
		want("")
		h.invite("b", "a")
		pass(time.Second)
		h.invite("c", "a")
		h.invite("d", "a")
		want("d")
		must(h.client.RejectHostConnection(h.host("a"), &cohostv1.RejectHostConnectionRequest{LiveId: "a", FromLiveId: "c"}))(t)
		want("d")
		must(h.client.CancelHostConnection(h.host("d"), &cohostv1.CancelHostConnectionRequest{LiveId: "d", ToLiveId: "a"}))(t)
		want("b")
		h.accept("a", "b")
		want("")
	})
}

// The refusal of too many invitations is passing: a minute later the same call, with the same id, is carried out.
func TestInvitationRate(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c")
		for range rate {
			h.invite("a", "b")
			must(h.client.CancelHostConnection(h.host("a"), &cohostv1.CancelHostConnectionRequest{LiveId: "a", ToLiveId: "b"}))(t)
		}
		request := func() (*cohostv1.RequestHostConnectionResponse, error) {
			return h.client.RequestHostConnection(withKey(h.host("a"), "k"), &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: []string{"b", "c"}})
		}
		_, err := request()
		wantRefused(t, "one more", err, "CONNECTION_RATE_LIMITED")
		h.close()
		h.open()
		_, err = request()
		wantRefused(t, "one more after a restart", err, "CONNECTION_RATE_LIMITED")
		pass(time.Minute)
		if r := must(request())(t); !r.GetResults()["b"].GetOk() || !r.GetResults()["c"].GetOk() {
			t.Errorf("a minute later: %v", r)
		}
	})
}
