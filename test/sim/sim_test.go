package sim_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faceoff-live/faceoff/test/sim"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

var (
	seeds = flag.Int("seeds", 4, "how many runs")
	first = flag.Uint64("seed", 1, "seed of the first")
	steps = flag.Int("steps", 250, "commands and gifts of each run")
	told  = flag.Bool("sum", false, "end with a line of JSON")
)

// sum is the last line of make sim.
type sum struct {
	Runs       int `json:"runs"`
	Faults     int `json:"faults"`
	Tried      int `json:"tried"`
	Acked      int `json:"acked"`
	Unknown    int `json:"unknown"`
	Lost       int `json:"lost"`
	Duplicated int `json:"duplicated"`
	Stuck      int `json:"stuck"`
	Violations int `json:"violations"`
}

var total sum

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if *told {
		line, err := json.Marshal(total)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
	os.Exit(code)
}

// patience is real time; a run that takes more is held up.
const patience = 5 * time.Minute

func TestSeeds(t *testing.T) {
	for n := range uint64(*seeds) {
		seed := *first + n
		r := run(t, seed)
		total.Runs++
		total.Faults += r.Faults
		total.Tried += r.Tried
		total.Acked += r.Acked
		total.Unknown += r.Unknown
		t.Logf("seed %d: %d battles settled, %d refused and done by a late copy: %d faults, %d tried, %d unknown", seed, r.Settled, r.Overtaken, r.Faults, r.Tried, r.Unknown)
		for i, f := range r.Findings {
			switch f.Class {
			case check.Lost:
				total.Lost++
			case check.Duplicated:
				total.Duplicated++
			case check.Stuck:
				total.Stuck++
			default:
				total.Violations++
			}
			if i < 5 {
				t.Logf("  %s: %s", f.Class, f.Text)
			}
		}
		if len(r.Findings) > 0 {
			t.Errorf("seed %d: %d findings; repeat it with: make sim SEEDS=1 SEED=%d STEPS=%d", seed, len(r.Findings), seed, *steps)
		}
	}
}

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
