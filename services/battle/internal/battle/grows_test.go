package battle_test

import (
	"testing"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Only what begins a battle adds to a log that is nearly full.
func TestGrows(t *testing.T) {
	t.Parallel()
	for _, c := range battle.Commands() {
		begins := false
		switch c.(type) {
		case battle.RequestBattle, battle.Rematch:
			begins = true
		}
		if battle.Grows(c) != begins {
			t.Errorf("%T: %v", c, !begins)
		}
	}
}
