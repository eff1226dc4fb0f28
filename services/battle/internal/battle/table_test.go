package battle_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

var phases = []string{"NONE", "REQUESTED", "STARTING", "RUNNING", "SETTLING", "ENDED"}

// inPhase is the history of a battle between a (the inviter), b and c.
func inPhase(phase string) history {
	switch phase {
	case "REQUESTED":
		return requested("a", "b", "c")
	case "STARTING":
		return starting("a", "b", "c")
	case "RUNNING":
		return running("a", "b", "c")
	case "SETTLING":
		return settling("a", "b", "c")
	case "ENDED":
		return ended("a", "b", "c")
	}
	return connect("x", "a", "b", "c")
}

// Columns of the table that every phase has an answer to. Live b is an invitee, live z is not part of the battle.
var columns = []string{
	"RequestBattle by a member", "Rematch", "AcceptBattle", "RejectBattle", "CancelBattleRequest by the inviter", "CancelBattleRequest by an invitee",
	"ExitBattle", "RejoinBattle", "EndBattle by a member", "EndBattle by an admin", "ExtendBattle by a member", "ExtendBattle by an admin", "VoidBattle", "LeaveBattle", "ReadCohost left", "ReadCohost joined", "ReportOpened", "ReportClosed", "Advance early", "Advance at the deadline",
	"by a stranger", "AsHost by an older session",
}

var gone = departed("b")

var (
	toEnd    = battle.Subject{Kind: battle.ProposalEnd}
	toExtend = battle.Subject{Kind: battle.ProposalExtend, By: time.Minute}
)

var (
	newcomer     = battle.ReadCohost{Sequence: 9, Facts: []battle.ConnectionFact{{ConnectionID: "x", Live: live("z")}}}
	newcomerRead = history{battle.CohostRead{Sequence: 9}, joined("x", "z")}
)

