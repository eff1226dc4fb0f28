package check

import (
	"slices"
	"strings"
)

// Run is all that is known of a run.
type Run struct {
	// Logs by name, each with its groups from the first on.
	Logs  map[string][][]byte
	Ops   []Op
	Gifts []Gift
	// Quiet: the run has come to rest, so nothing may be open.
	Quiet bool
}

// Report is what the checks say.
type Report struct {
	Findings Findings
	// Overtaken is how many commands were refused and afterwards done by a copy that was still under way.
	Overtaken int
	// Battles is how many were settled.
	Settled int
}

// Check judges a run.
func Check(r Run) Report {
	var out Report
	f := &out.Findings
	cohost := readCohost(f, r.Logs["COHOST_00"])
	battle := readBattle(f, r.Logs["BATTLE_00"], cohost)
	scores := newScoreLogs()
	var names []string
	for name := range r.Logs {
		if strings.HasPrefix(name, "SCORE_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		readScore(f, scores, name, r.Logs[name])
	}
	scores.settled(f, battle)
	for _, result := range battle.results {
		if result != nil {
			out.Settled++
		}
	}
	a := answers{f, cohost, battle}
	for _, o := range r.Ops {
		a.check(o)
		if a.overtaken(o) {
			out.Overtaken++
		}
	}
	for _, g := range r.Gifts {
		scores.answered(f, g)
	}
	if r.Quiet {
		for _, x := range Open(r.Logs) {
			f.add(Stuck, "%s", x)
		}
	}
	return out
}

// Open names what has not ended: invitations, battles, lives of battles.
func Open(logs map[string][][]byte) []string {
	var ignored Findings
	var open []string
	cohost := readCohost(&ignored, logs["COHOST_00"])
	for p, id := range cohost.now().pending {
		open = append(open, "invitation "+id+" of "+p[0]+" to "+p[1]+" does not end")
	}
	battle := readBattle(&ignored, logs["BATTLE_00"], cohost)
	for id, b := range battle.now().open {
		open = append(open, "battle "+id+" does not end; its phase is "+[...]string{"requested", "starting", "running", "settling"}[b.phase])
	}
	scores := newScoreLogs()
	for name, groups := range logs {
		if strings.HasPrefix(name, "SCORE_") {
			readScore(&ignored, scores, name, groups)
		}
	}
	for key, r := range scores.rooms {
		if r.open {
			open = append(open, "live "+key[1]+" of battle "+key[0]+" does not close")
		}
	}
	slices.Sort(open)
	return open
}
