package e2e

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ids"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

const long = 60 // seconds; battles that do not end by themselves in a test

func TestBattleWithoutResponse(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, 1)
	if b.GetStatus() == battlev1.Battle_REQUESTED || b.GetEndsAt().AsTime().Sub(b.GetStartsAt().AsTime()) != time.Second {
		t.Errorf("it started as %v", b)
	}
	e := ended(t, ben, b.GetBattleId())
	if e.GetReason() != battlev1.Battle_TIME_OVER || !e.GetResult().GetDraw() || len(e.GetResult().GetWinnerLiveIds()) != 2 {
		t.Errorf("a battle without gifts ended as %v", e)
	}
	if after := e.GetBattle().GetEndedAt().AsTime().Sub(b.GetEndsAt().AsTime()); after < 0 || after > 5*time.Second {
		t.Errorf("it ended %v after its time", after)
	}
}

func TestBattleRequestTimesOut(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := request(t, s, ann, ben, 1, &battlev1.BattleConfig{DurationSeconds: long, NeedResponse: true})
	for _, p := range []*side{ann, ben} {
		await(t, p.view, "BattleRequestTimeout", func(m *message) (bool, bool) {
			return true, m.GetBattle().GetBattleRequestTimeout().GetBattleId() == b.GetBattleId()
		})
		wantNeverStarted(t, p, b)
	}
	_, err := s.battle.AcceptBattle(ben.host.ctx(t), &battlev1.AcceptBattleRequest{BattleId: b.GetBattleId(), LiveId: ben.live})
	refused(t, err, "BATTLE_ENDED")
}

func wantNeverStarted(t *testing.T, p *side, b *battlev1.Battle) {
	t.Helper()
	if e := ended(t, p, b.GetBattleId()); e.GetReason() != battlev1.Battle_NEVER_STARTED || e.GetResult() != nil {
		t.Errorf("%s was told %v", p.live, e)
	}
}

func TestBattleRejected(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := request(t, s, ann, ben, 0, &battlev1.BattleConfig{DurationSeconds: long, NeedResponse: true})
	if _, err := s.battle.RejectBattle(ben.host.ctx(t), &battlev1.RejectBattleRequest{BattleId: b.GetBattleId(), LiveId: ben.live, Reason: "tired"}); err != nil {
		t.Fatal(err)
	}
	reason := await(t, ann.view, "BattleRequestReject", func(m *message) (string, bool) {
		e := m.GetBattle().GetBattleRequestReject()
		return e.GetReason(), e.GetBattleId() == b.GetBattleId()
	})
	if reason != "tired" {
		t.Errorf("the inviter was told %q", reason)
	}
	wantNeverStarted(t, ann, b)
	// Both are free for the next one.
	fight(t, s, ben, ann, 1)
}

func TestBattleCancelled(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := request(t, s, ann, ben, 0, &battlev1.BattleConfig{DurationSeconds: long, NeedResponse: true})
	cancel := func(p *side) error {
		_, err := s.battle.CancelBattleRequest(p.host.ctx(t), &battlev1.CancelBattleRequestRequest{BattleId: b.GetBattleId(), LiveId: p.live})
		return err
	}
	refused(t, cancel(ben), "BATTLE_NOT_STARTED_BY_LIVE")
	if err := cancel(ann); err != nil {
		t.Fatal(err)
	}
	await(t, ben.view, "BattleRequestCancelled", func(m *message) (bool, bool) {
		return true, m.GetBattle().GetBattleRequestCancelled().GetBattleId() == b.GetBattleId()
	})
	wantNeverStarted(t, ben, b)
}

