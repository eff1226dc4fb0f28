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
	s.told("a", "b")
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
	s.expect()
	s.close("b1", "a", "b")
	s.expect(`a: BattleEnded TERMINATED ENDED "spam" winners b`, `b: BattleEnded TERMINATED ENDED "spam" winners b`)
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
	s.told("a", "b", "c")
	s.do(battle.VoidBattle{BattleID: "b2"})
	s.expect("a: BattleEnded VOIDED ENDED", "b: BattleEnded VOIDED ENDED")
}
