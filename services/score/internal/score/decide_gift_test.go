package score_test

import (
	"math"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

func giftAt(id string, sent time.Time) score.Gift {
	g := tableGift
	g.EventID, g.SentAt = id, sent
	return g
}

func count(gifts ...score.Gift) score.CountGifts {
	return score.CountGifts{LiveID: "live", Gifts: gifts}
}

// fresh is count after the battle service's log was read to its head.
func fresh(gifts ...score.Gift) score.CountGifts {
	c := count(gifts...)
	c.Fresh = true
	return c
}

func decided(g score.Gift, v score.Verdict, points int64, battle string, r score.Reason) score.GiftDecided {
	return score.GiftDecided{LiveID: "live", Gift: g, Verdict: v, Points: points, BattleID: battle, Reason: r}
}

func TestGift(t *testing.T) {
	t.Parallel()
	before := ends.Add(-time.Millisecond)
	special := giftAt("s", inBattle)
	special.Category, special.UnitValue, special.FixedScore = score.Special, 99, 999
	huge := giftAt("h", inBattle)
	huge.Category, huge.FixedScore, huge.Count = score.Special, 1e12, 1e6
	almostFull := decided(giftAt("full", inBattle), score.Counted, math.MaxInt64-49, "b1", score.NoReason)
	second := opened
	second.BattleID, second.StartsAt, second.EndsAt = "b2", ends.Add(5*time.Second), ends.Add(time.Minute)
	early := starts.Add(2 * time.Second)
	known := decided(giftAt("g", inBattle), score.Counted, 50, "b1", score.NoReason)

	estest.Run(t, machine, []event{score.GiftDecided{}}, []row{
		{Name: "counts from the start on", Given: []event{opened}, Now: starts, When: count(giftAt("g", starts)), Then: []event{decided(giftAt("g", starts), score.Counted, 50, "b1", score.NoReason)}},
		{Name: "not a moment before", Given: []event{opened}, Now: starts.Add(-time.Millisecond), When: count(giftAt("g", starts))},
		{Name: "counts until before the end", Given: []event{opened}, Now: before, When: count(giftAt("g", before)), Then: []event{decided(giftAt("g", before), score.Counted, 50, "b1", score.NoReason)}},
		{Name: "at the end it waits for the close", Given: []event{opened}, Now: ends, When: count(giftAt("g", before)), Later: true},
		{Name: "special scores its fixed score", Given: []event{opened}, Now: inBattle, When: count(special), Then: []event{decided(special, score.Counted, 999, "b1", score.NoReason)}},
		{Name: "known id", Given: []event{opened, known}, Now: inBattle, When: count(giftAt("g", inBattle))},
		{Name: "known id waits for nothing", Given: []event{opened, known}, Now: afterEnd, When: count(giftAt("g", inBattle))},
		{Name: "twice in one call", Given: []event{opened}, Now: inBattle, When: count(giftAt("g", inBattle), giftAt("g", inBattle), giftAt("k", inBattle)), Then: []event{known, decided(giftAt("k", inBattle), score.Counted, 50, "b1", score.NoReason)}},

		{Name: "as old as can be", Given: []event{opened}, Now: inBattle, When: count(giftAt("g", inBattle.Add(-24*time.Hour))), Then: []event{decided(giftAt("g", inBattle.Add(-24*time.Hour)), score.Counted, 50, "b1", score.NoReason)}},
		{Name: "too old", Given: []event{opened}, Now: inBattle, When: count(giftAt("g", inBattle.Add(-24*time.Hour-time.Millisecond))), Then: []event{decided(giftAt("g", inBattle.Add(-24*time.Hour-time.Millisecond)), score.Rejected, 0, "", score.TooOld)}},
		{Name: "too old, without a battle", When: count(giftAt("g", t0.Add(-25*time.Hour))), Then: []event{decided(giftAt("g", t0.Add(-25*time.Hour)), score.Rejected, 0, "", score.TooOld)}},
		{Name: "ahead, within reason", Given: []event{opened}, Now: inBattle, When: count(giftAt("g", inBattle.Add(5*time.Minute))), Then: []event{decided(giftAt("g", inBattle.Add(5*time.Minute)), score.Counted, 50, "b1", score.NoReason)}},
		{Name: "too far ahead", Given: []event{opened}, Now: inBattle, When: count(giftAt("g", inBattle.Add(5*time.Minute+time.Millisecond))), Then: []event{decided(giftAt("g", inBattle.Add(5*time.Minute+time.Millisecond)), score.Rejected, 0, "", score.SentAhead)}},
		{Name: "centuries ahead", When: count(giftAt("g", t0.AddDate(5000, 0, 0))), Then: []event{decided(giftAt("g", t0.AddDate(5000, 0, 0)), score.Rejected, 0, "", score.SentAhead)}},
		{Name: "the total just fits", Given: []event{opened, decided(giftAt("full", inBattle), score.Counted, math.MaxInt64-50, "b1", score.NoReason)}, Now: inBattle, When: count(giftAt("g", inBattle)), Then: []event{known}},
		{Name: "the total overflows", Given: []event{opened, almostFull}, Now: inBattle, When: count(giftAt("g", inBattle)), Then: []event{decided(giftAt("g", inBattle), score.Rejected, 0, "b1", score.Overflow)}},
		{Name: "the total overflows within one call", Given: []event{opened, decided(giftAt("full", inBattle), score.Counted, math.MaxInt64-99, "b1", score.NoReason)}, Now: inBattle, When: count(giftAt("g", inBattle), giftAt("k", inBattle)), Then: []event{known, decided(giftAt("k", inBattle), score.Rejected, 0, "b1", score.Overflow)}},
		{Name: "large and fitting", Given: []event{opened}, Now: inBattle, When: count(huge), Then: []event{decided(huge, score.Counted, 1e18, "b1", score.NoReason)}},

		{Name: "late: sent in time", Given: []event{opened, closed}, Now: ends.Add(time.Hour), When: fresh(giftAt("g", before)), Then: []event{decided(giftAt("g", before), score.Late, 0, "b1", score.NoReason)}},
		{Name: "late: sent after the end, within the window", Given: []event{opened, closed}, Now: ends.Add(10*time.Second - time.Millisecond), When: fresh(giftAt("g", ends)), Then: []event{decided(giftAt("g", ends), score.Late, 0, "b1", score.NoReason)}},
		{Name: "no battle: sent after the end, after the window", Given: []event{opened, closed}, Now: ends.Add(10 * time.Second), When: count(giftAt("g", ends))},
		{Name: "exited live: it may be back", Given: []event{opened, closed}, Now: early, When: count(giftAt("g", early))},
		{Name: "exited live, after the end that it knows: that may have been moved", Given: []event{opened, closed}, Now: ends, When: count(giftAt("g", ends))},
		{Name: "settled: it may be in another battle", Given: []event{opened, closed, settled}, Now: ends, When: count(giftAt("g", ends))},
		{Name: "late: settled", Given: []event{opened, closed, settled}, Now: ends, When: fresh(giftAt("g", ends)), Then: []event{decided(giftAt("g", ends), score.Late, 0, "b1", score.NoReason)}},
		{Name: "late: exited live", Given: []event{opened, closed}, Now: early, When: fresh(giftAt("g", early)), Then: []event{decided(giftAt("g", early), score.Late, 0, "b1", score.NoReason)}},
		{Name: "no battle: a newer one has opened", Given: []event{opened, closed, second}, Now: ends.Add(2 * time.Second), When: count(giftAt("g", before))},
		{Name: "counts for the newer battle", Given: []event{opened, closed, second}, Now: second.StartsAt, When: count(giftAt("g", second.StartsAt)), Then: []event{decided(giftAt("g", second.StartsAt), score.Counted, 50, "b2", score.NoReason)}},
		{Name: "no battle: void", Given: []event{opened, closed, afterVoid}, Now: ends, When: count(giftAt("g", before))},
		{Name: "another live", Given: []event{opened}, Now: inBattle, When: score.CountGifts{LiveID: "other", Gifts: []score.Gift{giftAt("g", inBattle)}}},
		{Name: "the same id for another live is another gift", Given: []event{opened, score.GiftDecided{LiveID: "other", Gift: giftAt("g", t0), Verdict: score.Rejected, Reason: score.TooOld}}, Now: inBattle, When: count(giftAt("g", inBattle)), Then: []event{known}},
		{Name: "nothing to do", Now: inBattle, When: score.CountGifts{Fresh: true}},
	})
}

func TestIDLimit(t *testing.T) {
	t.Parallel()
	limited := settings()
	limited.MaxIDs = 2
	newMachine := func() es.Machine[score.Command, score.Event] { return score.New(limited) }
	one := decided(giftAt("1", inBattle), score.Counted, 50, "b1", score.NoReason)
	two := decided(giftAt("2", inBattle), score.Counted, 50, "b1", score.NoReason)
	estest.Run(t, newMachine, nil, []row{
		{Name: "to the limit", Given: []event{opened, one}, Now: inBattle, When: count(giftAt("2", inBattle)), Then: []event{two}},
		{Name: "beyond it", Given: []event{opened, one}, Now: inBattle, When: count(giftAt("2", inBattle), giftAt("3", inBattle)), Reason: "RATE_LIMITED"},
		{Name: "known ids are no new ones", Given: []event{opened, one, two}, Now: inBattle, When: count(giftAt("1", inBattle))},
		{Name: "what is not kept is not limited", Given: []event{one, two}, Now: inBattle, When: count(giftAt("3", inBattle))},
	})
}

func TestForgets(t *testing.T) {
	t.Parallel()
	m := score.New(settings())
	at := t0
	for i := range 60 { // hours
		at = t0.Add(time.Duration(i) * time.Hour)
		estest.Fold(m, at, event(decided(giftAt(at.String(), at), score.Rejected, 0, "", score.TooOld)))
	}
	if ids := m.IDs(); ids < 24 || ids > 30 {
		t.Errorf("%d ids remembered after 60 hours with one each; want those of the last 24 h and a little more", ids)
	}
	if _, ok := m.Gift("live", at.String()); !ok {
		t.Error("the last gift is forgotten")
	}
}

// Gifts of an open battle go on when the log is nearly full; others, which would only add to it, do not.
func TestGrows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		given []event
		when  score.Command
		grows bool
	}{
		{"a gift without a battle", nil, count(giftAt("g", inBattle)), true},
		{"a gift in a battle", []event{opened}, count(giftAt("g", inBattle)), false},
		{"a gift after a battle", []event{opened, closed}, count(giftAt("g", inBattle)), true},
		{"a gift of another live", []event{opened}, score.CountGifts{LiveID: "other"}, true},
		{"facts of battles", nil, score.ReadBattle{}, false},
		{"a deadline", nil, score.Advance{}, false},
	} {
		s := score.New(settings())
		for _, e := range c.given {
			s.Evolve(es.Place{Seq: 1, At: t0}, e)
		}
		if got := s.Grows(c.when); got != c.grows {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
