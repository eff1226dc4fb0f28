package battle_test

import (
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle"
)

// short has a world's services begin rounds soon.
func short(c *battle.Config) { c.RoundInterval = 100 * time.Millisecond }

// A best of three with punishments over gRPC and NATS, the service being stopped between two rounds; then a rematch of it.
func TestSeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.startWith(short)
	stopScore := w.score.run(w.jetstream(), first)
	w.cohost.connect("x", "a", "b")
	w.score.set("a", 7)
	id := must(first.battle().RequestBattle(host(t, "a"), &battlev1.RequestBattleRequest{
		InviterLiveId: "a", TargetLiveIds: []string{"b"}, Config: &battlev1.BattleConfig{DurationSeconds: 1, BestOf: 3, PunishmentSeconds: 1},
	}))(t).GetBattle().GetBattleId()
	told := first.watch(t, "b", 0)
	told.passed(battlev1.Battle_STARTING)
	if e := told.next().GetBattleStarted(); e.GetBattle().GetSeries().GetRound() != 1 {
		t.Errorf("told %v", e)
	}
	told.passed(battlev1.Battle_SETTLING)
	if s := told.next().GetBattleEnded().GetBattle().GetSeries(); s.GetDecided() || s.GetWins()[0].GetSide() != "a" || s.GetNextRoundAt() == nil {
		t.Errorf("series %v", s)
	}
	if e := told.next().GetPunishmentStarted(); !e.GetBattle().GetPunishmentEndsAt().AsTime().After(e.GetBattle().GetServerNow().AsTime()) {
		t.Errorf("told %v", e)
	}
	stopScore()
	first.stop()

	second := w.startWith(short)
	defer w.score.run(w.jetstream(), second)()
	if s := second.watch(t, "a", -1).snapshot(); s.GetBattle().GetSeries().GetSeriesId() != id {
		t.Errorf("between rounds %v", s)
	}
	told = second.watch(t, "b", told.last)
	if e := told.next().GetPunishmentEnded(); e.GetBattleId() != id || e.GetReason() != battlev1.PunishmentEnded_TIME_OVER {
		t.Errorf("told %v", e)
	}
	told.passed(battlev1.Battle_STARTING)
	if e := told.next().GetBattleStarted().GetBattle(); e.GetBattleId() != id+"-2" || e.GetSeries().GetRound() != 2 {
		t.Errorf("told %v", e)
	}
	told.passed(battlev1.Battle_SETTLING)
	last := told.next().GetBattleEnded().GetBattle()
	if s := last.GetSeries(); !s.GetDecided() || s.GetWinner() != "a" || s.GetEndReason() != battlev1.Series_MAJORITY {
		t.Errorf("series %v", s)
	}

	repeatable := metadata.AppendToOutgoingContext(host(t, "b"), "idempotency-key", "rematch-1")
	request := &battlev1.RematchRequest{BattleId: last.GetBattleId(), LiveId: "b", Config: &battlev1.BattleConfig{NeedResponse: true, DurationSeconds: 1}}
	again := must(second.battle().Rematch(repeatable, request))(t)
	if b := again.GetBattle(); b.GetRematchOf() != last.GetBattleId() || b.GetStatus() != battlev1.Battle_REQUESTED || b.GetSeries() != nil || !again.GetResults()["a"].GetOk() {
		t.Errorf("rematch %v", again)
	}
	if repeat := must(second.battle().Rematch(repeatable, request))(t); repeat.GetBattle().GetBattleId() != again.GetBattle().GetBattleId() {
		t.Errorf("the repeat made battle %v", repeat)
	}
	_, err := second.battle().Rematch(host(t, "a"), request)
	refused(t, err, "PERMISSION_DENIED")
	must(second.battle().AcceptBattle(host(t, "a"), &battlev1.AcceptBattleRequest{BattleId: again.GetBattle().GetBattleId(), LiveId: "a"}))(t)
}

// A rate that is exceeded speaks of the moment: the same command is carried out later, under the same id.
func TestBattleRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.startWith(func(c *battle.Config) { c.RequestsPerLive = 1 })
	w.cohost.connect("x", "a", "b")
	request := func(key string) (*battlev1.RequestBattleResponse, error) {
		return r.battle().RequestBattle(metadata.AppendToOutgoingContext(host(t, "a"), "idempotency-key", key), &battlev1.RequestBattleRequest{
			InviterLiveId: "a", TargetLiveIds: []string{"b"}, Config: &battlev1.BattleConfig{NeedResponse: true},
		})
	}
	first := must(request("one"))(t).GetBattle().GetBattleId()
	must(r.battle().CancelBattleRequest(host(t, "a"), &battlev1.CancelBattleRequestRequest{BattleId: first, LiveId: "a"}))(t)
	_, err := request("two")
	refused(t, err, "BATTLE_RATE_LIMITED")
	r.stop()

	r = w.startWith(func(c *battle.Config) { c.RequestsPerLive = 2 })
	if again := must(request("one"))(t).GetBattle().GetBattleId(); again != first {
		t.Errorf("the first is battle %s now, was %s", again, first)
	}
	if second := must(request("two"))(t).GetBattle(); second.GetStatus() != battlev1.Battle_REQUESTED {
		t.Errorf("the second %v", second)
	}
}
