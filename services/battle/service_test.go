package battle_test

import (
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

// A battle from the request to the settlement, over gRPC and NATS.
func TestBattle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.start()
	w.score.set("a", 50)
	w.score.set("b", 400)
	defer w.score.run(w.jetstream(), r)()
	w.cohost.connect("x", "a", "b", "c")
	toldC := r.watch(t, "c", -1)
	if s := toldC.snapshot(); s.GetNumber() != 0 || s.GetBattle() != nil {
		t.Errorf("first snapshot %v", s)
	}

	request := &battlev1.RequestBattleRequest{
		InviterLiveId: "a", TargetLiveIds: []string{"b", "c", "z"}, Config: &battlev1.BattleConfig{DurationSeconds: 1, NeedResponse: true},
	}
	repeatable := metadata.AppendToOutgoingContext(host(t, "a"), "idempotency-key", "request-1")
	asked := must(r.battle().RequestBattle(repeatable, request))(t)
	id := asked.GetBattle().GetBattleId()
	if results := asked.GetResults(); len(results) != 3 || !results["b"].GetOk() || !results["c"].GetOk() ||
		results["z"].GetReason() != "NO_VALID_TARGET" || results["z"].GetCode() != 100412 {
		t.Errorf("results %v", results)
	}
	if again := must(r.battle().RequestBattle(repeatable, request))(t); again.GetBattle().GetBattleId() != id {
		t.Errorf("the repeat made battle %s, the first was %s", again.GetBattle().GetBattleId(), id)
	}
	request.TimeoutSeconds = 7
	_, err := r.battle().RequestBattle(repeatable, request)
	refused(t, err, "PAYLOAD_MISMATCH")

	_, err = r.battle().AcceptBattle(host(t, "a"), &battlev1.AcceptBattleRequest{BattleId: id, LiveId: "b"})
	refused(t, err, "PERMISSION_DENIED")
	if b := must(r.battle().AcceptBattle(host(t, "b"), &battlev1.AcceptBattleRequest{BattleId: id, LiveId: "b"}))(t).GetBattle(); b.GetStatus() != battlev1.Battle_REQUESTED {
		t.Errorf("after the first answer: %v", b)
	}
	rejected := must(r.battle().RejectBattle(host(t, "c"), &battlev1.RejectBattleRequest{BattleId: id, LiveId: "c", Reason: "later"}))(t).GetBattle()
	if rejected.GetStatus() != battlev1.Battle_STARTING || rejected.GetRuleSet() != "default@1" {
		t.Errorf("after the last answer: %v", rejected)
	}
	_, err = r.battle().CancelBattleRequest(host(t, "a"), &battlev1.CancelBattleRequestRequest{BattleId: id, LiveId: "a"})
	refused(t, err, "BATTLE_ALREADY_RUNNING")

	for _, want := range []string{"received", "join", "reject", "ended"} {
		e := toldC.next()
		switch {
		case want == "received" && e.GetBattleRequestReceived().GetBattle().GetBattleId() == id:
		case want == "join" && e.GetUserJoinBattle().GetUser().GetLiveId() == "b":
		case want == "reject" && e.GetBattleRequestReject().GetReason() == "later":
		case want == "ended" && e.GetBattleEnded().GetReason() == battlev1.Battle_TIME_OVER:
		default:
			t.Errorf("c was told %v, want %s", e, want)
		}
	}
	b := must(r.battle().GetBattle(as(t, auth.Audience, "b"), &battlev1.GetBattleRequest{BattleId: id}))(t).GetBattle()
	result := b.GetResult()
	if b.GetStatus() != battlev1.Battle_ENDED || len(result.GetLives()) != 2 || result.GetDraw() || result.GetWinnerLiveIds()[0] != "b" {
		t.Fatalf("battle %v", b)
	}
	if best := result.GetLives()[0]; best.GetScore() != 400 || best.GetMvpUserId() != "fan_of_b" || best.GetProof().GetPartition() != 3 {
		t.Errorf("best %v", best)
	}
	if took := b.GetEndsAt().AsTime().Sub(b.GetStartsAt().AsTime()); took.Seconds() != 1 || b.GetEndedAt().AsTime().Before(b.GetEndsAt().AsTime()) {
		t.Errorf("it took %v and ended at %v: %v", took, b.GetEndedAt().AsTime(), b)
	}
	_, err = r.battle().ExitBattle(host(t, "a"), &battlev1.ExitBattleRequest{BattleId: id, LiveId: "a"})
	refused(t, err, "BATTLE_ENDED")

	list := must(r.battle().ListBattles(as(t, auth.Audience, "c"), &battlev1.ListBattlesRequest{LiveId: "c", Status: battlev1.Battle_ENDED}))(t)
	if len(list.GetBattles()) != 1 || list.GetBattles()[0].GetBattleId() != id || list.GetNextPageToken() != "" {
		t.Errorf("list %v", list)
	}
}

