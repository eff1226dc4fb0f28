package sim_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/test/sim"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// sum is the last line of make sim.
type sum struct {
	Runs       int     `json:"runs"`
	Seconds    float64 `json:"seconds"`
	Faults     int     `json:"faults"`
	Tried      int     `json:"tried"`
	Acked      int     `json:"acked"`
	Unknown    int     `json:"unknown"`
	Settled    int     `json:"settled"`
	Snapshots  int     `json:"snapshots"`
	Lost       int     `json:"lost"`
	Duplicated int     `json:"duplicated"`
	Stuck      int     `json:"stuck"`
	Violations int     `json:"violations"`
	// Commands that were done, and what became of battles.
	Done   map[string]int `json:"done"`
	Became map[string]int `json:"became"`
	// Sizes of connections, and reasons of refusals, with how often they were.
	Sizes    map[int]int    `json:"sizes"`
	Refusals map[string]int `json:"refusals"`
}

func (s *sum) add(r sim.Result) {
	s.Runs++
	s.Faults += r.Faults
	s.Tried += r.Tried
	s.Acked += r.Acked
	s.Unknown += r.Unknown
	s.Settled += r.Settled
	s.Snapshots += r.Snapshots
	for size, n := range r.Sizes {
		s.Sizes[size] += n
	}
	for kind, n := range r.Done {
		s.Done[kind] += n
	}
	for what, n := range r.Became {
		s.Became[what] += n
	}
	for reason, n := range r.Refusals {
		s.Refusals[reason] += n
	}
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

// many runs are enough to tell what the callers come to.
const many = 50

// runAll makes all runs in processes of one thread each: handing goroutines of one bubble from core to core costs more than
// a second core gives. It returns the exit code.
func runAll() int {
	began := time.Now()
	var mu sync.Mutex
	total := sum{Done: map[string]int{}, Became: map[string]int{}, Sizes: map[int]int{}, Refusals: map[string]int{}}
	failed := false
	next := *first
	draw := func() (seed uint64, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if *seeds > 0 && next-*first >= *seeds || *within > 0 && time.Since(began) >= *within {
			return 0, false
		}
		next++
		return next - 1, true
	}
	tell := func(o outcome) {
		mu.Lock()
		defer mu.Unlock()
		total.add(o.Result)
		if len(o.Findings) > 0 {
			failed = true
			fmt.Println(o.line())
		}
	}
	var working sync.WaitGroup
	for range runtime.NumCPU() {
		working.Go(func() {
			for work(draw, tell) {
			}
		})
	}
	working.Wait()
	total.Seconds = time.Since(began).Round(100 * time.Millisecond).Seconds()
	line, err := json.Marshal(total)
	if err != nil {
		panic(err)
	}
	if total.Runs >= many && total.Sizes[9] == 0 {
		fmt.Println("no connection has come to nine lives: callers do not do what they should")
		failed = true
	}
	for refusal := range total.Refusals {
		if kind, _, _ := strings.Cut(refusal, " "); total.Runs >= many && total.Done[kind] == 0 {
			fmt.Println(kind + " is only ever refused: callers do not do what they should")
			failed = true
		}
	}
	fmt.Println(string(line))
	if failed {
		return 1
	}
	return 0
}

// work has a process make runs. It reports whether another is needed: this one has died in a run.
func work(draw func() (uint64, bool), tell func(outcome)) (again bool) {
	seed, ok := draw()
	if !ok {
		return false
	}
	var said strings.Builder
	cmd := exec.Command(os.Args[0], "-test.run=^TestSeeds$", "-test.timeout=0", "-serve", "-steps="+strconv.Itoa(*steps))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		panic(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	for answers := bufio.NewReader(out); ok; seed, ok = draw() {
		_, _ = fmt.Fprintln(in, seed)
		o, err := read(answers)
		if err != nil {
			_ = cmd.Wait()
			text := said.String()
			tell(outcome{seed, sim.Result{
				Findings: check.Findings{{Class: check.Violation, Text: "the process died: " + text[:min(200, len(text))]}}, Story: text,
			}})
			return true
		}
		tell(o)
	}
	return false
}

// read reads the next line of JSON; what else a test prints is skipped.
func read(from *bufio.Reader) (o outcome, err error) {
	for {
		line, err := from.ReadBytes('\n')
		if err != nil {
			return o, err
		}
		if line[0] == '{' {
			return o, json.Unmarshal(line, &o)
		}
	}
}

// line says how to repeat a run that has failed, and why it has.
func (o outcome) line() string {
	line := fmt.Sprintf("make sim SEEDS=1 SEED=%d STEPS=%d # %d findings", o.Seed, *steps, len(o.Findings))
	for _, f := range o.Findings[:min(3, len(o.Findings))] {
		line += fmt.Sprintf("; %s: %.300s", f.Class, f.Text)
	}
	if *keep == "" {
		return line
	}
	file := filepath.Join(*keep, fmt.Sprintf("seed-%d.txt", o.Seed))
	err := os.MkdirAll(*keep, 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(line+"\n\n"+o.Story), 0o644)
	}
	if err != nil {
		return line + "; " + err.Error()
	}
	return line + "; more in " + file
}
