package battle_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// foldSeries checks what comes after an end.
func (w *world) foldSeries(b, next battle.Battle, event battle.Event) {
	switch e := event.(type) {
	case battle.BattleRequested:
		if s := e.Series; s.ID != "" && e.BattleID != s.ID {
			before := w.battles[roundBefore(s)]
			if before.Series.Next != e.BattleID || s.Round != before.Series.Round+1 || !cmp.Equal(s.Wins, before.Series.Wins) {
				w.t.Fatalf("round %+v after %+v", s, before.Series)
			}
		}
	case battle.BattleEnded:
		s := next.Series
		if (s.ID != "") != (next.Terms.BestOf > 1) || s.ID != "" && (s.End != 0) == s.Awaits() || s.Round > s.BestOf {
			w.t.Fatalf("battle %s of %d ends with %+v", b.ID, next.Terms.BestOf, s)
		}
		if !e.PunishmentEndsAt.IsZero() && (e.Result == nil || e.Result.Draw || e.Reason == battle.EndNeverStarted) {
			w.t.Fatalf("battle %s is followed by a punishment: %+v", b.ID, e)
		}
	case battle.PunishmentEnded:
		if !b.Punishing() || (e.Reason == battle.PunishmentTimeOver) == w.now.Before(b.PunishmentEndsAt) {
			w.t.Fatalf("the punishment of %+v ends by %d", b, e.Reason)
		}
	case battle.SeriesContinued:
		if w.now.Before(b.Series.NextAt) || b.Punishing() {
			w.t.Fatalf("the round after %+v begins at %s", b, w.now)
		}
	}
	if !b.Open() && (!cmp.Equal(b.Result, next.Result) || next.Phase != b.Phase || !cmp.Equal(b.Members, next.Members)) {
		w.t.Fatalf("%#v changes the end of battle %s", event, b.ID)
	}
}

func roundBefore(s battle.Series) string {
	if s.Round == 2 {
		return s.ID
	}
	return fmt.Sprint(s.ID, "-", s.Round-1)
}

// lingering are the ids of the battles that have ended, and that something is still to come of.
func (w *world) lingering() []string {
	var ids []string
	for id, b := range w.battles {
		if b.Lingers() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// fight takes a battle from the request to the end, so that there is something that comes after it.
func (w *world) fight() {
	c := w.randomRequest(names[0], names[1:]...)
	c.Terms.NeedResponse = false
	if w.do(c) != nil {
		return
	}
	for _, wait := range []time.Duration{300 * time.Millisecond, 10 * time.Second} {
		w.reportAllOf(c.BattleID)
		w.now = w.now.Add(wait)
		w.due()
	}
	w.reportAllOf(c.BattleID)
}

func (w *world) terms() battle.Terms {
	return battle.Terms{
		Duration: 10 * time.Second, NeedResponse: rapid.Bool().Draw(w.t, "ask"), Mode: battle.Mode(rapid.IntRange(1, 3).Draw(w.t, "mode")),
		Punishment: time.Duration(rapid.SampledFrom([]int{0, 0, 1, 30}).Draw(w.t, "punishment")) * time.Second,
		BestOf:     rapid.SampledFrom([]int32{0, 0, 1, 3, 5}).Draw(w.t, "best of"),
	}
}
