package sim_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faceoff-live/faceoff/test/sim"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

var (
	seeds = flag.Uint64("seeds", 4, "how many runs; 0: as many as fit into -for")
	first = flag.Uint64("seed", 1, "seed of the first")
	steps = flag.Int("steps", 250, "commands and gifts of each run")

	all    = flag.Bool("all", false, "make the runs in a process for each core, print failing seeds at once and a line of JSON at the end")
	within = flag.Duration("for", 0, "with -all: begin no run after this time")
	keep   = flag.String("keep", "", "with -all: directory for what failing runs leave")
	serve  = flag.Bool("serve", false, "make the runs whose seeds come line by line, and answer each with a line of JSON")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *all {
		os.Exit(runAll())
	}
	os.Exit(m.Run())
}

// TestSeeds makes a few short runs.
func TestSeeds(t *testing.T) {
	if *serve {
		serveRuns(t)
		return
	}
	snapshots := 0
	for n := range *seeds {
		r := run(t, *first+n)
		snapshots += r.Snapshots
		t.Logf("seed %d: %d faults, %d battles settled, %d snapshots used, %d tried, %d unknown",
			*first+n, r.Faults, r.Settled, r.Snapshots, r.Tried, r.Unknown)
		for _, f := range r.Findings {
			t.Errorf("seed %d: %s: %s", *first+n, f.Class, f.Text)
		}
		if t.Failed() {
			t.Log(r.Story)
		}
	}
	if snapshots == 0 {
		t.Error("no replica has started from a snapshot")
	}
}

// outcome is what a process says of one of its runs.
type outcome struct {
	Seed uint64
	sim.Result
}

func serveRuns(t *testing.T) {
	debug.SetGCPercent(-1) // a run makes some 80 MB of garbage; it is faster to collect it after the run
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		seed, err := strconv.ParseUint(in.Text(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(outcome{seed, run(t, seed)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%s\n", line)
		runtime.GC()
	}
}

// patience is real time; a run that takes more is held up.
const patience = 5 * time.Minute

// run makes one run in a bubble. A goroutine left behind, and a run that hangs, are findings too.
func run(t *testing.T, seed uint64) (r sim.Result) {
	alarm := time.AfterFunc(patience, func() {
		stacks := make([]byte, 1<<20)
		panic(fmt.Sprintf("seed %d: held up for %v\n%s", seed, patience, stacks[:runtime.Stack(stacks, true)]))
	})
	defer alarm.Stop()
	defer func() {
		if fault := recover(); fault != nil {
			r.Findings = append(r.Findings, check.Finding{Class: check.Violation, Text: fmt.Sprint("goroutines are left: ", fault)})
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = sim.Run(seed, *steps); err != nil {
			t.Error(err)
		}
	})
	return r
}