// A stop in mid-battle: the battle goes on, ends, and who watched goes on without a gap.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start()
	stopScore := w.score.run(w.jetstream(), first)
	w.cohost.connect("x", "a", "b")
	w.score.set("a", 7)

	asked := must(first.battle().RequestBattle(host(t, "a"), &battlev1.RequestBattleRequest{
		InviterLiveId: "a", TargetUserIds: []string{"ub"}, Config: &battlev1.BattleConfig{DurationSeconds: 2},
	}))(t)
	if b := asked.GetBattle(); b.GetStatus() != battlev1.Battle_STARTING || !asked.GetResults()["ub"].GetOk() {
		t.Fatalf("request %v", asked)
	}
	told := first.watch(t, "a", 0)
	told.passed(battlev1.Battle_STARTING)
	if e := told.next(); e.GetBattleStarted().GetBattle().GetStatus() != battlev1.Battle_RUNNING {
		t.Fatalf("told %v", e)
	}
	stopScore()
	first.stop()

	second := w.start()
	defer w.score.run(w.jetstream(), second)()
	_, err := second.battle().RequestBattle(host(t, "b"), &battlev1.RequestBattleRequest{InviterLiveId: "b", TargetLiveIds: []string{"a"}})
	refused(t, err, "IN_OTHER_BATTLE")
	if s := second.watch(t, "b", -1).snapshot(); s.GetNumber() < 2 || s.GetBattle().GetBattleId() != asked.GetBattle().GetBattleId() {
		t.Errorf("snapshot %v", s)
	}
	told = second.watch(t, "a", told.last)
	told.passed(battlev1.Battle_SETTLING)
	ended := told.next().GetBattleEnded()
	if ended.GetReason() != battlev1.Battle_TIME_OVER || ended.GetResult().GetWinnerLiveIds()[0] != "a" {
		t.Errorf("ended %v", ended)
	}
}

