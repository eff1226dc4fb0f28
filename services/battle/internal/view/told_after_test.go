package view_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// fight is a battle of a and others to its end, won by the last.
func (s *story) fight(id string, terms battle.Terms, others ...string) {
	s.t.Helper()
	s.do(battle.RequestBattle{BattleID: id, Inviter: "a", TargetLives: others, Terms: terms})
	s.rest(id)
}

// rest is the rest of a battle that is starting.
func (s *story) rest(id string) {
	s.t.Helper()
	b, _ := s.battles.Get(id)
	var lives []string
	for _, m := range b.Members {
		lives = append(lives, m.LiveID)
		s.do(battle.ReportOpened{BattleID: id, LiveID: m.LiveID})
	}
	s.after(300 * time.Millisecond)
	s.after(b.Terms.Duration)
	s.skip()
	s.close(id, lives...)
}

// skip lets what was told until now be.
func (s *story) skip() {
	for _, live := range []string{"a", "b", "c", "z"} {
		sub, _ := s.battles.Subscribe(live, -1)
		s.number[live] = sub.After()
	}
}

func TestToldOfPunishment(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "z")
	s.fight("b1", battle.Terms{Duration: 10 * time.Second, Punishment: 30 * time.Second}, "b")
	s.expect(
		"a: BattleEnded TIME_OVER ENDED winners b", "a: PunishmentStarted ENDED",
		"b: BattleEnded TIME_OVER ENDED winners b", "b: PunishmentStarted ENDED",
	)
	s.after(30 * time.Second)
	s.expect("a: PunishmentEnded TIME_OVER", "b: PunishmentEnded TIME_OVER")

	s.fight("b2", battle.Terms{Duration: 10 * time.Second, Punishment: 30 * time.Second}, "b", "c")
	s.skip()
	s.request("b3", "c", false, "z")
	s.expect("a: PunishmentEnded NEW_BATTLE", "b: PunishmentEnded NEW_BATTLE", "c: PunishmentEnded NEW_BATTLE", "c: BattleStarting STARTING", "z: BattleStarting STARTING")
}

func TestToldOfSeries(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "z")
	s.fight("s", battle.Terms{Duration: 10 * time.Second, NeedResponse: false, BestOf: 3}, "b", "c")
	s.expect(
		"a: BattleEnded TIME_OVER ENDED winners c", "b: BattleEnded TIME_OVER ENDED winners c", "c: BattleEnded TIME_OVER ENDED winners c",
	)
	s.do(battle.ExitBattle{BattleID: "s", LiveID: "a"})
	s.expect("a: UserExitBattle a JOINED EXITED", "b: UserExitBattle a JOINED EXITED", "c: UserExitBattle a JOINED EXITED")
	s.after(5 * time.Second)
	s.expect("b: BattleStarting STARTING", "c: BattleStarting STARTING") // nobody is asked
	s.rest("s-2")
	s.expect("b: BattleEnded TIME_OVER ENDED winners c", "c: BattleEnded TIME_OVER ENDED winners c")

	s.fight("t", battle.Terms{Duration: 10 * time.Second, BestOf: 3}, "b")
	s.skip()
	s.do(battle.LeaveBattle{LiveID: "b"})
	s.expect(
		"a: UserExitBattle b JOINED LEFT_CONNECTION", "a: SeriesEnded ENDED",
		"b: UserExitBattle b JOINED LEFT_CONNECTION", "b: SeriesEnded ENDED",
	)

	// Who has left the series and takes part in the punishment is told who else leaves.
	s.fight("p", battle.Terms{Duration: 10 * time.Second, BestOf: 3, Punishment: time.Minute}, "b", "c")
	s.do(battle.ExitBattle{BattleID: "p", LiveID: "a"})
	s.skip()
	s.do(battle.ExitBattle{BattleID: "p", LiveID: "b"})
	s.expect(
		"a: UserExitBattle b JOINED EXITED", "a: SeriesEnded ENDED", "b: UserExitBattle b JOINED EXITED", "b: SeriesEnded ENDED",
		"c: UserExitBattle b JOINED EXITED", "c: SeriesEnded ENDED",
	)
	s.after(time.Minute)
	s.skip()

	s.fight("u", battle.Terms{Duration: 10 * time.Second, BestOf: 3}, "c")
	s.skip()
	s.do(battle.EndBattle{BattleID: "u", Reason: "spam"})
	s.expect(`a: SeriesEnded ENDED "spam"`, `c: SeriesEnded ENDED "spam"`)
}

// The messages carry what a client needs: when it goes on, and who has won.
func TestSeriesInEvents(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	var told []*battlev1.Series
	watch := func() {
		sub, _ := s.battles.Subscribe("a", s.number["a"])
		_, e, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, e.GetBattleEnded().GetBattle().GetSeries())
	}
	terms := battle.Terms{Duration: 10 * time.Second, BestOf: 3}
	s.fight("s", terms, "b")
	watch()
	if next := told[0].GetNextRoundAt().AsTime(); told[0].GetDecided() || next != s.now.Add(5*time.Second) || len(told[0].GetWaitingLiveIds()) != 2 {
		t.Errorf("after the first round %v", told[0])
	}
	s.after(5 * time.Second)
	s.rest("s-2")
	watch()
	last := told[1]
	if !last.GetDecided() || last.GetWinner() != "b" || last.GetEndReason() != battlev1.Series_MAJORITY || last.GetRound() != 2 || last.GetNextRoundAt() != nil {
		t.Errorf("after the second round %v", last)
	}
	if b, _ := s.battles.Get("s"); b.Series.Next != "s-2" {
		t.Errorf("the first round %+v", b.Series)
	}
}

// A live that comes late sees the battle that it waits in, or whose punishment it takes part in.
func TestCurrentAfterTheEnd(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for _, live := range []string{"a", "b", "c"} {
			b, _ := s.battles.Current(live)
			got = append(got, b.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("current battles (-want +got):\n%s", diff)
		}
	}
	s.fight("b1", battle.Terms{Duration: 10 * time.Second, Punishment: 30 * time.Second}, "b")
	expect("b1", "b1", "")
	s.request("b2", "c", true, "b")
	expect("b1", "b2", "b2")
	s.do(battle.RejectBattle{BattleID: "b2", LiveID: "b"})
	expect("b1", "b1", "")
	s.after(30 * time.Second)
	expect("", "", "")
	s.fight("s", battle.Terms{Duration: 10 * time.Second, BestOf: 3}, "b")
	expect("s", "s", "")
	s.after(5 * time.Second)
	expect("s-2", "s-2", "")
}

// A battle that something is still to come of is not forgotten, however short the time that ended ones are kept.
func TestWhatLingersIsKept(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.fight("b1", battle.Terms{Duration: 10 * time.Second, Punishment: time.Minute}, "b")
	s.now = s.now.Add(2 * keep) // nobody has decided meanwhile
	s.request("b2", "c", true, "b")
	if b, ok := s.battles.Get("b1"); !ok || !b.Punishing() {
		t.Errorf("%+v, %v", b, ok)
	}
	s.after(0)
	if _, ok := s.battles.Get("b1"); ok {
		t.Error("it is kept for ever")
	}
}
