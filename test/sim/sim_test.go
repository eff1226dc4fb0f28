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
	told  = flag.Bool("sum", false, "print failing seeds at once, and a line of JSON at the end")
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
		total.add(r)
		if !*told {
			t.Logf("seed %d: %d faults, %d battles settled, %d tried, %d unknown, %d refused and done later by a late copy",
				seed, r.Faults, r.Settled, r.Tried, r.Unknown, r.Overtaken)
		}
		if len(r.Findings) == 0 {
			continue
		}
		line := fmt.Sprintf("make sim SEEDS=1 SEED=%d STEPS=%d # %d findings", seed, *steps, len(r.Findings))
		for _, f := range r.Findings[:min(3, len(r.Findings))] {
			line += fmt.Sprintf("; %s: %.300s", f.Class, f.Text)
		}
		if *told {
			fmt.Println(line)
			t.Fail()
		} else {
			t.Error(line)
		}
	}
}

func (s *sum) add(r sim.Result) {
	s.Runs++
	s.Faults += r.Faults
	s.Tried += r.Tried
	s.Acked += r.Acked
	s.Unknown += r.Unknown
	for _, f := range r.Findings {
		switch f.Class {
		case check.Lost:
			s.Lost++
		case check.Duplicated:
			s.Duplicated++
		case check.Stuck:
			s.Stuck++
		default:
			s.Violations++
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
