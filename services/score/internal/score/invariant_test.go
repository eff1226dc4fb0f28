package score_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// model counts from the events alone what the machine must hold.
type model struct {
	t       *rapid.T
	open    map[string]string              // live -> battle
	totals  map[[2]string]int64            // battle, live
	gifts   map[[2]string]score.Gift       // live, event
	closed  map[[2]string]bool             // battle, live
	openeds map[[2]string]score.LiveOpened // battle, live
}

func (m *model) apply(at time.Time, e event) {
	switch e := e.(type) {
	case score.LiveOpened:
		key := [2]string{e.BattleID, e.LiveID}
		if m.open[e.LiveID] != "" || m.closed[key] {
			m.t.Fatalf("%v opened while open in %q, closed before: %v", key, m.open[e.LiveID], m.closed[key])
		}
		m.open[e.LiveID] = e.BattleID
		m.openeds[key] = e
	case score.GiftDecided:
		id := [2]string{e.LiveID, e.Gift.EventID}
		if _, again := m.gifts[id]; again {
			m.t.Fatalf("gift %v decided twice", id)
		}
		m.gifts[id] = e.Gift
		if e.Verdict != score.Counted {
			return
		}
		key := [2]string{e.BattleID, e.LiveID}
		o := m.openeds[key]
		if m.open[e.LiveID] != e.BattleID || at.Before(o.StartsAt) || !at.Before(o.EndsAt) {
			m.t.Fatalf("gift %v counted at %v for %v, which is not open then", id, at, key)
		}
		m.totals[key] += e.Points
	case score.LiveExtended:
		key := [2]string{e.BattleID, e.LiveID}
		o := m.openeds[key]
		if m.open[e.LiveID] != e.BattleID || !e.EndsAt.After(o.EndsAt) {
			m.t.Fatalf("%v extended from %v to %v; open in %q", key, o.EndsAt, e.EndsAt, m.open[e.LiveID])
		}
		o.EndsAt = e.EndsAt
		m.openeds[key] = o
	case score.LiveReopened:
		key := [2]string{e.BattleID, e.LiveID}
		if m.open[e.LiveID] != "" || !m.closed[key] {
			m.t.Fatalf("%v reopened while open in %q, closed before: %v", key, m.open[e.LiveID], m.closed[key])
		}
		o := m.openeds[key]
		o.EndsAt = e.EndsAt
		m.open[e.LiveID], m.closed[key], m.openeds[key] = e.BattleID, false, o
	case score.LiveClosed:
		key := [2]string{e.BattleID, e.LiveID}
		if m.open[e.LiveID] != e.BattleID || m.totals[key] != e.Total {
			m.t.Fatalf("%v closed with %d; open in %q, counted %d", key, e.Total, m.open[e.LiveID], m.totals[key])
		}
		delete(m.open, e.LiveID)
		m.closed[key] = true
	case score.LiveVoided:
		if m.open[e.LiveID] == e.BattleID {
			delete(m.open, e.LiveID)
		}
		m.closed[[2]string{e.BattleID, e.LiveID}] = true
	case score.LiveTombstoned:
		m.closed[[2]string{e.BattleID, e.LiveID}] = true
	}
}

