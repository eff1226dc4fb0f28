package battle_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

func TestEndEarly(t *testing.T) {
	t.Parallel()
	ab, abc := running("a", "b"), running("a", "b", "c")
	byA := then(abc, proposed("a", toEnd))
	lapse := t0.Add(10 * time.Second)
	why := func(name, reason string) battle.Command {
		return battle.EndBattle{BattleID: "b1", LiveID: name, Reason: reason}
	}
	proposedWhy := battle.ProposalMade{BattleID: "b1", Subject: toEnd, LiveID: "a", Reason: "tired", ExpiresAt: lapse}
	cutShort := battle.BattleEnding{BattleID: "b1", Reason: battle.EndCutShort, EndsAt: endsAt, Detail: "tired"}
	estest.Run(t, newMachine, nil, []row{
		{Name: "proposed", Given: abc, When: why("a", "tired"), Then: history{proposedWhy}},
		{Name: "again", Given: byA, When: why("a", "very tired")},
		{Name: "one of two consents", Given: byA, When: endNow("b"), Then: history{consented("b", toEnd)}},
		{Name: "consent again", Given: then(byA, consented("b", toEnd)), When: endNow("b")},
		{Name: "the last consents: it ends, as the proposer said", Given: then(abc, proposedWhy, consented("b", toEnd)), When: why("c", "me too"), Then: history{consented("c", toEnd), cutShort}},
		{Name: "the other one of two consents", Given: then(ab, proposed("a", toEnd)), When: endNow("b"), Then: history{consented("b", toEnd), ending(battle.EndCutShort)}},
		{Name: "the one who has not consented leaves", Given: then(byA, consented("b", toEnd)), When: exit("c"), Then: history{exited("c", battle.ExitByHost), ending(battle.EndCutShort)}},
		{Name: "the proposer leaves: its proposal stays", Given: then(byA, consented("b", toEnd)), When: exit("a"), Then: history{exited("a", battle.ExitByHost)}},
		{Name: "and the last one consents", Given: then(byA, consented("b", toEnd), exited("a", battle.ExitByHost)), When: endNow("c"), Then: history{consented("c", toEnd), ending(battle.EndCutShort)}},
		{Name: "one of two leaves: forfeit, whoever has consented", Given: then(ab, proposed("a", toEnd)), When: exit("b"), Then: history{exited("b", battle.ExitByHost), ending(battle.EndForfeit)}},
		{Name: "who has left has no say", Given: then(byA, exited("b", battle.ExitByHost)), When: endNow("b"), Reason: battle.ReasonNotInBattle},
		{Name: "who said no has none", Given: then(requested("a", "b", "c"), rejected("c"), accepted("b"), startingOf("a", "b"), opened("a"), opened("b"), battle.BattleStarted{BattleID: "b1"}), When: endNow("c"), Reason: battle.ReasonNotInBattle},
		{Name: "not before its time", Given: byA, Now: before(lapse), When: advance},
		{Name: "it lapses", Given: byA, Now: lapse, When: advance, Then: history{lapsed(toEnd)}},
		{Name: "after it has, nothing is left to lapse", Given: then(byA, lapsed(toEnd)), Now: lapse.Add(time.Second), When: advance},
		{Name: "consent just in time", Given: then(ab, proposed("a", toEnd)), Now: before(lapse), When: endNow("b"), Then: history{consented("b", toEnd), ending(battle.EndCutShort)}},
		{Name: "consent at the lapse is a new proposal", Given: then(ab, proposed("a", toEnd)), Now: lapse, When: endNow("b"), Then: history{lapsed(toEnd), proposedAt(lapse, "b", toEnd)}},
		{Name: "consent at the end: the time is over first", Given: then(ab, proposedAt(endsAt.Add(-time.Second), "a", toEnd)), Now: endsAt, When: endNow("b"), Then: history{timeOver()}},
		{Name: "a proposal just before the end", Given: ab, Now: before(endsAt), When: endNow("a"), Then: history{proposedAt(before(endsAt), "a", toEnd)}},
		{Name: "by an admin, whatever is proposed", Given: byA, When: why("", "spam"), Then: history{
			battle.BattleEnding{BattleID: "b1", Reason: battle.EndTerminated, EndsAt: endsAt, Detail: "spam"},
		}},
		{Name: "by an admin at the end: the time is over first", Given: ab, Now: endsAt, When: endNow(""), Then: history{timeOver()}},
		{
			Name:  "what was said stands in the last entry",
			Given: then(abc, battle.BattleEnding{BattleID: "b1", Reason: battle.EndTerminated, EndsAt: endsAt, Detail: "spam"}, closedWith("a", 1), closedWith("b", 0)),
			When:  reportClosed("c", 0),
			Then: history{closedWith("c", 0), battle.BattleEnded{BattleID: "b1", Reason: battle.EndTerminated, Detail: "spam", Result: &battle.Result{
				Lives: []battle.LiveResult{
					{LiveID: "a", UserID: "ua", Score: 1, Rank: 1}, {LiveID: "b", UserID: "ub", Rank: 2}, {LiveID: "c", UserID: "uc", Rank: 2},
				},
				Winners: []string{"a"}, SettledAt: t0,
			}}},
		},
	})
}