// Taken back from one of two that were asked, a request goes on with the other.
func TestBattleCancelledForOne(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	cid := openLive(t, s, "cid", cohostv1.Live_VIDEO)
	invite(t, s, ann, cid, 0)
	if _, err := s.cohost.AcceptHostConnection(cid.host.ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: cid.live, FromLiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	r, err := s.battle.RequestBattle(ann.host.ctx(t), &battlev1.RequestBattleRequest{
		InviterLiveId: ann.live, TargetLiveIds: []string{ben.live, cid.live}, Config: &battlev1.BattleConfig{DurationSeconds: long, NeedResponse: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := r.GetBattle().GetBattleId()
	c, err := s.battle.CancelBattleRequest(ann.host.ctx(t), &battlev1.CancelBattleRequestRequest{
		BattleId: id, LiveId: ann.live, TargetUserIds: []string{cid.user},
	})
	if err != nil || c.GetBattle().GetStatus() != battlev1.Battle_REQUESTED {
		t.Fatalf("after it was taken back from one: %v, %v", c, err)
	}
	for _, told := range []*side{ann, cid} {
		state := await(t, told.view, "BattleRequestCancelled", func(m *message) (battlev1.BattleUser_State, bool) {
			e := m.GetBattle().GetBattleRequestCancelled()
			return e.GetInvitee().GetState(), e.GetBattleId() == id
		})
		if state != battlev1.BattleUser_CANCELLED {
			t.Errorf("live %s was told of an invitee that is %s", told.live, state)
		}
	}
	_, err = s.battle.AcceptBattle(cid.host.ctx(t), &battlev1.AcceptBattleRequest{BattleId: id, LiveId: cid.live})
	refused(t, err, "INVITATION_ENDED")
	if _, err = s.battle.AcceptBattle(ben.host.ctx(t), &battlev1.AcceptBattleRequest{BattleId: id, LiveId: ben.live}); err != nil {
		t.Fatal(err)
	}
	started(t, ben, id)
}

// An exit from a battle of two is a forfeit: who stayed wins, whatever the scores.
func TestExitIsForfeit(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	for _, v := range give(t, s, gift(ann.live), gift(ann.live), gift(ben.live)) {
		if v.GetVerdict() != scorev1.GiftVerdict_COUNTED || v.GetPoints() != giftPoints {
			t.Fatalf("the verdict is %v", v)
		}
	}
	if _, err := s.battle.ExitBattle(ann.host.ctx(t), &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	e := wantLeft(t, b, ann, ben, battlev1.UserExitBattle_EXITED)
	if e.GetReason() != battlev1.Battle_FORFEIT {
		t.Errorf("the battle ended for %s", e.GetReason())
	}
	if got := coHosting(t, s, ann).GetStatus(); got != cohostv1.CoHostState_CONNECTED {
		t.Errorf("who left the battle is %s", got)
	}
	// The next gift is for no running battle.
	if v := give(t, s, gift(ben.live))[0]; v.GetVerdict() == scorev1.GiftVerdict_COUNTED {
		t.Errorf("a gift after the end: %v", v)
	}
}

// wantLeft checks how a battle ended that ann left with two gifts against one.
func wantLeft(t *testing.T, b *battlev1.Battle, ann, ben *side, why battlev1.UserExitBattle_Reason) *battlev1.BattleEnded {
	t.Helper()
	reason := await(t, ben.view, "UserExitBattle", func(m *message) (battlev1.UserExitBattle_Reason, bool) {
		e := m.GetBattle().GetUserExitBattle()
		return e.GetReason(), e.GetUser().GetLiveId() == ann.live
	})
	if reason != why {
		t.Errorf("the other was told %s, want %s", reason, why)
	}
	e := ended(t, ben, b.GetBattleId())
	stayed, left := result(t, e.GetResult(), ben), result(t, e.GetResult(), ann)
	if stayed.GetRank() != 1 || stayed.GetScore() != giftPoints || left.GetRank() != 2 || !left.GetExited() || left.GetScore() != 2*giftPoints {
		t.Errorf("the result is %v", e.GetResult())
	}
	if w := e.GetResult().GetWinnerLiveIds(); len(w) != 1 || w[0] != ben.live {
		t.Errorf("the winners are %v", w)
	}
	return e
}

// Who leaves the connection leaves the battle.
func TestLeavingTheConnectionLeavesTheBattle(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	give(t, s, gift(ann.live), gift(ann.live), gift(ben.live))
	if _, err := s.cohost.ExitHostConnection(ann.host.ctx(t), &cohostv1.ExitHostConnectionRequest{LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	if e := wantLeft(t, b, ann, ben, battlev1.UserExitBattle_LEFT_CONNECTION); e.GetReason() != battlev1.Battle_FORFEIT {
		t.Errorf("the battle ended for %s", e.GetReason())
	}
	wantDisconnected(t, s, ann, ben)
}

// TestLostHostLeavesItsBattle: a host that has given a sign of life and falls silent loses its battle, and is told of as lost in
// the battle before it leaves the connection. It takes as long as a host is waited for.
func TestLostHostLeavesItsBattle(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, int32(lossPatience.Seconds())+long)
	give(t, s, gift(ann.live), gift(ann.live), gift(ben.live))
	if _, err := s.cohost.Heartbeat(ann.host.ctx(t), &cohostv1.HeartbeatRequest{LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	for what, live := range map[string]func(*cohostv1.Event) string{
		"HostUnreachable": func(e *cohostv1.Event) string { return e.GetHostUnreachable().GetLiveId() },
		"HostLost":        func(e *cohostv1.Event) string { return e.GetHostLost().GetLiveId() },
	} {
		awaitFor(t, ben.view, lossPatience, what, func(m *message) (string, bool) {
			id := live(m.GetCohost())
			return id, id == ann.live
		})
	}
	if e := wantLeft(t, b, ann, ben, battlev1.UserExitBattle_LOST); e.GetReason() != battlev1.Battle_FORFEIT {
		t.Errorf("the battle ended for %s", e.GetReason())
	}
	wantDisconnected(t, s, ann, ben)
}

func TestLiveEndsInBattle(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	give(t, s, gift(ann.live), gift(ann.live), gift(ben.live))
	if _, err := s.cohost.EndLive(s.backend(t).ctx(t), &cohostv1.EndLiveRequest{LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	if e := wantLeft(t, b, ann, ben, battlev1.UserExitBattle_LIVE_ENDED); e.GetReason() != battlev1.Battle_LIVE_ENDED {
		t.Errorf("the battle ended for %s", e.GetReason())
	}
	wantDisconnected(t, s, ben)
}

func TestBattleRefusals(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	dan := openLive(t, s, "dan", cohostv1.Live_VIDEO)
	ask := func(from *side, to string) error {
		_, err := s.battle.RequestBattle(from.host.ctx(t), &battlev1.RequestBattleRequest{
			InviterLiveId: from.live, TargetLiveIds: []string{to}, Config: &battlev1.BattleConfig{DurationSeconds: long},
		})
		return err
	}
	refused(t, ask(dan, ann.live), "CONNECTION_NOT_FOUND")
	refused(t, ask(ann, dan.live), "NO_VALID_TARGET")
	b := fight(t, s, ann, ben, long)
	refused(t, ask(ben, ann.live), "IN_OTHER_BATTLE")
	_, err := s.battle.CancelBattleRequest(ann.host.ctx(t), &battlev1.CancelBattleRequestRequest{BattleId: b.GetBattleId(), LiveId: ann.live})
	refused(t, err, "BATTLE_ALREADY_RUNNING")
	_, err = s.battle.ExitBattle(dan.host.ctx(t), &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: dan.live})
	refused(t, err, "NOT_IN_BATTLE")
	_, err = s.battle.GetBattle(ann.host.ctx(t), &battlev1.GetBattleRequest{BattleId: "never-was"})
	refused(t, err, "BATTLE_NOT_FOUND")
}

// A command repeated under its id gets the first answer and does nothing twice.
func TestRepeatedCommand(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	ctx := withID(ann.host.ctx(t), ids.New())
	ask := func() (*battlev1.RequestBattleResponse, error) {
		return s.battle.RequestBattle(ctx, &battlev1.RequestBattleRequest{
			InviterLiveId: ann.live, TargetLiveIds: []string{ben.live}, Config: &battlev1.BattleConfig{DurationSeconds: long},
		})
	}
	first, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	started(t, ben, first.GetBattle().GetBattleId())
	again, err := ask()
	if err != nil || again.GetBattle().GetBattleId() != first.GetBattle().GetBattleId() || !again.GetResults()[ben.live].GetOk() {
		t.Errorf("first %v, then %v (%v)", first, again, err)
	}
	_, err = s.battle.RequestBattle(ctx, &battlev1.RequestBattleRequest{InviterLiveId: ann.live, TargetLiveIds: []string{ben.live}})
	refused(t, err, "PAYLOAD_MISMATCH")
}
