package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// A host proposes to end the battle, the other one consents, and the result stands.
func TestEndByConsent(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	give(t, s, gift(ann.live))
	path := "/v1/battles/" + b.GetBattleId() + ":end"
	if code, body := ann.host.rest(t, "POST", path, "", `{"live_id":"`+ann.live+`","reason":"tired"}`); code != 200 || !strings.Contains(string(body), `"consented_live_ids":["`+ann.live+`"]`) {
		t.Fatalf("%d %s", code, body)
	}
	p := proposal(t, ben, battlev1.BattleProposal_MADE)
	if p.GetProposal().GetKind() != battlev1.Proposal_END || p.GetProposal().GetReason() != "tired" || p.GetUser().GetLiveId() != ann.live {
		t.Errorf("the other was told %v", p)
	}
	if _, err := s.battle.EndBattle(ben.host.ctx(t), &battlev1.EndBattleRequest{BattleId: b.GetBattleId(), LiveId: ben.live}); err != nil {
		t.Fatal(err)
	}
	e := ended(t, ann, b.GetBattleId())
	if e.GetReason() != battlev1.Battle_CUT_SHORT || e.GetDetail() != "tired" || result(t, e.GetResult(), ann).GetScore() != giftPoints {
		t.Errorf("it ended as %v", e)
	}
}

func proposal(t *testing.T, p *side, change battlev1.BattleProposal_Change) *battlev1.BattleProposal {
	t.Helper()
	return await(t, p.view, "BattleProposal", func(m *message) (*battlev1.BattleProposal, bool) {
		e := m.GetBattle().GetBattleProposal()
		return e, e.GetChange() == change
	})
}

// A gift after the first end counts when the battle was extended, and the replay agrees.
func TestExtended(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, 6)
	extend := func(p *side, seconds int32) error {
		_, err := s.battle.ExtendBattle(p.host.ctx(t), &battlev1.ExtendBattleRequest{BattleId: b.GetBattleId(), LiveId: p.live, ExtendSeconds: seconds})
		return err
	}
	refused(t, extend(ann, 3600), "INVALID_ARGUMENT")
	for _, p := range []*side{ann, ben} {
		if err := extend(p, 4); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []*side{ann, ben} {
		e := await(t, p.view, "BattleExtended", func(m *message) (*battlev1.BattleExtended, bool) {
			e := m.GetBattle().GetBattleExtended()
			return e, e != nil
		})
		if got := e.GetBattle().GetEndsAt().AsTime().Sub(b.GetEndsAt().AsTime()); got != 4*time.Second || e.GetExtendSeconds() != 4 {
			t.Errorf("%s was told of %v more: %v", p.live, got, e)
		}
	}
	first := time.NewTimer(time.Until(b.GetEndsAt().AsTime()) + 100*time.Millisecond)
	defer first.Stop()
	<-first.C
	if v := give(t, s, gift(ann.live))[0]; v.GetVerdict() != scorev1.GiftVerdict_COUNTED || v.GetDecidedAt().AsTime().Before(b.GetEndsAt().AsTime()) {
		t.Errorf("a gift between the first and the second end: %v", v)
	}
	if e := ended(t, ben, b.GetBattleId()); e.GetReason() != battlev1.Battle_TIME_OVER || e.GetResult().GetWinnerLiveIds()[0] != ann.live {
		t.Errorf("it ended as %v", e)
	}
	r, err := s.score.ReplayBattle(s.backend(t).ctx(t), &scorev1.ReplayBattleRequest{BattleId: b.GetBattleId()})
	if err != nil || !r.GetEqual() {
		t.Errorf("the replay: %v, %v", r, err)
	}
}