// cells is the table phase x command of services/battle/README.md.
var cells = map[string][]row{
	"NONE": {
		{Name: "RequestBattle by a member", When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
		{Name: "Rematch", When: rematch("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "AcceptBattle", When: accept("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "RejectBattle", When: reject("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "CancelBattleRequest by the inviter", When: cancel("a"), Reason: battle.ReasonBattleNotFound},
		{Name: "CancelBattleRequest by an invitee", When: cancel("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "ExitBattle", When: exit("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "RejoinBattle", When: rejoin("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "EndBattle by a member", When: endNow("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "EndBattle by an admin", When: endNow(""), Reason: battle.ReasonBattleNotFound},
		{Name: "ExtendBattle by a member", When: extend("b", time.Minute), Reason: battle.ReasonBattleNotFound},
		{Name: "ExtendBattle by an admin", When: extend("", time.Minute), Reason: battle.ReasonBattleNotFound},
		{Name: "VoidBattle", When: void, Reason: battle.ReasonBattleNotFound},
		{Name: "LeaveBattle", When: leave("b")},
		{Name: "ReadCohost left", When: departs(battle.ExitLeftConnection, "b"), Then: gone},
		{Name: "ReadCohost joined", When: newcomer, Then: newcomerRead},
		{Name: "ReportOpened", When: reportOpened("b"), Reason: battle.ReasonBattleNotFound},
		{Name: "ReportClosed", When: reportClosed("b", 5), Reason: battle.ReasonBattleNotFound},
		{Name: "Advance early", When: advance},
		{Name: "Advance at the deadline", Now: endsAt, When: advance},
		{Name: "by a stranger", When: exit("z"), Reason: battle.ReasonBattleNotFound},
		{Name: "AsHost by an older session", Given: sessions("b", 2), When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
	},
	"REQUESTED": {
		{Name: "RequestBattle by a member", When: request("b", "a"), Reason: battle.ReasonBattleRequestPending},
		{Name: "Rematch", When: rematch("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "AcceptBattle", When: accept("b"), Then: history{accepted("b")}},
		{
			Name: "RejectBattle", When: battle.RejectBattle{BattleID: "b1", LiveID: "b", Reason: "later"},
			Then: history{battle.InviteeAnswered{BattleID: "b1", LiveID: "b", Answer: battle.AnswerRejected, Reason: "later"}},
		},
		{Name: "CancelBattleRequest by the inviter", When: cancel("a"), Then: history{never(battle.NeverCancelled)}},
		{Name: "CancelBattleRequest by an invitee", When: cancel("b"), Reason: battle.ReasonBattleNotStartedByLive},
		{Name: "ExitBattle", When: exit("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "RejoinBattle", When: rejoin("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "EndBattle by a member", When: endNow("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "EndBattle by an admin", When: endNow(""), Then: history{endedAs(battle.EndTerminated)}},
		{Name: "ExtendBattle by a member", When: extend("b", time.Minute), Reason: battle.ReasonBattleNotStarted},
		{Name: "ExtendBattle by an admin", When: extend("", time.Minute), Reason: battle.ReasonBattleNotStarted},
		{Name: "VoidBattle", When: void, Then: history{endedAs(battle.EndVoided)}},
		{Name: "LeaveBattle", When: leave("b"), Then: history{exited("b", battle.ExitLeftConnection)}},
		{Name: "ReadCohost left", When: departs(battle.ExitLiveEnded, "b"), Then: then(gone, exited("b", battle.ExitLiveEnded))},
		{Name: "ReadCohost joined", When: newcomer, Then: newcomerRead},
		{Name: "ReportOpened", When: reportOpened("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "ReportClosed", When: reportClosed("b", 5), Reason: battle.ReasonBattleNotStarted},
		{Name: "Advance early", Now: before(expiresAt), When: advance},
		{Name: "Advance at the deadline", Now: expiresAt, When: advance, Then: history{timedOut("b"), timedOut("c"), never(battle.NeverTimedOut)}},
		{Name: "by a stranger", When: accept("z"), Reason: battle.ReasonNotInBattle},
		{Name: "AsHost by an older session", Given: sessions("b", 2), When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
	},
	"STARTING": {
		{Name: "RequestBattle by a member", When: request("b", "a"), Reason: battle.ReasonInOtherBattle},
		{Name: "Rematch", When: rematch("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "AcceptBattle", When: accept("b")},
		{Name: "RejectBattle", When: reject("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "CancelBattleRequest by the inviter", When: cancel("a"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "CancelBattleRequest by an invitee", When: cancel("b"), Reason: battle.ReasonBattleNotStartedByLive},
		{Name: "ExitBattle", When: exit("b"), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "RejoinBattle", When: rejoin("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "EndBattle by a member", When: endNow("b"), Reason: battle.ReasonBattleNotStarted},
		{Name: "EndBattle by an admin", When: endNow(""), Then: history{endedAs(battle.EndTerminated)}},
		{Name: "ExtendBattle by a member", When: extend("b", time.Minute), Reason: battle.ReasonBattleNotStarted},
		{Name: "ExtendBattle by an admin", When: extend("", time.Minute), Reason: battle.ReasonBattleNotStarted},
		{Name: "VoidBattle", When: void, Then: history{endedAs(battle.EndVoided)}},
		{Name: "LeaveBattle", When: leave("b"), Then: history{exited("b", battle.ExitLeftConnection)}},
		{Name: "ReadCohost left", When: departs(battle.ExitLost, "b"), Then: then(gone, exited("b", battle.ExitLost))},
		{Name: "ReadCohost joined", When: newcomer, Then: newcomerRead},
		{Name: "ReportOpened", When: reportOpened("b"), Then: history{opened("b")}},
		{Name: "ReportClosed", When: reportClosed("b", 5), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "Advance early", Now: before(abortAt), When: advance},
		{Name: "Advance at the deadline", Now: abortAt, When: advance, Then: history{never(battle.NeverAborted)}},
		{Name: "by a stranger", When: reportOpened("z"), Reason: battle.ReasonNotInBattle},
		{Name: "AsHost by an older session", Given: sessions("b", 2), When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
	},
	"RUNNING": {
		{Name: "RequestBattle by a member", When: request("b", "a"), Reason: battle.ReasonInOtherBattle},
		{Name: "Rematch", When: rematch("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "AcceptBattle", When: accept("b")},
		{Name: "RejectBattle", When: reject("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "CancelBattleRequest by the inviter", When: cancel("a"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "CancelBattleRequest by an invitee", When: cancel("b"), Reason: battle.ReasonBattleNotStartedByLive},
		{Name: "ExitBattle", When: exit("b"), Then: history{exited("b", battle.ExitByHost)}},
		{Name: "RejoinBattle", When: rejoin("b")},
		{Name: "EndBattle by a member", When: endNow("b"), Then: history{proposed("b", toEnd)}},
		{Name: "EndBattle by an admin", When: endNow(""), Then: history{ending(battle.EndTerminated)}},
		{Name: "ExtendBattle by a member", When: extend("b", time.Minute), Then: history{proposed("b", toExtend)}},
		{Name: "ExtendBattle by an admin", When: extend("", time.Minute), Then: history{extended(time.Minute)}},
		{Name: "VoidBattle", When: void, Then: history{endedAs(battle.EndVoided)}},
		{Name: "LeaveBattle", When: leave("b"), Then: history{exited("b", battle.ExitLeftConnection)}},
		{Name: "ReadCohost left", When: departs(battle.ExitLiveEnded, "b"), Then: then(gone, exited("b", battle.ExitLiveEnded))},
		{Name: "ReadCohost joined", When: newcomer, Then: newcomerRead},
		{Name: "ReportOpened", When: reportOpened("b")},
		{Name: "ReportClosed", When: reportClosed("b", 5), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "Advance early", Now: before(endsAt), When: advance},
		{Name: "Advance at the deadline", Now: endsAt, When: advance, Then: history{timeOver()}},
		{Name: "by a stranger", When: exit("z"), Reason: battle.ReasonNotInBattle},
		{Name: "AsHost by an older session", Given: sessions("b", 2), When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
	},
	"SETTLING": {
		{Name: "RequestBattle by a member", When: request("b", "a"), Reason: battle.ReasonInOtherBattle},
		{Name: "Rematch", When: rematch("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "AcceptBattle", When: accept("b")},
		{Name: "RejectBattle", When: reject("b"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "CancelBattleRequest by the inviter", When: cancel("a"), Reason: battle.ReasonBattleAlreadyRunning},
		{Name: "CancelBattleRequest by an invitee", When: cancel("b"), Reason: battle.ReasonBattleNotStartedByLive},
		{Name: "ExitBattle", When: exit("b")},
		{Name: "RejoinBattle", When: rejoin("b")},
		{Name: "EndBattle by a member", When: endNow("b")},
		{Name: "EndBattle by an admin", When: endNow("")},
		{Name: "ExtendBattle by a member", When: extend("b", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "ExtendBattle by an admin", When: extend("", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "VoidBattle", When: void, Then: history{endedAs(battle.EndVoided)}},
		{Name: "LeaveBattle", When: leave("b")},
		{Name: "ReadCohost left", When: departs(battle.ExitLiveEnded, "b"), Then: gone},
		{Name: "ReadCohost joined", When: newcomer, Then: newcomerRead},
		{Name: "ReportOpened", When: reportOpened("b")},
		{Name: "ReportClosed", When: reportClosed("b", 5), Then: history{closedWith("b", 5)}},
		{Name: "Advance early", Now: before(endsAt), When: advance},
		{Name: "Advance at the deadline", Now: endsAt.Add(time.Hour), When: advance},
		{Name: "by a stranger", When: reportClosed("z", 5), Reason: battle.ReasonNotInBattle},
		{Name: "AsHost by an older session", Given: sessions("b", 2), When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
	},
	"ENDED": {
		{Name: "RequestBattle by a member", When: request("a", "b"), Then: history{requestOf("b2", "a", "b")}},
		{Name: "Rematch", When: rematch("b"), Then: history{rematchOf("b", "a", "c")}},
		{Name: "AcceptBattle", When: accept("b"), Reason: battle.ReasonBattleEnded},
		{Name: "RejectBattle", When: reject("b"), Reason: battle.ReasonBattleEnded},
		{Name: "CancelBattleRequest by the inviter", When: cancel("a"), Reason: battle.ReasonBattleEnded},
		{Name: "CancelBattleRequest by an invitee", When: cancel("b"), Reason: battle.ReasonBattleEnded},
		{Name: "ExitBattle", When: exit("b"), Reason: battle.ReasonBattleEnded},
		{Name: "RejoinBattle", When: rejoin("b"), Reason: battle.ReasonBattleEnded},
		{Name: "EndBattle by a member", When: endNow("b"), Reason: battle.ReasonBattleEnded},
		{Name: "EndBattle by an admin", When: endNow(""), Reason: battle.ReasonBattleEnded},
		{Name: "ExtendBattle by a member", When: extend("b", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "ExtendBattle by an admin", When: extend("", time.Minute), Reason: battle.ReasonBattleEnded},
		{Name: "VoidBattle", When: void, Reason: battle.ReasonBattleEnded},
		{Name: "LeaveBattle", When: leave("b")},
		{Name: "ReadCohost left", When: departs(battle.ExitLiveEnded, "b"), Then: gone},
		{Name: "ReadCohost joined", When: newcomer, Then: newcomerRead},
		{Name: "ReportOpened", When: reportOpened("b")},
		{Name: "ReportClosed", When: reportClosed("b", 2)},
		{Name: "Advance early", When: advance},
		{Name: "Advance at the deadline", Now: endsAt.Add(time.Hour), When: advance},
		{Name: "by a stranger", When: exit("z"), Reason: battle.ReasonBattleEnded},
		{Name: "AsHost by an older session", Given: sessions("b", 2), When: inSession("b", "s1", exit("b")), Reason: battle.ReasonSuperseded},
	},
}

func before(t time.Time) time.Time { return t.Add(-time.Millisecond) }

func TestEveryCellOfTheTable(t *testing.T) {
	t.Parallel()
	for _, phase := range phases {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			var have []string
			rows := slices.Clone(cells[phase])
			for i := range rows {
				have = append(have, rows[i].Name)
				rows[i].Given = slices.Concat(inPhase(phase), rows[i].Given)
			}
			if !slices.Equal(have, columns) {
				t.Fatalf("cells of %s are\n%s\nwant\n%s", phase, strings.Join(have, "\n"), strings.Join(columns, "\n"))
			}
			estest.Run(t, newMachine, nil, rows)
		})
	}
}

// The table in the README says what the cells say, word for word.
func TestReadmeHasTheTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- table -->\n")
	table, _, found := strings.Cut(rest, "<!-- /table -->")
	if want := readmeTable(); !found || table != want {
		t.Errorf("the table of the README must be\n%s", want)
	}
}

func readmeTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| command | %s |\n|%s\n", strings.Join(phases, " | "), strings.Repeat(" --- |", len(phases)+1))
	for i, column := range columns {
		fmt.Fprintf(&b, "| %s |", column)
		for _, phase := range phases {
			fmt.Fprintf(&b, " %s |", describe(cells[phase][i]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func describe(cell row) string {
	if cell.Reason != "" {
		return "`" + cell.Reason + "`"
	}
	var said []string
	for _, e := range cell.Then {
		name := strings.TrimPrefix(fmt.Sprintf("%T", e), "battle.")
		if x, ok := e.(battle.BattleEnded); ok && x.Result == nil {
			name += " " + map[battle.EndReason]string{
				battle.EndNeverStarted: "never started", battle.EndTerminated: "terminated", battle.EndVoided: "voided",
			}[x.Reason]
		}
		if len(said) == 0 || said[len(said)-1] != name {
			said = append(said, name)
		}
	}
	if len(said) == 0 {
		return "–"
	}
	return strings.Join(said, ", ")
}

// A new command must be given a column.
func TestEveryCommandHasAColumn(t *testing.T) {
	t.Parallel()
	for _, c := range battle.Commands() {
		name := strings.TrimPrefix(fmt.Sprintf("%T", c), "battle.")
		if !slices.ContainsFunc(columns, func(column string) bool { return strings.HasPrefix(column, name) }) {
			t.Errorf("%s has no column", name)
		}
	}
}
