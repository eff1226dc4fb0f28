package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/ids"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Nine hosts battle over REST, and the one process is killed in the middle of it, while gifts go on for all of them: the
// battle ends in time, each gift counts once, and all nine are told one result, which is the same after another kill.
func TestNineKilledInMidBattle(t *testing.T) {
	t.Parallel()
	p := own(t)
	nine := gather(t, p.stack, 9)
	b := fightAll(t, nine, 4)
	c := newCrowd(t, p.stack, nine...)
	c.awaitAcknowledged(t, 300)
	p.kill()
	if err := p.restart(); err != nil {
		t.Fatal(err)
	}
	e := ended(t, nine[0], b.GetBattleId())
	c.stop()
	if e.GetReason() != battlev1.Battle_TIME_OVER || len(e.GetResult().GetLives()) != len(nine) {
		t.Errorf("the battle ended for %s with %v", e.GetReason(), e.GetResult())
	}
	for _, h := range nine[1:] {
		if told := ended(t, h, b.GetBattleId()); !proto.Equal(told.GetResult(), e.GetResult()) {
			t.Errorf("%s is told %v, the inviter %v", h.live, told.GetResult(), e.GetResult())
		}
	}
	c.compare(t, e.GetResult())
	wantRanked(t, e.GetResult())
	want := make(map[*side]int64)
	for _, h := range nine {
		want[h] = c.points(h)
		if want[h] == 0 {
			t.Errorf("no gift for %s counted", h.live)
		}
	}
	compareElsewhere(t, p.stack, b.GetBattleId(), want)

	p.kill()
	if err := p.restart(); err != nil {
		t.Fatal(err)
	}
	again := new(battlev1.GetBattleResponse)
	nine[8].host.call(t, http.MethodGet, "/v1/battles/"+b.GetBattleId(), "", again)
	if !proto.Equal(again.GetBattle().GetResult(), e.GetResult()) {
		t.Errorf("after another kill the result is %v, told was %v", again.GetBattle().GetResult(), e.GetResult())
	}
	for _, h := range nine {
		state := new(cohostv1.GetCoHostStateResponse)
		h.host.call(t, http.MethodGet, "/v1/lives/"+h.live+"/cohost", "", state)
		if len(state.GetState().GetConnected()) != len(nine) {
			t.Errorf("after another kill %s is %v", h.live, state)
		}
	}
	t.Logf("%d gifts counted, %d late, %d calls repeated", c.count(scorev1.GiftVerdict_COUNTED), c.count(scorev1.GiftVerdict_LATE), c.repeated)
}

// gather opens and connects lives, each invited by the one that joined last.
func gather(t *testing.T, s *stack, lives int) []*side {
	t.Helper()
	var all []*side
	for i := range lives {
		h := openLive(t, s, fmt.Sprintf("host-%d", i), cohostv1.Live_VIDEO)
		if i > 0 {
			inviter := all[i-1]
			inviter.host.call(t, http.MethodPost, "/v1/lives/"+inviter.live+"/cohost:request", `{"target_live_ids":["`+h.live+`"]}`, nil)
			h.host.call(t, http.MethodPost, "/v1/lives/"+h.live+"/cohost:accept", `{"from_live_id":"`+inviter.live+`"}`, nil)
		}
		all = append(all, h)
	}
	return all
}

// fightAll starts a battle of all, each for itself, and returns it when all are told that it has started.
func fightAll(t *testing.T, sides []*side, seconds int) *battlev1.Battle {
	t.Helper()
	var targets []string
	for _, h := range sides[1:] {
		targets = append(targets, `"`+h.live+`"`)
	}
	out := new(battlev1.RequestBattleResponse)
	sides[0].host.call(t, http.MethodPost, "/v1/battles", fmt.Sprintf(
		`{"inviter_live_id":"%s","target_live_ids":[%s],"config":{"duration_seconds":%d,"mode":"FREE_FOR_ALL"}}`,
		sides[0].live, strings.Join(targets, ","), seconds), out)
	for _, h := range sides {
		started(t, h, out.GetBattle().GetBattleId())
	}
	return out.GetBattle()
}

// wantRanked compares ranks and winners with the scores beside them.
func wantRanked(t *testing.T, r *battlev1.BattleResult) {
	t.Helper()
	var winners []string
	for _, l := range r.GetLives() {
		rank := int32(1)
		for _, other := range r.GetLives() {
			if other.GetScore() > l.GetScore() {
				rank++
			}
		}
		if l.GetRank() != rank {
			t.Errorf("%s is ranked %d, not %d: %v", l.GetLiveId(), l.GetRank(), rank, r)
		}
		if rank == 1 {
			winners = append(winners, l.GetLiveId())
		}
	}
	if !slices.Equal(r.GetWinnerLiveIds(), winners) || r.GetDraw() != (len(winners) > 1) {
		t.Errorf("the winners are %v, not %v", r.GetWinnerLiveIds(), winners)
	}
}

// call makes a REST call that must be answered with 200, and fills out unless it is nil.
func (a actor) call(t testing.TB, method, path, body string, out proto.Message) {
	t.Helper()
	id := ""
	if method != http.MethodGet {
		id = ids.New()
	}
	code, data := a.rest(t, method, path, id, body)
	if code != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, code, data)
	}
	if out == nil {
		return
	}
	if err := protojson.Unmarshal(data, out); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}