func TestExtend(t *testing.T) {
	t.Parallel()
	ab, abc := running("a", "b"), running("a", "b", "c")
	byA := then(ab, proposed("a", toExtend))
	lastSecond := endsAt.Add(-time.Second)
	half := battle.Subject{Kind: battle.ProposalExtend, By: 30 * time.Second}
	all := 55 * time.Minute // what the longest battle leaves to one of five minutes
	toTheFull := battle.Subject{Kind: battle.ProposalExtend, By: all}
	again := battle.BattleExtended{BattleID: "b1", EndsAt: endsAt.Add(2 * time.Minute), By: time.Minute}
	estest.Run(t, newMachine, nil, []row{
		{Name: "consented", Given: byA, When: extend("b", time.Minute), Then: history{consented("b", toExtend), extended(time.Minute)}},
		{Name: "again by the proposer", Given: byA, When: extend("a", time.Minute)},
		{Name: "another length is another proposal", Given: byA, When: extend("b", 30*time.Second), Then: history{proposed("b", half)}},
		{Name: "a second one by the same live", Given: byA, When: extend("a", 30*time.Second), Reason: battle.ReasonBattleRequestPending},
		{Name: "but it may propose to end", Given: byA, When: endNow("a"), Then: history{proposed("a", toEnd)}},
		{Name: "who has proposed another length may consent", Given: then(byA, proposed("b", half)), When: extend("b", time.Minute), Then: history{consented("b", toExtend), extended(time.Minute)}},
		{Name: "the other proposal stays", Given: then(byA, proposed("b", half), consented("b", toExtend), extended(time.Minute)), When: extend("a", 30*time.Second), Then: history{
			consented("a", half), battle.BattleExtended{BattleID: "b1", EndsAt: endsAt.Add(90 * time.Second), By: 30 * time.Second},
		}},
		{Name: "a delayed consent is a new proposal", Given: then(byA, consented("b", toExtend), extended(time.Minute)), When: extend("b", time.Minute), Then: history{proposed("b", toExtend)}},
		{Name: "extended twice", Given: then(ab, extended(time.Minute)), When: extend("", time.Minute), Then: history{again}},
		{Name: "whoever is left has consented", Given: then(abc, proposed("a", toExtend), consented("b", toExtend)), When: leave("c"), Then: history{exited("c", battle.ExitLeftConnection), extended(time.Minute)}},
		{Name: "the same in the last second: too late", Given: then(abc, proposedAt(before(lastSecond), "a", toExtend), consented("b", toExtend)), Now: lastSecond, When: leave("c"), Then: history{exited("c", battle.ExitLeftConnection)}},
		{Name: "and consented, it lapses", Given: then(abc, proposed("a", toExtend), consented("b", toExtend), exited("c", battle.ExitByHost)), Now: t0.Add(10 * time.Second), When: advance, Then: history{lapsed(toExtend)}},
		{Name: "just before the last second", Given: ab, Now: before(lastSecond), When: extend("", time.Minute), Then: history{extended(time.Minute)}},
		{Name: "in the last second", Given: ab, Now: lastSecond, When: extend("", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "at the end", Given: ab, Now: endsAt, When: extend("", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "consent in the last second", Given: then(ab, proposedAt(before(lastSecond), "a", toExtend)), Now: lastSecond, When: extend("b", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "consent just before it", Given: then(ab, proposedAt(before(lastSecond), "a", toExtend)), Now: before(lastSecond), When: extend("b", time.Minute), Then: history{consented("b", toExtend), extended(time.Minute)}},
		{Name: "to the longest battle", Given: ab, When: extend("a", all), Then: history{proposed("a", toTheFull)}},
		{Name: "beyond it", Given: ab, When: extend("a", all+time.Second), Reason: es.ReasonInvalidArgument},
		{Name: "beyond it by an admin", Given: ab, When: extend("", all+time.Second), Reason: es.ReasonInvalidArgument},
		{Name: "beyond it since another extension", Given: then(ab, proposed("a", toTheFull), extended(time.Minute)), When: extend("b", all), Reason: es.ReasonInvalidArgument},
		{Name: "beyond it since another extension, when the last other one leaves", Given: then(abc, proposed("a", toTheFull), consented("b", toTheFull), extended(time.Minute)), When: exit("c"), Then: history{exited("c", battle.ExitByHost)}},
		{Name: "by nothing", Given: ab, When: extend("a", 0), Reason: es.ReasonInvalidArgument},
		{Name: "by less", Given: ab, When: extend("a", -time.Second), Reason: es.ReasonInvalidArgument},
		{Name: "by parts of seconds", Given: ab, When: extend("a", 1500*time.Millisecond), Reason: es.ReasonInvalidArgument},
		{Name: "by one that has left", Given: then(abc, exited("b", battle.ExitByHost)), When: extend("b", time.Minute), Reason: battle.ReasonNotInBattle},
		{Name: "by a stranger", Given: ab, When: extend("z", time.Minute), Reason: battle.ReasonNotInBattle},
		{Name: "the old end brings nothing", Given: then(ab, extended(time.Minute)), Now: endsAt, When: advance},
		{Name: "nor the moment before the new one", Given: then(ab, extended(time.Minute)), Now: before(endsAt.Add(time.Minute)), When: advance},
		{Name: "the new end ends it", Given: then(ab, extended(time.Minute)), Now: endsAt.Add(time.Minute), When: advance, Then: history{
			battle.BattleEnding{BattleID: "b1", Reason: battle.EndTimeOver, EndsAt: endsAt.Add(time.Minute)},
		}},
	})
}

func TestVoid(t *testing.T) {
	t.Parallel()
	abc := running("a", "b", "c")
	voided := battle.BattleEnded{BattleID: "b1", Reason: battle.EndVoided, Detail: "fraud"}
	because := battle.VoidBattle{BattleID: "b1", Reason: "fraud"}
	estest.Run(t, newMachine, nil, []row{
		{Name: "while running", Given: then(abc, proposed("a", toEnd)), When: because, Then: history{voided}},
		{Name: "while settling, some closed", Given: then(settling("a", "b"), closedWith("a", 1)), When: because, Then: history{voided}},
		{Name: "at the end: the time is over first", Given: abc, Now: endsAt, When: because, Then: history{timeOver(), voided}},
		{Name: "again", Given: then(abc, endedAs(battle.EndVoided)), When: because, Reason: battle.ReasonBattleEnded},
		{Name: "after a result", Given: ended("a", "b"), When: because, Reason: battle.ReasonBattleEnded},
		{Name: "the timeout of a request comes first", Given: requested("a", "b"), Now: expiresAt, When: because, Reason: battle.ReasonBattleEnded},
		{Name: "a report afterwards changes nothing", Given: then(abc, endedAs(battle.EndVoided)), When: reportClosed("a", 3)},
		{Name: "nor does an opening", Given: then(starting("a", "b"), endedAs(battle.EndVoided)), When: reportOpened("a")},
		{Name: "its lives are free", Given: then(running("a", "b"), endedAs(battle.EndVoided)), When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
	})
}

// The deadline of a running battle is the next lapse, or its end.
func TestDeadlineOfProposals(t *testing.T) {
	t.Parallel()
	m := battle.New(settings())
	expect := func(want time.Time) {
		t.Helper()
		if next, ok := m.NextDue(); !ok || !next.Equal(want) {
			t.Errorf("next due at %v, %v; want %v", next, ok, want)
		}
	}
	estest.Fold(m, t0, running("a", "b")...)
	expect(endsAt)
	estest.Fold(m, t0, proposed("a", toEnd), proposedAt(t0.Add(time.Second), "b", toExtend))
	expect(t0.Add(10 * time.Second))
	estest.Fold(m, t0, lapsed(toEnd))
	expect(t0.Add(11 * time.Second))
	estest.Fold(m, t0, extended(time.Minute))
	expect(endsAt.Add(time.Minute))
	estest.Fold(m, t0, proposedAt(endsAt.Add(59*time.Second), "a", toEnd))
	expect(endsAt.Add(time.Minute))
}
