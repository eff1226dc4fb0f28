package e2e

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ids"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func accept(t *testing.T, s *stack, ben, ann *side) error {
	t.Helper()
	_, err := s.cohost.AcceptHostConnection(ben.host.ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: ben.live, FromLiveId: ann.live})
	return err
}

func TestInvitationTimesOut(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	before := time.Now()
	invite(t, s, ann, ben, 1)
	for _, p := range []*side{ann, ben} {
		e := await(t, p.view, "CoHostRequestTimeout", func(m *message) (*cohostv1.CoHostRequestTimeout, bool) {
			e := m.GetCohost().GetCoHostRequestTimeout()
			return e, e != nil
		})
		if e.GetInviter().GetLiveId() != ann.live || e.GetInvitee().GetLiveId() != ben.live {
			t.Errorf("%s was told %v", p.live, e)
		}
	}
	if took := time.Since(before); took < time.Second || took > 10*time.Second {
		t.Errorf("an invitation of 1 s timed out after %v", took)
	}
	refused(t, accept(t, s, ben, ann), "INVITATION_ENDED")
	wantDisconnected(t, s, ann, ben)
}

func TestInvitationRejected(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	invite(t, s, ann, ben, 0)
	if _, err := s.cohost.RejectHostConnection(ben.host.ctx(t), &cohostv1.RejectHostConnectionRequest{
		LiveId: ben.live, FromLiveId: ann.live, Reason: "not now",
	}); err != nil {
		t.Fatal(err)
	}
	e := await(t, ann.view, "CoHostRequestRejected", func(m *message) (*cohostv1.CoHostRequestRejected, bool) {
		e := m.GetCohost().GetCoHostRequestRejected()
		return e, e != nil
	})
	if e.GetReason() != "not now" || e.GetInvitee().GetLiveId() != ben.live {
		t.Errorf("the inviter was told %v", e)
	}
	refused(t, accept(t, s, ben, ann), "INVITATION_ENDED")
	wantDisconnected(t, s, ann, ben)
}

func TestInvitationCancelled(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	invite(t, s, ann, ben, 0)
	if _, err := s.cohost.CancelHostConnection(ann.host.ctx(t), &cohostv1.CancelHostConnectionRequest{LiveId: ann.live, ToLiveId: ben.live}); err != nil {
		t.Fatal(err)
	}
	reason := await(t, ben.view, "CoHostRequestCancelled", func(m *message) (cohostv1.CoHostRequestCancelled_Reason, bool) {
		e := m.GetCohost().GetCoHostRequestCancelled()
		return e.GetReason(), e != nil
	})
	if reason != cohostv1.CoHostRequestCancelled_CANCELLED {
		t.Errorf("the invitee was told %s", reason)
	}
	refused(t, accept(t, s, ben, ann), "INVITATION_ENDED")
	wantDisconnected(t, s, ann, ben)
}

// Two hosts who invite each other have both said yes.
func TestMutualInvitationConnects(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	invite(t, s, ann, ben, 0)
	if _, err := s.cohost.RequestHostConnection(ben.host.ctx(t), &cohostv1.RequestHostConnectionRequest{LiveId: ben.live, TargetLiveIds: []string{ann.live}}); err != nil {
		t.Fatal(err)
	}
	mutual := await(t, ann.view, "CoHostRequestAccepted", func(m *message) (bool, bool) {
		e := m.GetCohost().GetCoHostRequestAccepted()
		return e.GetMutual(), e != nil
	})
	if !mutual {
		t.Error("the inviter was not told that both had asked")
	}
	if a, b := coHosting(t, s, ann), coHosting(t, s, ben); a.GetConnectionId() == "" || a.GetConnectionId() != b.GetConnectionId() {
		t.Errorf("not connected: %v, %v", a, b)
	}
}

func TestInvitationRefusals(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	voice := openLive(t, s, "cleo", cohostv1.Live_VOICE)
	ask := func(from *side, to string) error {
		_, err := s.cohost.RequestHostConnection(from.host.ctx(t), &cohostv1.RequestHostConnectionRequest{LiveId: from.live, TargetLiveIds: []string{to}})
		return err
	}
	refused(t, ask(ann, "nobody-"+ids.New()[:10]), "LIVE_NOT_FOUND")
	refused(t, ask(ann, voice.live), "LIVE_KIND_MISMATCH")
	invite(t, s, ann, ben, 0)
	refused(t, ask(ann, ben.live), "INVITATION_PENDING")
	if err := accept(t, s, ben, ann); err != nil {
		t.Fatal(err)
	}
	refused(t, ask(ann, ben.live), "ALREADY_CONNECTED")
}

// A live that ends withdraws its invitations and leaves its connection.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	dan := openLive(t, s, "dan", cohostv1.Live_VIDEO)
	invite(t, s, ann, dan, 0)
	if _, err := s.cohost.EndLive(ann.host.ctx(t), &cohostv1.EndLiveRequest{LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	withdrawn := await(t, dan.view, "CoHostRequestCancelled", func(m *message) (cohostv1.CoHostRequestCancelled_Reason, bool) {
		e := m.GetCohost().GetCoHostRequestCancelled()
		return e.GetReason(), e != nil
	})
	if withdrawn != cohostv1.CoHostRequestCancelled_LIVE_ENDED {
		t.Errorf("the invitee was told %s", withdrawn)
	}
	left := await(t, ben.view, "CoHostUserLeft", func(m *message) (cohostv1.CoHostUserLeft_Reason, bool) {
		e := m.GetCohost().GetCoHostUserLeft()
		return e.GetReason(), e.GetMember().GetLiveId() == ann.live
	})
	if left != cohostv1.CoHostUserLeft_LIVE_ENDED {
		t.Errorf("the other member was told %s", left)
	}
	await(t, ann.view, "LiveEnded", func(m *message) (bool, bool) { return true, m.GetCohost().GetLiveEnded() != nil })
	wantDisconnected(t, s, ben, dan)
}
