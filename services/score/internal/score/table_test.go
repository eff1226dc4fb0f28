package score_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

type (
	row   = estest.Row[score.Command, score.Event]
	event = score.Event
)

var (
	t0     = estest.T0
	starts = t0.Add(time.Second)
	ends   = starts.Add(10 * time.Second)
	hosts  = []score.Participant{{LiveID: "live", Host: score.User{ID: "anna"}}, {LiveID: "other", Host: score.User{ID: "ben"}}}
	opened = score.LiveOpened{BattleID: "b1", LiveID: "live", StartsAt: starts, EndsAt: ends, RuleSet: rules.Default, Participants: hosts[:1]}
	closed = score.LiveClosed{BattleID: "b1", LiveID: "live"}
)

func settings() score.Settings {
	return score.Settings{
		Partitions: 1, MaxAge: 24 * time.Hour, MaxAhead: 5 * time.Minute, LateWindow: 10 * time.Second, MaxIDs: 1000,
		KeepBoards: time.Hour, Rules: rules.Book,
	}
}

func machine() es.Machine[score.Command, score.Event] { return score.New(settings()) }

// state of the table: what was before, and when the event comes.
type state struct {
	given []event
	now   time.Time
	// ends is what T says; the first end if zero.
	ends time.Time
}

var (
	newEnds     = ends.Add(time.Minute)
	extended    = score.LiveExtended{BattleID: "b1", LiveID: "live", EndsAt: newEnds}
	rescheduled = score.CloseScheduled{BattleID: "b1", LiveID: "live", At: newEnds}
	scheduled   = score.CloseScheduled{BattleID: "b1", LiveID: "live", At: ends}
	inBattle    = starts.Add(5 * time.Second)
	afterEnd    = ends.Add(time.Second)
	afterVoid   = score.LiveVoided{BattleID: "b1", LiveID: "live"}
	reopened    = score.LiveReopened{BattleID: "b1", LiveID: "live", EndsAt: newEnds, Rejoins: 1}
	settled     = score.BattleSettled{BattleID: "b1", LiveID: "live"}
	reported    = score.LiveReported{BattleID: "b1", LiveID: "live"}
	tombstoned  = score.LiveTombstoned{BattleID: "b1", LiveID: "live"}
	cannotOpen  = score.LiveTombstoned{BattleID: "b1", LiveID: "live", Plays: true}
	tableGift   = score.Gift{EventID: "g", Sender: score.User{ID: "u"}, GiftID: "rose", Category: score.Basic, UnitValue: 10, Count: 1, Hash: 7}
)

var states = map[string]state{
	"not open":          {given: nil, now: inBattle},
	"open before start": {given: []event{opened}, now: starts.Add(-time.Millisecond)},
	"open":              {given: []event{opened}, now: inBattle},
	"past end":          {given: []event{opened}, now: afterEnd},
	"extended":          {given: []event{opened, extended}, now: afterEnd, ends: newEnds},
	"past new end":      {given: []event{opened, extended}, now: newEnds, ends: newEnds},
	"close scheduled":   {given: []event{opened, scheduled}, now: inBattle},
	"close due":         {given: []event{opened, scheduled}, now: afterEnd},
	"closed":            {given: []event{opened, closed}, now: afterEnd},
	"reopened":          {given: []event{opened, closed, reopened}, now: afterEnd, ends: newEnds},
	"reported":          {given: []event{opened, closed, reported}, now: afterEnd},
	"settled":           {given: []event{opened, closed, settled}, now: afterEnd},
	"tombstoned":        {given: []event{tombstoned}, now: inBattle},
	"cannot open":       {given: []event{cannotOpen}, now: inBattle},
	"void":              {given: []event{opened, afterVoid}, now: afterEnd},
}

var position = score.Position{Sequence: 9}

func read(facts ...score.Fact) score.ReadBattle {
	return score.ReadBattle{Position: position, Facts: facts}
}

