package e2e

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/faceoff-live/faceoff/pkg/ids"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

func user(id string) *userv1.User { return &userv1.User{UserId: id, UserName: id} }

// openLives opens two lives.
func openLives(t testing.TB, s *stack) (ann, ben *side) {
	t.Helper()
	return openLive(t, s, "ann", cohostv1.Live_VIDEO), openLive(t, s, "ben", cohostv1.Live_VIDEO)
}

// invite has ann invite ben; ben is told.
func invite(t testing.TB, s *stack, ann, ben *side, timeoutSeconds int32) {
	t.Helper()
	r, err := s.cohost.RequestHostConnection(ann.host.ctx(t), &cohostv1.RequestHostConnectionRequest{
		LiveId: ann.live, TargetLiveIds: []string{ben.live}, TimeoutSeconds: timeoutSeconds,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.GetResults()[ben.live].GetOk() {
		t.Fatalf("the invitation: %v", r)
	}
	await(t, ben.view, "CoHostRequestReceived", func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostRequestReceived().GetInvitation().GetInviter().GetLiveId() == ann.live
	})
}

// connect connects two lives.
func connect(t testing.TB, s *stack) (ann, ben *side) {
	t.Helper()
	ann, ben = openLives(t, s)
	invite(t, s, ann, ben, 0)
	if _, err := s.cohost.AcceptHostConnection(ben.host.ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: ben.live, FromLiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*side{ann, ben} {
		for _, member := range []*side{ann, ben} {
			await(t, p.view, "CoHostUserJoined of "+member.live, func(m *message) (bool, bool) {
				return true, m.GetCohost().GetCoHostUserJoined().GetMember().GetLiveId() == member.live
			})
		}
	}
	return ann, ben
}

// request has ann ask ben for a battle.
func request(t testing.TB, s *stack, ann, ben *side, timeoutSeconds int32, c *battlev1.BattleConfig) *battlev1.Battle {
	t.Helper()
	r, err := s.battle.RequestBattle(ann.host.ctx(t), &battlev1.RequestBattleRequest{
		InviterLiveId: ann.live, TargetLiveIds: []string{ben.live}, TimeoutSeconds: timeoutSeconds, Config: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetBattle()
}

// fight starts a battle between connected lives and returns it when it has started.
func fight(t testing.TB, s *stack, ann, ben *side, seconds int32) *battlev1.Battle {
	t.Helper()
	b := request(t, s, ann, ben, 0, &battlev1.BattleConfig{DurationSeconds: seconds})
	started(t, ben, b.GetBattleId())
	return started(t, ann, b.GetBattleId())
}

func started(t testing.TB, p *side, battle string) *battlev1.Battle {
	t.Helper()
	return await(t, p.view, "BattleStarted", func(m *message) (*battlev1.Battle, bool) {
		b := m.GetBattle().GetBattleStarted().GetBattle()
		return b, b.GetBattleId() == battle
	})
}

func ended(t testing.TB, p *side, battle string) *battlev1.BattleEnded {
	t.Helper()
	return await(t, p.view, "BattleEnded", func(m *message) (*battlev1.BattleEnded, bool) {
		e := m.GetBattle().GetBattleEnded()
		return e, e.GetBattle().GetBattleId() == battle
	})
}

// result is what a live reached.
func result(t testing.TB, r *battlev1.BattleResult, p *side) *battlev1.LiveResult {
	t.Helper()
	for _, l := range r.GetLives() {
		if l.GetLiveId() == p.live {
			return l
		}
	}
	t.Fatalf("the result has no %s: %v", p.live, r)
	return nil
}

// gift is one of value 10 in the category BASIC: 50 points by the default rules.
func gift(live string) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: ids.New(), LiveId: live, Sender: user("fan"), GiftId: "rose",
		Category: scorev1.GiftEvent_BASIC, UnitValue: 10, Count: 1, SentAt: timestamppb.New(time.Now().Truncate(time.Millisecond)),
	}
}

// giftPoints is what gift gives.
const giftPoints = 50

// give sends gifts as the backend.
func give(t testing.TB, s *stack, gifts ...*scorev1.GiftEvent) []*scorev1.GiftVerdict {
	t.Helper()
	r, err := s.score.SendGifts(s.backend(t).ctx(t), &scorev1.SendGiftsRequest{Gifts: gifts})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.GetVerdicts()) != len(gifts) {
		t.Fatalf("%d gifts, %d verdicts", len(gifts), len(r.GetVerdicts()))
	}
	return r.GetVerdicts()
}

// status is a live's state of co-hosting.
func coHosting(t testing.TB, s *stack, p *side) *cohostv1.CoHostState {
	t.Helper()
	r, err := s.cohost.GetCoHostState(p.host.ctx(t), &cohostv1.GetCoHostStateRequest{LiveId: p.live})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetState()
}

func wantDisconnected(t testing.TB, s *stack, sides ...*side) {
	t.Helper()
	for _, p := range sides {
		if state := coHosting(t, s, p); state.GetStatus() != cohostv1.CoHostState_DISCONNECTED || len(state.GetInvitees())+len(state.GetApplicants()) > 0 {
			t.Errorf("%s is %v", p.live, state)
		}
	}
}
