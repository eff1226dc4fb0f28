package partition_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
)

// A gift that waits past the end counts when the battle turns out to take longer, and one past the new end waits again.
func TestExtendedWhileGiftsWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", nil)
	ends := now().Add(-100 * time.Millisecond)
	w.battle.Begin(t, "b1", ends.Add(-time.Second), ends, "l1", "l2")
	w.battle.WaitOpened(t, "b1", "l1")
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := set.Count(short, []gift.Gift{one(t, "l1", "short")}); err == nil {
		t.Error("a gift past the end was decided before it was known how the battle ends")
	}
	waiting := make(chan string, 1)
	go func() {
		verdicts, err := set.Count(t.Context(), []gift.Gift{one(t, "l1", "w")})
		waiting <- fmt.Sprint(words(verdicts), " ", err)
	}()
	w.battle.Extend(t, "b1", now().Add(time.Hour))
	if got := <-waiting; got != "l1/w COUNTED <nil>" {
		t.Errorf("after the extension: %s", got)
	}
	if scores, _ := set.Scores("b1"); scores.Status != scorev1.BattleScores_RUNNING || scores.ByUser["host-of-l1"] != 50 {
		t.Errorf("scores %+v", scores)
	}
	w.battle.End(t, "b1", battlev1.Battle_CUT_SHORT, now().Add(time.Hour))
	if closed := w.battle.WaitClosed(t, "b1", "l1"); closed.GetTotal() != 50 {
		t.Errorf("closed as %v", closed)
	}
}