// Whoever leaves its connection leaves its battle, in the order of this log.
func TestDepartures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cohost.connect("x", "a", "b", "c") // before the service runs
	r := w.start()
	defer w.score.run(w.jetstream(), r)()
	start := func(inviter string, targets ...string) string {
		t.Helper()
		return must(r.battle().RequestBattle(host(t, inviter), &battlev1.RequestBattleRequest{
			InviterLiveId: inviter, TargetLiveIds: targets, Config: &battlev1.BattleConfig{DurationSeconds: 300},
		}))(t).GetBattle().GetBattleId()
	}
	told := r.watch(t, "b", 0)
	started := func() {
		t.Helper()
		told.passed(battlev1.Battle_STARTING)
		if e := told.next(); e.GetBattleStarted() == nil {
			t.Fatalf("told %v", e)
		}
	}
	id := start("a", "b", "c")
	started()
	left1 := must(r.coordination().LeaveBattle(as(t, auth.Service, ""), &battlev1.LeaveBattleRequest{LiveId: "c"}))(t)
	if left1.GetBattleId() != id {
		t.Errorf("left %q", left1.GetBattleId())
	}
	if e := told.next().GetUserExitBattle(); e.GetUser().GetLiveId() != "c" || e.GetReason() != battlev1.UserExitBattle_LEFT_CONNECTION {
		t.Errorf("told %v", e)
	}
	if again := must(r.coordination().LeaveBattle(as(t, auth.Service, ""), &battlev1.LeaveBattleRequest{LiveId: "c"}))(t); again.GetBattleId() != "" {
		t.Errorf("left %q again", again.GetBattleId())
	}
	w.cohost.append(left("x", "c", cohostv1.Entry_MemberLeft_EXITED))
	w.cohost.append(left("x", "a", cohostv1.Entry_MemberLeft_LIVE_ENDED), left("x", "b", cohostv1.Entry_MemberLeft_DISSOLVED))
	if e := told.next().GetUserExitBattle(); e.GetUser().GetLiveId() != "a" || e.GetReason() != battlev1.UserExitBattle_LIVE_ENDED {
		t.Errorf("told %v", e)
	}
	told.passed(battlev1.Battle_SETTLING)
	ended := told.next().GetBattleEnded()
	if ended.GetReason() != battlev1.Battle_LIVE_ENDED || len(ended.GetResult().GetLives()) != 3 || ended.GetResult().GetWinnerLiveIds()[0] != "b" {
		t.Errorf("ended %v", ended)
	}

	// A request rests on who is connected now: whatever cohost has written before the call is known to it.
	_, err := r.battle().RequestBattle(host(t, "b"), &battlev1.RequestBattleRequest{InviterLiveId: "b", TargetLiveIds: []string{"c"}})
	refused(t, err, "CONNECTION_NOT_FOUND")
	w.cohost.connect("y", "b", "c")
	start("b", "c")
	started()
}

func TestDoors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.start()
	w.cohost.connect("x", "a", "b")
	service := as(t, auth.Service, "")
	b := must(r.battle().RequestBattle(service, &battlev1.RequestBattleRequest{
		InviterLiveId: "a", TargetLiveIds: []string{"b"}, Config: &battlev1.BattleConfig{NeedResponse: true},
	}))(t).GetBattle()
	if b.GetConfig().GetDurationSeconds() != 300 || b.GetConfig().GetMode() != battlev1.BattleConfig_FREE_FOR_ALL ||
		b.GetExpiresAt().AsTime().Sub(b.GetRequestedAt().AsTime()).Seconds() != 30 {
		t.Errorf("defaults of %v", b)
	}
	for _, row := range []struct {
		name, reason string
		call         func() error
	}{
		{"request for another", "PERMISSION_DENIED", func() error {
			_, err := r.battle().RequestBattle(host(t, "b"), &battlev1.RequestBattleRequest{InviterLiveId: "a", TargetLiveIds: []string{"b"}})
			return err
		}},
		{"request of a malformed live", "INVALID_ARGUMENT", func() error {
			_, err := r.battle().RequestBattle(service, &battlev1.RequestBattleRequest{InviterLiveId: "a b"})
			return err
		}},
		{"request without targets", "INVALID_ARGUMENT", func() error {
			_, err := r.battle().RequestBattle(service, &battlev1.RequestBattleRequest{InviterLiveId: "a"})
			return err
		}},
		{"reject for another", "PERMISSION_DENIED", func() error {
			_, err := r.battle().RejectBattle(as(t, auth.Audience, "b"), &battlev1.RejectBattleRequest{BattleId: b.GetBattleId(), LiveId: "b"})
			return err
		}},
		{"malformed command id", "INVALID_ARGUMENT", func() error {
			ctx := metadata.AppendToOutgoingContext(service, "idempotency-key", "a key")
			_, err := r.battle().ExitBattle(ctx, &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: "a"})
			return err
		}},
		{"exit too early", "BATTLE_NOT_STARTED", func() error {
			_, err := r.battle().ExitBattle(service, &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: "a"})
			return err
		}},
		{"get by a stranger", "PERMISSION_DENIED", func() error {
			_, err := r.battle().GetBattle(host(t, "c"), &battlev1.GetBattleRequest{BattleId: b.GetBattleId()})
			return err
		}},
		{"get what never was", "BATTLE_NOT_FOUND", func() error {
			_, err := r.battle().GetBattle(service, &battlev1.GetBattleRequest{BattleId: "z"})
			return err
		}},
		{"list of all by a host", "PERMISSION_DENIED", func() error {
			_, err := r.battle().ListBattles(host(t, "a"), &battlev1.ListBattlesRequest{})
			return err
		}},
		{"list of another by a host", "PERMISSION_DENIED", func() error {
			_, err := r.battle().ListBattles(host(t, "a"), &battlev1.ListBattlesRequest{LiveId: "b"})
			return err
		}},
		{"list with a malformed page", "INVALID_ARGUMENT", func() error {
			_, err := r.battle().ListBattles(service, &battlev1.ListBattlesRequest{PageToken: "?"})
			return err
		}},
		{"watch by a stranger", "PERMISSION_DENIED", func() error {
			stream, err := r.battle().WatchLive(host(t, "c"), &battlev1.WatchLiveRequest{LiveId: "a"})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		}},
		{"leave by a host", "PERMISSION_DENIED", func() error {
			_, err := r.coordination().LeaveBattle(host(t, "a"), &battlev1.LeaveBattleRequest{LiveId: "a"})
			return err
		}},
		{"report of an opening by a host", "PERMISSION_DENIED", func() error {
			_, err := r.coordination().ReportOpened(host(t, "a"), &battlev1.ReportOpenedRequest{BattleId: b.GetBattleId(), LiveId: "a"})
			return err
		}},
		{"report of a close by a host", "PERMISSION_DENIED", func() error {
			_, err := r.coordination().ReportClosed(host(t, "a"), &battlev1.ReportClosedRequest{BattleId: b.GetBattleId(), LiveId: "a"})
			return err
		}},
		{"report of a close that never opened", "BATTLE_NOT_STARTED", func() error {
			_, err := r.coordination().ReportClosed(service, &battlev1.ReportClosedRequest{BattleId: b.GetBattleId(), LiveId: "a"})
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) { refused(t, row.call(), row.reason) })
	}
	cancelled := must(r.battle().CancelBattleRequest(host(t, "a"), &battlev1.CancelBattleRequestRequest{BattleId: b.GetBattleId(), LiveId: "a"}))(t).GetBattle()
	if cancelled.GetStatus() != battlev1.Battle_ENDED || cancelled.GetEndReason() != battlev1.Battle_NEVER_STARTED || cancelled.GetResult() != nil {
		t.Errorf("cancelled %v", cancelled)
	}
}

