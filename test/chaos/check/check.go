// Package check judges a saved run: what clients were told against the logs, against what they sent, and against the
// clock. It reads files and nothing else, so that a better check can be tried on an old failure.
package check

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// History is the name of the file that has the history; beside it is one for each log, named as its stream.
const History = "history.jsonl"

// Report is what is said of a run.
type Report struct {
	Faults int // that were done to it

	// Commands and gifts, each once however often it was sent: all, those answered with ok or a verdict, and those that
	// nobody ever knew the outcome of.
	Tried, Acked, Unknown int
	// Acks counts the acknowledged commands by kind.
	Acks map[check.Kind]int
	// Calls are all calls; of these Unsure had no certain outcome.
	Calls, Unsure int
	// Settled is how many battles were fought to the end.
	Settled int

	Lost, Duplicated, Stuck int
	// Violations are all other findings.
	Violations []string
	// Details are what is lost, duplicated and stuck.
	Details []string
	// Inconclusive says why a run without findings proves nothing; empty if it proves something.
	Inconclusive string
}

// Green reports whether nothing was found.
func (r Report) Green() bool { return r.Lost+r.Duplicated+r.Stuck+len(r.Violations) == 0 }

// Dir judges the run that is saved in a directory.
func Dir(dir string) (Report, error) {
	records, err := history.Read(filepath.Join(dir, History))
	if err != nil {
		return Report{}, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_[0-9][0-9]"))
	if err != nil {
		return Report{}, err
	}
	logs := map[string][][]byte{}
	for _, file := range files {
		if logs[filepath.Base(file)], err = history.ReadGroups(file); err != nil {
			return Report{}, err
		}
	}
	for _, name := range []string{cohostLog, battleLog} {
		if logs[name] == nil {
			return Report{}, fmt.Errorf("%s has no log %s", dir, name)
		}
	}
	return judge(records, logs), nil
}

const (
	cohostLog = "COHOST_00"
	battleLog = "BATTLE_00"
)

// limits are the services' own, which no run changes. How long a proposal waits is not among them.
var limits = check.Limits{
	Members: 9, Pending: 100, LiveRate: 120, UserRate: 120, BattleLiveRate: 120, BattleUserRate: 120, LongestBattle: 3_600_000,
}

// run is a run as it is judged.
type run struct {
	Report
	logs  map[string][][]byte
	calls []attempt
	heads heads
	times times
	check check.Run
}

func judge(records []history.Record, logs map[string][][]byte) Report {
	r := &run{Report: Report{Acks: map[check.Kind]int{}}, logs: logs, calls: pair(records), heads: readHeads(records), times: readTimes(records)}
	r.Faults = r.times.faults
	r.check = check.Run{Logs: logs, Complete: true, Limits: limits, Quiet: r.times.quiet > 0}
	r.commands()
	r.gifts()
	r.questions()
	r.streams(records)
	r.atRest()
	r.heads.check(r)
	judged := check.Check(r.check)
	for _, f := range judged.Findings {
		r.found(f.Class, "%s", f.Text)
	}
	r.spans(judged.Spans)
	r.Settled = judged.Settled
	r.Inconclusive = r.inconclusive()
	return r.Report
}

func (r *run) found(c check.Class, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch c {
	case check.Lost:
		r.Lost++
	case check.Duplicated:
		r.Duplicated++
	case check.Stuck:
		r.Stuck++
	default:
		r.Violations = append(r.Violations, text)
		return
	}
	r.Details = append(r.Details, string(c)+": "+text)
}

// inconclusive says what a run must have had, and had not.
func (r *run) inconclusive() string {
	var missing []string
	counted := 0
	for _, g := range r.check.Gifts {
		counted += int(g.Verdict.GetPoints())
	}
	for _, x := range []struct {
		what string
		had  bool
	}{
		{"no fault was done", r.Faults > 0},
		{"no battle was settled", r.Settled > 0},
		{"no gift was counted", counted > 0},
		{"the length of the logs is not known", len(r.heads.polls) > 0},
		{"it was not brought to rest", r.times.quiet > 0},
	} {
		if !x.had {
			missing = append(missing, x.what)
		}
	}
	return strings.Join(missing, "; ")
}
