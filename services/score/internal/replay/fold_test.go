package replay

import (
	"fmt"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// What a replay remembers grows neither with the other battles of a log nor with the length of its own.
func TestMemory(t *testing.T) {
	t.Parallel()
	r := New(nil, score.Settings{Partitions: 1, MaxAge: 24 * time.Hour, MaxAhead: time.Hour, KeepBoards: time.Hour, Rules: rules.Book})
	f := folding{machine: score.New(r.settings), battle: "b1", lives: map[string]*recount{"l1": {}}}
	began := time.UnixMilli(1_800_000_000_000)
	seq := uint64(0)
	add := func(at time.Time, e score.Event) {
		t.Helper()
		seq++
		if err := f.group(ledger.Group[score.Event]{Seq: seq, Events: []ledger.Placed[score.Event]{{Place: es.Place{Seq: seq, At: at}, Event: e}}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, battle := range []string{"b1", "b2"} {
		add(began, score.LiveOpened{BattleID: battle, LiveID: fmt.Sprint("l", i+1), StartsAt: began, EndsAt: began.Add(time.Hour), RuleSet: rules.Default})
	}
	const gifts = 3600 // of each battle, one a second
	for i := range gifts {
		at := began.Add(time.Duration(i) * time.Second)
		g := score.Gift{EventID: fmt.Sprint("g", i), Sender: score.User{ID: "u"}, Category: score.Basic, UnitValue: 1, Count: 1, SentAt: at}
		add(at, score.GiftDecided{BattleID: "b1", LiveID: "l1", Gift: g, Verdict: score.Counted, Points: 5})
		add(at, score.GiftDecided{BattleID: "b2", LiveID: "l2", Gift: g, Verdict: score.Counted, Points: 5})
		add(at, score.GiftDecided{LiveID: "l3", Gift: g, Verdict: score.Rejected, Reason: score.TooOld})
	}
	if n := f.machine.IDs(); n > 100 {
		t.Errorf("%d gifts are remembered", n)
	}
	if c, ok := f.machine.Closing("b1", "l1"); !ok || c.Total != 5*gifts || c.Gifts != gifts || len(f.lives["l1"].wrong) > 0 {
		t.Errorf("counted %+v", c)
	}
	if f.machine.Battle("b2") != nil {
		t.Error("the other battle was folded")
	}
}
