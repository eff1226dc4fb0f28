package check

import (
	"maps"
	"slices"
	"strings"
)

// Run is all that is known of a run.
type Run struct {
	// Logs by name, each with its groups from the first on.
	Logs  map[string][][]byte
	Ops   []Op
	Gifts []Gift
	// Sent are all gift events that callers sent; nil if that was not kept.
	Sent []Sent
	// Reads, Scores and Gifters are answers to questions.
	Reads []Read
	// Told is what lives were told.
	Told    []Told
	Scores  []Scores
	Gifters []Gifters
	// Complete: nobody has asked for anything but Ops.
	Complete bool
	// Presence is what else is known of hosts; nil if nothing is.
	Presence *Presence
	Limits   Limits
	// Rest holds the heads of the logs when faults stopped; nil if they did not.
	Rest map[string]uint64
	// Quiet: the run has come to rest, so nothing may be open.
	Quiet bool
}

// Report is what the checks say.
type Report struct {
	Findings Findings
	// Settled is how many battles were fought to the end.
	Settled int
	// Sizes counts connections by the most lives that they had.
	Sizes map[int]int
	// Became counts what became of battles: why they ended, that they were extended, that proposals lapsed; and of hosts.
	Became map[string]int
	// Spans are what deadlines brought.
	Spans []Span
}

// Check judges a run.
func Check(r Run) Report {
	var out Report
	f := &out.Findings
	cohost, battle, scores := readAll(f, r)
	scores.settled()
	scores.inputs(r)
	for _, result := range battle.results {
		if result != nil {
			out.Settled++
		}
	}
	if r.Presence != nil {
		silences(f, r.Presence, cohost, battle, r.Limits)
	}
	if r.Complete {
		requestedBy(f, r.Ops, cohost, battle, r.Limits)
	}
	a := answers{f, cohost, battle, r.Limits}
	for _, o := range r.Ops {
		a.check(o)
	}
	for _, g := range r.Gifts {
		scores.answered(g)
	}
	told := told{f, cohost, battle, scores, r.Limits}
	for _, x := range r.Reads {
		told.read(x)
	}
	for _, x := range r.Told {
		cohost.heard(f, x)
	}
	for _, x := range r.Scores {
		told.scores(x)
	}
	for _, x := range r.Gifters {
		told.gifters(x)
	}
	out.Sizes, out.Became = cohost.sizes, battle.became()
	cohost.hosts(out.Became)
	out.Spans = slices.Concat(cohost.spans, battle.spans)
	if r.Quiet {
		for _, x := range Open(r.Logs) {
			f.add(Stuck, "%s", x)
		}
	}
	return out
}

// readAll folds all logs and checks each by itself and against the others.
func readAll(f *Findings, r Run) (*cohostLog, *battleLog, *scoreLogs) {
	cohost := readCohost(f, r)
	battle := readBattle(f, r, cohost)
	scores := newScoreLogs(f, battle)
	for _, name := range slices.Sorted(maps.Keys(r.Logs)) {
		if strings.HasPrefix(name, "SCORE_") {
			scores.readLog(name, r.Logs[name])
		}
	}
	return cohost, battle, scores
}

// Open names what has not ended: invitations, battles and what follows them, lives of battles.
func Open(logs map[string][][]byte) []string {
	var ignored Findings
	var open []string
	cohost, battle, scores := readAll(&ignored, Run{Logs: logs})
	for p, i := range cohost.now().pending {
		open = append(open, "invitation "+i.id+" of "+p[0]+" to "+p[1]+" does not end")
	}
	for id, b := range battle.now().open {
		open = append(open, "battle "+id+" does not end; its phase is "+[...]string{"requested", "starting", "running", "settling"}[b.phase])
	}
	for id := range battle.now().after.punished {
		open = append(open, "the punishment of battle "+id+" does not end")
	}
	for id := range battle.now().after.rounds {
		open = append(open, "the series of battle "+id+" does not go on")
	}
	for key, r := range scores.rooms {
		if r.open {
			open = append(open, "live "+key[1]+" of battle "+key[0]+" does not close")
		}
	}
	slices.Sort(open)
	return open
}