// TestInvariants runs random commands in groups of which some are thrown away, as the ledger does it.
func TestInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := score.New(settings())
		kept := &model{
			t: t, open: map[string]string{}, totals: map[[2]string]int64{}, gifts: map[[2]string]score.Gift{},
			closed: map[[2]string]bool{}, openeds: map[[2]string]score.LiveOpened{},
		}
		now, read, seq := t0, uint64(0), uint64(0)
		type placed struct {
			at time.Time
			event
		}
		for range rapid.IntRange(1, 40).Draw(t, "groups") {
			seq++
			var group []placed
			next, decidedNow := read, now
			for range rapid.IntRange(1, 6).Draw(t, "commands") {
				decidedNow = decidedNow.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
				events, err := m.Decide(decidedNow, draw(t, &next, decidedNow))
				if err != nil && !errors.Is(err, es.ErrLater) {
					t.Fatal(err)
				}
				for _, e := range events {
					m.Evolve(es.Place{Seq: seq, Index: uint32(len(group)), At: decidedNow}, e)
					group = append(group, placed{decidedNow, e})
				}
			}
			now = decidedNow
			if rapid.IntRange(0, 3).Draw(t, "lost") == 0 {
				m.Discard()
				continue
			}
			m.Commit()
			read = next
			for _, p := range group {
				kept.apply(p.at, p.event)
			}
			compare(t, m, kept)
			for _, due := range m.Due(now) {
				if events, err := m.Decide(now, due); err != nil || len(events) == 0 {
					t.Fatalf("due command %v changes nothing: %v, %v", due, events, err)
				}
			}
		}
	})
}

func compare(t *rapid.T, m *score.State, kept *model) {
	t.Helper()
	if m.IDs() != len(kept.gifts) {
		t.Fatalf("%d ids remembered of %d decided", m.IDs(), len(kept.gifts))
	}
	for key, total := range kept.totals {
		room := m.Battle(key[0]).Room(key[1])
		if got := m.Tally(room); got.Total != total {
			t.Fatalf("%v has %d, want %d", key, got.Total, total)
		}
		var sum int64
		for g := range m.Gifters(room) {
			sum += g.Points
		}
		if sum != total {
			t.Fatalf("the gifters of %v have %d together, want %d", key, sum, total)
		}
	}
	for live, battle := range kept.open {
		if r := m.Current(live); r == nil || r.BattleID != battle || r.Phase != score.Open {
			t.Fatalf("%s is to be open in %s, is %+v", live, battle, r)
		}
	}
}

func draw(t *rapid.T, read *uint64, now time.Time) score.Command {
	live := rapid.SampledFrom([]string{"l1", "l2"}).Draw(t, "live")
	if rapid.IntRange(0, 2).Draw(t, "gift or not") > 0 {
		gift := tableGift
		gift.EventID = fmt.Sprint("e", rapid.IntRange(0, 40).Draw(t, "event"))
		gift.Sender.ID = fmt.Sprint("u", rapid.IntRange(0, 5).Draw(t, "user"))
		gift.SentAt = now
		again := gift
		again.EventID = fmt.Sprint("e", rapid.IntRange(0, 40).Draw(t, "second event"))
		return score.CountGifts{LiveID: live, Gifts: []score.Gift{gift, again}}
	}
	if rapid.IntRange(0, 9).Draw(t, "timer") == 0 {
		return score.Advance{LiveID: live}
	}
	*read++
	battle := fmt.Sprint("b", rapid.IntRange(0, 3).Draw(t, "battle"))
	participants := []score.Participant{{LiveID: "l1"}, {LiveID: "l2"}}
	ends := now.Add(time.Duration(rapid.IntRange(1, 8).Draw(t, "s")) * time.Second)
	fact := rapid.SampledFrom([]score.Fact{
		score.BattleStarting{BattleID: battle, StartsAt: now, EndsAt: ends, RuleSet: rules.Default, Participants: participants},
		score.BattleRuns{BattleID: battle},
		score.UserExited{BattleID: battle, LiveID: live},
		score.UserRejoined{BattleID: battle, LiveID: live, EndsAt: ends, Rejoins: 1},
		score.BattleExtended{BattleID: battle, EndsAt: ends},
		score.BattleExtended{BattleID: battle, EndsAt: ends},
		score.TotalRecorded{BattleID: battle, LiveID: live},
		score.BattleEnding{BattleID: battle, TimeOver: true},
		score.BattleEnding{BattleID: battle},
		score.BattleEnded{BattleID: battle, Settled: true},
		score.BattleEnded{BattleID: battle},
	}).Draw(t, "fact")
	return score.ReadBattle{Position: score.Position{Sequence: *read}, Facts: []score.Fact{fact}}
}
