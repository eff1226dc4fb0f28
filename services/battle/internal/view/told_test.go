package view_test

import (
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// All lives of a battle are told of each step of a proposal, and what comes of it.
func TestToldOfProposals(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "z")
	s.run("b1", "a", "b")
	s.skip()
	s.do(battle.ExtendBattle{BattleID: "b1", LiveID: "a", By: time.Minute})
	s.expect("a: BattleProposal a JOINED MADE EXTEND 60 by a", "b: BattleProposal a JOINED MADE EXTEND 60 by a")
	s.do(battle.ExtendBattle{BattleID: "b1", LiveID: "b", By: time.Minute})
	s.expect(
		"a: BattleProposal b JOINED CONSENTED EXTEND 60 by a,b", "a: BattleExtended RUNNING by 60",
		"b: BattleProposal b JOINED CONSENTED EXTEND 60 by a,b", "b: BattleExtended RUNNING by 60",
	)
	s.do(battle.EndBattle{BattleID: "b1", LiveID: "b", Reason: "tired"})
	s.told("a", "b")
	s.after(10 * time.Second)
	s.expect("a: BattleProposal LAPSED END 0 by b", "b: BattleProposal LAPSED END 0 by b")
	s.do(battle.EndBattle{BattleID: "b1", Reason: "spam"})
	s.expect("a: BattleSettling TERMINATED SETTLING", "b: BattleSettling TERMINATED SETTLING")
	s.close("b1", "a", "b")
	s.expect(`a: BattleEnded TERMINATED ENDED "spam" winners b`, `b: BattleEnded TERMINATED ENDED "spam" winners b`)
}

// A proposal that is open when the battle ends lapses with it, unless it is the one that ends it. Who has left is not told.
func TestToldOfProposalsAtTheEnd(t *testing.T) {
	t.Parallel()
	const byA, toEnd = "BattleProposal LAPSED EXTEND 60 by a", "BattleProposal LAPSED END 0 by b"
	all := func(told ...string) (want []string) {
		for _, live := range []string{"a", "b", "c"} {
			for _, what := range told {
				want = append(want, live+": "+what)
			}
		}
		return want
	}
	for name, row := range map[string]struct {
		end  func(s *story)
		want []string
	}{
		"time over":  {func(s *story) { s.after(5 * time.Second) }, all(byA, toEnd, "BattleSettling TIME_OVER SETTLING")},
		"terminated": {func(s *story) { s.do(battle.EndBattle{BattleID: "b1"}) }, all(byA, toEnd, "BattleSettling TERMINATED SETTLING")},
		"voided":     {func(s *story) { s.do(battle.VoidBattle{BattleID: "b1"}) }, all(byA, toEnd, "BattleEnded VOIDED ENDED")},
		"forfeit": {
			func(s *story) {
				s.do(battle.ExitBattle{BattleID: "b1", LiveID: "a"})
				s.skip()
				s.do(battle.ExitBattle{BattleID: "b1", LiveID: "b"})
			},
			[]string{"b: UserExitBattle b EXITED EXITED", "c: UserExitBattle b EXITED EXITED", "c: " + byA, "c: " + toEnd, "c: BattleSettling FORFEIT SETTLING"},
		},
		"cut short": {
			func(s *story) {
				s.do(battle.EndBattle{BattleID: "b1", LiveID: "a"})
				s.skip()
				s.do(battle.EndBattle{BattleID: "b1", LiveID: "c"})
			},
			all("BattleProposal c JOINED CONSENTED END 0 by b,a,c", byA, "BattleSettling CUT_SHORT SETTLING"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, "a", "b", "c", "z")
			s.run("b1", "a", "b", "c")
			b, _ := s.battles.Get("b1")
			s.after(b.EndsAt.Sub(s.now) - 5*time.Second)
			s.do(battle.ExtendBattle{BattleID: "b1", LiveID: "a", By: time.Minute})
			s.do(battle.EndBattle{BattleID: "b1", LiveID: "b"})
			s.skip()
			row.end(s)
			s.expect(row.want...)
		})
	}
}

// Whoever was asked to a battle that an admin voids is told, and that the request is gone if it had not started.
func TestToldOfVoids(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "z")
	s.request("b1", "a", true, "b", "c")
	s.do(battle.RejectBattle{BattleID: "b1", LiveID: "c"})
	s.told("a", "b", "c")
	s.do(battle.VoidBattle{BattleID: "b1", Reason: "fraud"})
	s.expect(
		`a: BattleEnded VOIDED ENDED "fraud"`,
		"b: BattleRequestCancelled by a b INVITED", `b: BattleEnded VOIDED ENDED "fraud"`,
		`c: BattleEnded VOIDED ENDED "fraud"`,
	)
	s.run("b2", "a", "b")
	s.skip()
	s.do(battle.VoidBattle{BattleID: "b2"})
	s.expect("a: BattleEnded VOIDED ENDED", "b: BattleEnded VOIDED ENDED")
}