// An admin ends a battle without consent, and extends one.
func TestTerminated(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	_, err := s.battle.EndBattle(ann.host.ctx(t), &battlev1.EndBattleRequest{BattleId: b.GetBattleId()})
	refused(t, err, "PERMISSION_DENIED")
	_, err = s.battle.ExtendBattle(ann.host.ctx(t), &battlev1.ExtendBattleRequest{BattleId: b.GetBattleId(), ExtendSeconds: 60})
	refused(t, err, "PERMISSION_DENIED")
	backend := s.backend(t)
	x, err := s.battle.ExtendBattle(backend.ctx(t), &battlev1.ExtendBattleRequest{BattleId: b.GetBattleId(), ExtendSeconds: 60})
	if err != nil || x.GetBattle().GetEndsAt().AsTime().Sub(b.GetEndsAt().AsTime()) != time.Minute {
		t.Fatalf("%v, %v", x, err)
	}
	if _, err := s.battle.EndBattle(backend.ctx(t), &battlev1.EndBattleRequest{BattleId: b.GetBattleId(), Reason: "spam"}); err != nil {
		t.Fatal(err)
	}
	if e := ended(t, ben, b.GetBattleId()); e.GetReason() != battlev1.Battle_TERMINATED || e.GetDetail() != "spam" || !e.GetResult().GetDraw() {
		t.Errorf("it ended as %v", e)
	}
}

// A voided battle has no result, and its gifts' receipts say so.
func TestVoided(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	g := gift(ann.live)
	give(t, s, g)
	void := func(a actor) error {
		_, err := s.battle.VoidBattle(a.ctx(t), &battlev1.VoidBattleRequest{BattleId: b.GetBattleId(), Reason: "fraud"})
		return err
	}
	refused(t, void(ann.host), "PERMISSION_DENIED")
	backend := s.backend(t)
	refused(t, void(backend), "PERMISSION_DENIED")
	admin := s.actor(t, "operator", auth.EveryLive, auth.Admin)
	if err := void(admin); err != nil {
		t.Fatal(err)
	}
	if e := ended(t, ben, b.GetBattleId()); e.GetReason() != battlev1.Battle_VOIDED || e.GetResult() != nil || e.GetDetail() != "fraud" {
		t.Errorf("it ended as %v", e)
	}
	refused(t, void(admin), "BATTLE_ENDED")
	// A gift for no battle is answered when score has read the void.
	give(t, s, gift(ann.live))
	if v := give(t, s, g)[0]; !v.GetVoided() || !v.GetDuplicate() || v.GetVerdict() != scorev1.GiftVerdict_COUNTED {
		t.Errorf("the receipt of a gift that counted: %v", v)
	}
	r, err := s.score.ReplayBattle(backend.ctx(t), &scorev1.ReplayBattleRequest{BattleId: b.GetBattleId()})
	if err != nil || r.GetEqual() || len(r.GetDifferences()) != 1 || !strings.Contains(r.GetDifferences()[0], "voided") {
		t.Errorf("the replay: %v, %v", r, err)
	}
}

// Teams are requested over REST, and what is wrong with them is said of the field; the result is theirs.
func TestTeams(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	ask := func(teams string) (int, string) {
		code, body := ann.host.rest(t, "POST", "/v1/battles", "", `{"inviter_live_id":"`+ann.live+`","target_live_ids":["`+ben.live+`"],
			"config":{"duration_seconds":1,"mode":"TEAMS","rule_set":"default","teams":`+teams+`}}`)
		return code, string(body)
	}
	if code, body := ask(`[{"team_id":"red","live_ids":["` + ann.live + `","` + ben.live + `"]}]`); code != 400 || !strings.Contains(body, `"config.teams"`) {
		t.Errorf("one team: %d %s", code, body)
	}
	code, body := ask(`[{"team_id":"red","live_ids":["` + ann.live + `"]},{"team_id":"blue","live_ids":["` + ben.live + `"]}]`)
	if code != 200 || !strings.Contains(body, `"team_id":"blue"`) {
		t.Fatalf("%d %s", code, body)
	}
	e := await(t, ben.view, "BattleEnded", func(m *message) (*battlev1.BattleEnded, bool) {
		e := m.GetBattle().GetBattleEnded()
		return e, e != nil
	})
	if r := e.GetResult(); len(r.GetTeams()) != 2 || r.GetTeams()[0].GetTeamId() != "blue" || !r.GetDraw() || len(r.GetWinnerTeamIds()) != 2 {
		t.Errorf("the result is %v", r)
	}
}
