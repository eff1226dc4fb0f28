package e2e

import (
	"strings"
	"testing"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// A best of three with a punishment after each round: the second round begins by itself, its gifts count for it alone, it
// can be replayed, and its winner is asked to a rematch.
func TestSeries(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	code, body := ann.host.rest(t, "POST", "/v1/battles", "", `{"inviter_live_id":"`+ann.live+`","target_live_ids":["`+ben.live+`"],
		"config":{"duration_seconds":2,"best_of":3,"punishment_seconds":1}}`)
	if code != 200 || !strings.Contains(string(body), `"best_of":3`) {
		t.Fatalf("%d %s", code, body)
	}
	first := round(t, s, ben, 1)
	id := first.GetSeries().GetSeriesId()
	punished := await(t, ann.view, "PunishmentEnded", func(m *message) (*battlev1.PunishmentEnded, bool) {
		e := m.GetBattle().GetPunishmentEnded()
		return e, e != nil
	})
	if punished.GetBattleId() != id || punished.GetReason() != battlev1.PunishmentEnded_TIME_OVER || first.GetSeries().GetDecided() {
		t.Errorf("%v after %v", punished, first)
	}
	second := round(t, s, ben, 2)
	if x := second.GetSeries(); !x.GetDecided() || x.GetSeriesId() != id || x.GetWinner() != ben.live || x.GetEndReason() != battlev1.Series_MAJORITY {
		t.Errorf("the series ends as %v", x)
	}
	r, err := s.score.ReplayBattle(s.backend(t).ctx(t), &scorev1.ReplayBattleRequest{BattleId: second.GetBattleId()})
	if err != nil || !r.GetEqual() {
		t.Errorf("the replay: %v, %v", r, err)
	}
	code, body = ann.host.rest(t, "POST", "/v1/battles/"+second.GetBattleId()+":rematch", "", `{"live_id":"`+ann.live+`","config":{"need_response":true}}`)
	if code != 200 || !strings.Contains(string(body), `"rematch_of":"`+second.GetBattleId()+`"`) {
		t.Fatalf("%d %s", code, body)
	}
	asked := await(t, ben.view, "BattleRequestReceived", func(m *message) (*battlev1.BattleRequestReceived, bool) {
		e := m.GetBattle().GetBattleRequestReceived()
		return e, e != nil
	})
	if asked.GetInviter().GetLiveId() != ann.live {
		t.Errorf("asked by %v", asked)
	}
}

// round is a round of a series that a live wins by one gift, once it has ended.
func round(t *testing.T, s *stack, p *side, number int32) *battlev1.Battle {
	t.Helper()
	b := await(t, p.view, "BattleStarted", func(m *message) (*battlev1.Battle, bool) {
		b := m.GetBattle().GetBattleStarted().GetBattle()
		return b, b.GetSeries().GetRound() == number
	})
	if v := give(t, s, gift(p.live))[0]; v.GetVerdict() != scorev1.GiftVerdict_COUNTED || v.GetBattleId() != b.GetBattleId() {
		t.Errorf("a gift in round %d: %v", number, v)
	}
	e := ended(t, p, b.GetBattleId())
	if score := result(t, e.GetResult(), p).GetScore(); score != giftPoints {
		t.Errorf("round %d ends with %d points", number, score)
	}
	return e.GetBattle()
}
