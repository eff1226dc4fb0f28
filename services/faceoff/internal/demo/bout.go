package demo

import (
	"encoding/json"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// bout is a battle with this program's own count of it.
type bout struct {
	battle  string
	name    string  // of its gifts: those of every battle of a play have another
	sides   []*host // the inviter first
	teams   []*battlev1.BattleConfig_Team
	exited  map[string]bool // by live
	tally   *tally
	account *BattleReport
}

func newBout(name string, sides []*host) *bout {
	return &bout{
		name: name, sides: sides, exited: make(map[string]bool), tally: newTally(),
		account: &BattleReport{Settlement: json.RawMessage("null"), Replay: json.RawMessage("null")},
	}
}

// is notes which battle it is.
func (b *bout) is(battle *battlev1.Battle) {
	b.battle = battle.GetBattleId()
	b.account.BattleID = b.battle
}

// counted is the own count of the points, by the host's user_id.
func (b *bout) counted() map[string]int64 {
	counted := make(map[string]int64)
	for _, h := range b.sides {
		counted[h.user], _ = b.tally.total(h.live)
	}
	return counted
}
