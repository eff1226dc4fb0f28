package cli

import (
	"encoding/json"
	"strings"
	"testing"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// An operator ends the live of a host that says nothing any more: it is told what the live has left, once, and whether that
// is known.
func TestLiveEnd(t *testing.T) {
	t.Parallel()
	p := newProcesses(t)
	writer := p.startBattle(p.battleAddr)
	p.startCohost()
	p.startScore()
	p.connect("red", "blue")
	battle := p.fight("red", "blue", &battlev1.BattleConfig{DurationSeconds: 600}, 0)
	p.reaches(battle, battlev1.Battle_RUNNING)

	edge := freeAddr(t)
	p.startGateway(edge)
	end := func(want int, line string) (live struct{ Status string }, ended endedLive, complaints string) {
		t.Helper()
		code, out, complaints := execute(append(strings.Fields("live end --json "+line), "--grpc", edge)...)
		if code != want {
			t.Fatalf("%s: exit code %d: %s%s", line, code, out, complaints)
		}
		if err := json.Unmarshal([]byte(out), &ended); err == nil {
			err = json.Unmarshal(ended.Live, &live)
			if err != nil {
				t.Fatal(err)
			}
		}
		return live, ended, complaints
	}
	live, ended, _ := end(0, "red")
	if live.Status != "ENDED" || ended.Connection == "" || ended.Battle != battle {
		t.Errorf("red, which was in battle %s: %+v %+v", battle, live, ended)
	}
	if b := call(p, p.battle.GetBattle, &battlev1.GetBattleRequest{BattleId: battle}).GetBattle(); takesPart(b, "red") {
		t.Errorf("it has not left its battle: %v", b)
	}
	live, ended, _ = end(0, "red")
	if live.Status != "ENDED" || ended.Connection != "" || ended.Battle != "" {
		t.Errorf("red again: %+v %+v", live, ended)
	}
	if _, _, complaints := end(exitFailed, "never-was"); !strings.Contains(complaints, "LIVE_NOT_FOUND") {
		t.Error(complaints)
	}

	writer.freeze()
	live, _, complaints := end(exitFailed, "blue --timeout 20s")
	if live.Status != "ENDED" || !strings.Contains(complaints, "that it has left its battle is not known") {
		t.Errorf("blue, while battle is frozen: %+v %s", live, complaints)
	}
	writer.thaw()
}
