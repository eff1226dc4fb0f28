package rpcserver_test

import (
	"testing"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func TestConnectionOfTwo(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		r := must(h.client.RequestHostConnection(h.host("a"), &cohostv1.RequestHostConnectionRequest{
			LiveId: "a", TargetLiveIds: []string{"b"}, ExtensionInfo: "hello", TimeoutSeconds: 10,
		}))(t)
		if !r.GetResults()["b"].GetOk() || len(r.GetState().GetInvitees()) != 1 {
			t.Fatalf("request: %v", r)
		}
		i := h.state("b").GetApplicants()[0]
		if i.GetInviter().GetHost().GetUserId() != "u-a" || i.GetInvitee().GetLiveId() != "b" || i.GetExtensionInfo() != "hello" ||
			i.GetLayoutTemplate() != "hostDynamicGrid" || i.GetExpiresAt().AsTime().Sub(i.GetCreatedAt().AsTime()) != 10*time.Second {
			t.Errorf("invitation: %v", i)
		}
		s := h.accept("b", "a")
		if s.GetStatus() != cohostv1.CoHostState_CONNECTED || members(s) != "a b" || s.GetConnectionId() == "" || s.GetLayout() != "hostDynamicGrid" || len(s.GetApplicants()) != 0 {
			t.Errorf("state after accepting: %v", s)
		}
		live := must(h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"}))(t).GetLive()
		if live.GetConnectionId() != s.GetConnectionId() {
			t.Errorf("live: %v", live)
		}
		exited := must(h.client.ExitHostConnection(h.host("a"), &cohostv1.ExitHostConnectionRequest{LiveId: "a"}))(t).GetState()
		if exited.GetStatus() != cohostv1.CoHostState_DISCONNECTED || members(exited) != "" || exited.GetConnectionId() != "" || exited.GetLayout() != "" {
			t.Errorf("state after exiting: %v", exited)
		}
		if s := h.state("b"); s.GetStatus() != cohostv1.CoHostState_DISCONNECTED {
			t.Errorf("state of the other: %v", s)
		}
	})
}

func TestRejectAndCancel(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c")
		h.invite("a", "b", "c")
		rejected := must(h.client.RejectHostConnection(h.host("b"), &cohostv1.RejectHostConnectionRequest{LiveId: "b", FromLiveId: "a", Reason: "busy"}))(t)
		if len(rejected.GetState().GetApplicants()) != 0 || len(h.state("a").GetInvitees()) != 1 {
			t.Errorf("after rejecting: %v, %v", rejected, h.state("a"))
		}
		cancelled := must(h.client.CancelHostConnection(h.host("a"), &cohostv1.CancelHostConnectionRequest{LiveId: "a", ToLiveId: "c"}))(t)
		if len(cancelled.GetState().GetInvitees()) != 0 || len(h.state("c").GetApplicants()) != 0 {
			t.Errorf("after cancelling: %v, %v", cancelled, h.state("c"))
		}
		_, err := h.client.AcceptHostConnection(h.host("c"), &cohostv1.AcceptHostConnectionRequest{LiveId: "c", FromLiveId: "a"})
		wantRefused(t, "accept a cancelled one", err, "INVITATION_ENDED")
	})
}