// Two replicas are one service: either answers, both tell the same under the same numbers, one goes on alone.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	writer := w.start()
	follower := w.start()
	defer w.score.run(w.jetstream(), follower)()
	w.cohost.connect("x", "a", "b")
	asked := must(follower.battle().RequestBattle(host(t, "a"), &battlev1.RequestBattleRequest{
		InviterLiveId: "a", TargetLiveIds: []string{"b"}, Config: &battlev1.BattleConfig{DurationSeconds: 3, NeedResponse: true},
	}))(t).GetBattle()
	if b := must(follower.battle().GetBattle(host(t, "a"), &battlev1.GetBattleRequest{BattleId: asked.GetBattleId()}))(t).GetBattle(); b.GetStatus() != battlev1.Battle_REQUESTED {
		t.Errorf("read after the write: %v", b)
	}
	must(writer.battle().AcceptBattle(host(t, "b"), &battlev1.AcceptBattleRequest{BattleId: asked.GetBattleId(), LiveId: "b"}))(t)
	one, two := writer.watch(t, "a", 0), follower.watch(t, "a", 0)
	for range 5 { // sent, accepted, joined, starting, started
		if x, y := one.next(), two.next(); !proto.Equal(x, y) {
			t.Errorf("told\n%v\n%v", x, y)
		}
	}
	writer.stop()
	two.passed(battlev1.Battle_SETTLING)
	if ended := two.next().GetBattleEnded(); ended.GetReason() != battlev1.Battle_TIME_OVER || !ended.GetResult().GetDraw() {
		t.Errorf("ended %v", ended)
	}
}
