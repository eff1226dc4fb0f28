package score_test

import (
	"slices"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

func TestSeveralLivesAndFacts(t *testing.T) {
	t.Parallel()
	both := opened
	both.Participants = hosts
	other := both
	other.LiveID = "other"
	starting := score.BattleStarting{BattleID: "b1", StartsAt: starts, EndsAt: ends, RuleSet: rules.Default, Participants: hosts}
	otherClosed := score.LiveClosed{BattleID: "b1", LiveID: "other"}
	otherExtended := score.LiveExtended{BattleID: "b1", LiveID: "other", EndsAt: newEnds}
	otherSettled := score.BattleSettled{BattleID: "b1", LiveID: "other"}
	next := score.BattleStarting{BattleID: "b2", StartsAt: starts, EndsAt: ends, RuleSet: rules.Default, Participants: hosts[:1]}
	nextOpened := opened
	nextOpened.BattleID = "b2"
	marker := score.BattleRead{Position: position}

	estest.Run(t, machine, nil, []row{
		{Name: "all lives open", When: read(starting), Then: []event{marker, both, other}},
		{Name: "time over closes all", Given: []event{both, other}, Now: ends, When: read(score.BattleEnding{BattleID: "b1", TimeOver: true}), Then: []event{marker, closed, otherClosed}},
		{Name: "an exit closes one, the end the other", Given: []event{both, other}, Now: inBattle, When: read(score.UserExited{BattleID: "b1", LiveID: "live"}, score.BattleEnding{BattleID: "b1"}), Then: []event{marker, closed, otherClosed}},
		{Name: "a whole battle in one group", Now: ends, When: read(starting, score.BattleRuns{BattleID: "b1"}, score.BattleEnding{BattleID: "b1", TimeOver: true}, score.BattleEnded{BattleID: "b1", Settled: true}), Then: []event{
			marker, both, other,
			score.BattleStarted{BattleID: "b1", LiveID: "live"},
			score.BattleStarted{BattleID: "b1", LiveID: "other"},
			closed, otherClosed, settled, otherSettled,
		}},
		{Name: "the next battle in the same group", Given: []event{both}, Now: inBattle, When: read(score.UserExited{BattleID: "b1", LiveID: "live"}, next), Then: []event{marker, closed, nextOpened}},
		{Name: "a live that opens in two battles of one group", When: read(score.BattleStarting{BattleID: "b1", StartsAt: starts, EndsAt: ends, Participants: hosts[:1]}, next), Then: []event{marker, opened, score.LiveTombstoned{BattleID: "b2", LiveID: "live", Plays: true}}},
		{Name: "an exit before the opening", When: read(score.UserExited{BattleID: "b1", LiveID: "live"}, starting), Then: []event{marker, tombstoned, other}},
		{Name: "unknown rules", When: read(score.BattleStarting{BattleID: "b1", StartsAt: starts, EndsAt: ends, RuleSet: "default@99", Participants: hosts[:1]}), Then: []event{marker, cannotOpen}},
		{Name: "unknown battle", When: read(score.BattleEnding{BattleID: "b9"}, score.BattleEnded{BattleID: "b9"}, score.BattleRuns{BattleID: "b9"}), Then: []event{marker}},
		{Name: "a time over without its time", Given: []event{both}, Now: inBattle, When: read(score.BattleEnding{BattleID: "b1", TimeOver: true}), Then: []event{marker, scheduled}},

		{Name: "an extension is for all lives", Given: []event{both, other}, Now: inBattle, When: read(score.BattleExtended{BattleID: "b1", EndsAt: newEnds}), Then: []event{marker, extended, otherExtended}},
		{Name: "but not for one that has closed", Given: []event{both, other, closed}, Now: inBattle, When: read(score.BattleExtended{BattleID: "b1", EndsAt: newEnds}), Then: []event{marker, otherExtended}},
		{Name: "the end never comes nearer", Given: []event{both, extended}, Now: inBattle, When: read(score.BattleExtended{BattleID: "b1", EndsAt: newEnds}, score.BattleExtended{BattleID: "b1", EndsAt: newEnds.Add(-1)}), Then: []event{marker}},
		{Name: "extended and over in one group", Given: []event{both}, Now: newEnds, When: read(score.BattleExtended{BattleID: "b1", EndsAt: newEnds}, score.BattleEnding{BattleID: "b1", TimeOver: true, EndsAt: newEnds}), Then: []event{marker, extended, closed}},
		{Name: "the same before the new end, by the clock here", Given: []event{both}, Now: newEnds.Add(-time.Millisecond), When: read(score.BattleExtended{BattleID: "b1", EndsAt: newEnds}, score.BattleEnding{BattleID: "b1", TimeOver: true, EndsAt: newEnds}), Then: []event{marker, extended, rescheduled}},
		{Name: "a time over without its time, extended", Given: []event{both, extended}, Now: afterEnd, When: read(score.BattleEnding{BattleID: "b1", TimeOver: true}), Then: []event{marker, rescheduled}},
		{Name: "read before", Given: []event{marker}, When: read(starting)},
		{Name: "an older group", Given: []event{marker}, When: score.ReadBattle{Position: score.Position{Sequence: 8}, Facts: []score.Fact{starting}}},
		{Name: "the rest of a group", Given: []event{score.BattleRead{Position: score.Position{Sequence: 9, Entries: 3}}}, When: read(next), Then: []event{marker, nextOpened}},
		{Name: "the read part of a group", Given: []event{score.BattleRead{Position: score.Position{Sequence: 9, Entries: 3}}}, When: score.ReadBattle{Position: score.Position{Sequence: 9, Entries: 2}, Facts: []score.Fact{next}}},
		{Name: "a part of a group that was read whole", Given: []event{marker}, When: score.ReadBattle{Position: score.Position{Sequence: 9, Entries: 4}, Facts: []score.Fact{next}}},
	})
}

func TestForeignLives(t *testing.T) {
	t.Parallel()
	const partitions = 16
	foreign := settings()
	foreign.Partitions = partitions
	foreign.Partition = (score.Partition("live", partitions) + 1) % partitions
	newMachine := func() es.Machine[score.Command, score.Event] { return score.New(foreign) }
	marker := score.BattleRead{Position: position}
	estest.Run(t, newMachine, nil, []row{
		{Name: "do not open here", When: columns(t0, ends)["S"], Then: []event{marker}},
		{Name: "leave no tombstone here", When: columns(t0, ends)["X"], Then: []event{marker}},
	})
}

func TestTimers(t *testing.T) {
	t.Parallel()
	m := score.New(settings())
	estest.Fold[score.Command, score.Event](m, t0, opened)
	if _, ok := m.NextDue(); ok {
		t.Error("an open live has a timer of its own; only a close that waits may have one")
	}
	estest.Fold[score.Command, score.Event](m, t0, scheduled)
	if next, ok := m.NextDue(); !ok || !next.Equal(ends) {
		t.Errorf("NextDue = %v, %v; want %v", next, ok, ends)
	}
	if due := m.Due(ends.Add(-time.Millisecond)); len(due) != 0 {
		t.Errorf("due before its time: %v", due)
	}
	due := m.Due(ends)
	if !slices.Equal(due, []score.Command{score.Advance{LiveID: "live"}}) {
		t.Fatalf("Due = %v", due)
	}
	events, err := m.Decide(ends, due[0])
	if err != nil {
		t.Fatal(err)
	}
	estest.Fold(m, ends, events...)
	if due := m.Due(ends); len(due) != 0 {
		t.Errorf("still due after the close: %v", due)
	}
}

func TestTopGifters(t *testing.T) {
	t.Parallel()
	m := score.New(settings())
	estest.Fold[score.Command, score.Event](m, t0, opened)
	give := func(user string, points int64) event {
		g := giftAt("by "+user, inBattle)
		g.Sender = score.User{ID: user}
		return decided(g, score.Counted, points, "b1", score.NoReason)
	}
	for i := range 20 {
		user := string(rune('a' + i))
		estest.Fold(m, inBattle, give(user, int64(i%5)+1))
	}
	// The last gifts are in the group of the close: only the overlay has them.
	m.Evolve(es.Place{Seq: 50, At: inBattle}, give("z", 100))
	m.Evolve(es.Place{Seq: 50, Index: 1, At: inBattle}, decided(score.Gift{EventID: "again", Sender: score.User{ID: "a"}, SentAt: inBattle}, score.Counted, 50, "b1", score.NoReason))
	events, err := m.Decide(inBattle, read(score.BattleEnding{BattleID: "b1"}))
	if err != nil {
		t.Fatal(err)
	}
	got := events[1].(score.LiveClosed)
	var users []string
	for _, g := range got.Top {
		users = append(users, g.User.ID)
	}
	if want := []string{"z", "a", "e", "j", "o", "t", "d", "i", "n", "s"}; !slices.Equal(users, want) {
		t.Errorf("top gifters %v, want %v", users, want)
	}
	if got.Total != 60+150 || got.Gifts != 22 || got.Top[1].Points != 51 {
		t.Errorf("closed with %d points of %d gifts, second best %d", got.Total, got.Gifts, got.Top[1].Points)
	}
}