func TestSeveralTargets(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "d", "e", "voice")
		h.connect("c", "d")
		r := h.invite("a", "voice", "b", "c", "a", "e", "none")
		want := map[string]string{
			"voice": "LIVE_KIND_MISMATCH", "b": "", "c": "CONNECTED_WITH_OTHERS", "a": "INVALID_ARGUMENT", "e": "", "none": "LIVE_NOT_FOUND",
		}
		for target, reason := range want {
			if got := r.GetResults()[target]; got.GetOk() != (reason == "") || got.GetReason() != reason {
				t.Errorf("%s: got %v, want %q", target, got, reason)
			}
		}
		if len(r.GetResults()) != len(want) || r.GetResults()["voice"].GetCode() != -4 || len(r.GetState().GetInvitees()) != 2 {
			t.Errorf("response: %v", r)
		}
		_, err := h.client.RequestHostConnection(h.host("a"), &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: []string{"c", "none"}})
		wantRefused(t, "no target is accepted: the first one's reason", err, "CONNECTED_WITH_OTHERS")
		_, err = h.client.RequestHostConnection(h.host("a"), &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: []string{"b"}})
		wantRefused(t, "again", err, "INVITATION_PENDING")
		_, err = h.client.RequestHostConnection(h.host("a"), &cohostv1.RequestHostConnectionRequest{LiveId: "a"})
		wantRefused(t, "no target at all", err, "INVALID_ARGUMENT")
	})
}

func TestRepeatedRequest(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c")
		request := func(targets ...string) (*cohostv1.RequestHostConnectionResponse, error) {
			return h.client.RequestHostConnection(withKey(h.host("a"), "k"), &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: targets})
		}
		first := must(request("b"))(t)
		again := must(request("b"))(t)
		if id := first.GetState().GetInvitees()[0].GetInvitationId(); !again.GetResults()["b"].GetOk() || len(again.GetState().GetInvitees()) != 1 || again.GetState().GetInvitees()[0].GetInvitationId() != id {
			t.Errorf("first %v, again %v", first, again)
		}
		_, err := request("b", "c")
		wantRefused(t, "another payload", err, "PAYLOAD_MISMATCH")
	})
}

func TestMutualInvitation(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		h.invite("a", "b")
		r := h.invite("b", "a")
		if !r.GetResults()["a"].GetOk() || members(r.GetState()) != "a b" || len(r.GetState().GetInvitees())+len(r.GetState().GetApplicants()) != 0 {
			t.Errorf("mutual: %v", r)
		}
	})
}

func TestConnectionFull(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c", "d", "e")
		h.invite("a", "b", "c", "d")
		h.accept("b", "a")
		h.accept("c", "a") // three, the limit here
		_, err := h.client.AcceptHostConnection(h.host("d"), &cohostv1.AcceptHostConnectionRequest{LiveId: "d", FromLiveId: "a"})
		wantRefused(t, "accept", err, "CONNECTION_FULL")
		_, err = h.client.RequestHostConnection(h.host("b"), &cohostv1.RequestHostConnectionRequest{LiveId: "b", TargetLiveIds: []string{"e"}})
		wantRefused(t, "request", err, "CONNECTION_FULL")
		must(h.client.EndLive(h.host("c"), &cohostv1.EndLiveRequest{LiveId: "c"}))(t)
		if s := h.accept("d", "a"); members(s) != "a b d" {
			t.Errorf("after one has left: %v", s)
		}
	})
}

func TestInvitationTimesOut(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		h.invite("a", "b") // 30 s by default
		a, b := h.watch("a", 1), h.watch("b", 1)
		for live, w := range map[string]*watcher{"a": a, "b": b} {
			began := h.state(live).GetServerNow().AsTime()
			event := w.event()
			timeout := event.GetCoHostRequestTimeout()
			if timeout.GetInviter().GetLiveId() != "a" || timeout.GetInvitee().GetLiveId() != "b" {
				t.Fatalf("%s is told %v", live, event)
			}
			if late := event.GetAt().AsTime().Sub(began); live == "a" && (late > 30*time.Second+50*time.Millisecond) {
				t.Errorf("timed out after %v", late)
			}
		}
		if s := h.state("a"); len(s.GetInvitees()) != 0 {
			t.Errorf("state: %v", s)
		}
		_, err := h.client.AcceptHostConnection(h.host("b"), &cohostv1.AcceptHostConnectionRequest{LiveId: "b", FromLiveId: "a"})
		wantRefused(t, "accept", err, "INVITATION_ENDED")
	})
}