// columns are the commands of the table.
func columns(now, until time.Time) map[string]score.Command {
	if until.IsZero() {
		until = ends
	}
	gift := tableGift
	gift.SentAt = now
	return map[string]score.Command{
		"S": read(score.BattleStarting{BattleID: "b1", StartsAt: starts, EndsAt: ends, Participants: hosts[:1]}),
		"S'": read(score.BattleStarting{
			BattleID: "b2", StartsAt: starts.Add(time.Minute), EndsAt: ends.Add(time.Minute), Participants: hosts[:1],
		}),
		"R":     read(score.BattleRuns{BattleID: "b1"}),
		"X":     read(score.UserExited{BattleID: "b1", LiveID: "live"}),
		"J":     read(score.UserRejoined{BattleID: "b1", LiveID: "live", EndsAt: newEnds, Rejoins: 1}),
		"D":     read(score.BattleExtended{BattleID: "b1", EndsAt: newEnds}),
		"C":     read(score.TotalRecorded{BattleID: "b1", LiveID: "live"}),
		"T":     read(score.BattleEnding{BattleID: "b1", TimeOver: true, EndsAt: until}),
		"E":     read(score.BattleEnding{BattleID: "b1"}),
		"W":     read(score.BattleEnded{BattleID: "b1", Settled: true}),
		"V":     read(score.BattleEnded{BattleID: "b1"}),
		"G":     score.CountGifts{LiveID: "live", Gifts: []score.Gift{gift}, Fresh: true},
		"timer": score.Advance{LiveID: "live"},
	}
}

// outcomes are the words of the table's cells.
func outcomes(now time.Time) map[string][]event {
	gift := tableGift
	gift.SentAt = now
	second := opened
	second.BattleID, second.StartsAt, second.EndsAt = "b2", starts.Add(time.Minute), ends.Add(time.Minute)
	return map[string][]event{
		"–":          nil,
		"opens":      {opened},
		"opens'":     {second},
		"tombstone":  {tombstoned},
		"tombstone'": {score.LiveTombstoned{BattleID: "b2", LiveID: "live", Plays: true}},
		"reported":   {reported},
		"started":    {score.BattleStarted{BattleID: "b1", LiveID: "live"}},
		"schedules":  {scheduled},
		"schedules'": {rescheduled},
		"extends":    {extended},
		"closes":     {closed},
		"reopens":    {reopened},
		"settled":    {settled},
		"void":       {afterVoid},
		"NO_BATTLE":  nil,
		"COUNTED":    {score.GiftDecided{LiveID: "live", Gift: gift, Verdict: score.Counted, Points: 50, BattleID: "b1"}},
		"LATE":       {score.GiftDecided{LiveID: "live", Gift: gift, Verdict: score.Late, BattleID: "b1"}},
		"waits":      nil,
	}
}

// TestTable tests every cell of the table in the service's README.
func TestTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "<!-- table -->")
	table, _, _ = strings.Cut(table, "<!-- /table -->")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) != len(states)+2 {
		t.Fatalf("the table has %d lines; want a head, a rule and %d states", len(lines), len(states))
	}
	head := cells(lines[0])
	var rows []row
	for _, line := range lines[2:] {
		words := cells(line)
		s, ok := states[words[0]]
		if !ok || len(words) != len(head) {
			t.Fatalf("unknown state or missing cells: %s", line)
		}
		for i, word := range words[1:] {
			column := head[i+1]
			when, ok := columns(s.now, s.ends)[column]
			if !ok {
				t.Fatalf("unknown event %q", column)
			}
			rows = append(rows, row{
				Name: words[0] + "/" + column, Given: s.given, Now: s.now, When: when, Then: then(t, s.now, when, word), Later: word == "waits",
			})
		}
	}
	estest.Run(t, machine, score.Events, rows)
}

func then(t *testing.T, now time.Time, when score.Command, words string) []event {
	t.Helper()
	var events []event
	if r, ok := when.(score.ReadBattle); ok {
		events = append(events, score.BattleRead{Position: r.Position})
	}
	for word := range strings.SplitSeq(words, ", ") {
		outcome, ok := outcomes(now)[word]
		if !ok {
			t.Fatalf("unknown outcome %q", word)
		}
		events = append(events, outcome...)
	}
	return events
}

func cells(line string) []string {
	parts := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
