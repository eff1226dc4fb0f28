//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/check"
	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/fault"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/workload"
)

const (
	// healTime is how long everything may take to serve again once nothing is harmed any more.
	healTime = 60 * time.Second
	// restTime bounds all that follows; the workload has shorter bounds for each step of it.
	restTime = 5 * time.Minute
	// slowRest is when it takes so long that something is stuck.
	slowRest = time.Minute
	// felt is how long after its end a fault is still held to be the cause of an outage that begins.
	felt = 2 * time.Second
)

// round is one run of a cluster.
type round struct {
	seed   uint64
	plan   fault.Plan
	dir    string
	config cluster.Config

	report check.Report
	// found is what the harness itself has found.
	found   []string
	outages []outage
	took    time.Duration
}

// outage is how long nothing was acknowledged because of a fault.
type outage struct {
	kind string
	took time.Duration
}

func (r *round) green() bool { return r.report.Green() && len(r.found) == 0 }

// run runs the round from the start of the processes to the judgement. An error says that the harness could not do its work.
func (r *round) run(ctx context.Context) error {
	processes := filepath.Join(r.dir, "processes")
	if err := os.MkdirAll(processes, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(r.dir, "harness.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	r.config.Log = slog.New(slog.NewTextHandler(log, nil))
	r.config.Dir, r.config.Nodes, r.config.Skew = processes, r.plan.Nodes, r.plan.Skewed()
	r.config.CutPower = r.plan.Has(fault.PowerCut)
	r.config.HarmDisk = r.plan.Has(fault.SlowDisk, fault.FailedDisk)
	c, err := cluster.Start(ctx, r.config)
	if err != nil {
		return err
	}
	h, err := history.Open(filepath.Join(r.dir, check.History))
	if err != nil {
		return errors.Join(err, c.Close())
	}
	err = r.play(ctx, c, h)
	var gone error
	if err = errors.Join(err, h.Close()); err == nil {
		if gone = c.Export(ctx, r.dir); gone != nil {
			r.find("a log cannot be read any more: %v", gone)
		}
	}
	if err = errors.Join(err, c.Close(), ctx.Err()); err != nil {
		return err
	}
	faults, err := panics(processes)
	r.found = append(r.found, faults...)
	if err != nil || gone != nil {
		return err // without the logs nothing can be judged
	}
	r.report, err = check.Dir(r.dir)
	return err
}

// play uses the cluster, harms it, and brings it to rest.
func (r *round) play(ctx context.Context, c *cluster.Cluster, h *history.Writer) error {
	w, err := workload.New(c.Doors(), r.seed, h)
	if err != nil {
		return err
	}
	defer w.Close()
	canary, err := w.Canary(ctx)
	if err != nil {
		return err
	}
	load, stop := context.WithTimeout(ctx, r.plan.Load)
	defer stop()
	var windows []fault.Window
	var harm, use error
	var both sync.WaitGroup
	both.Go(func() { windows, harm = r.plan.Run(load, c, h) })
	both.Go(func() { use = w.Run(load) })
	both.Wait()
	if errors.Is(harm, cluster.ErrSlowStop) {
		r.find("%v", harm)
		harm = nil
	}
	if err := errors.Join(harm, use, ctx.Err()); err != nil {
		return err
	}

	healed, cancel := context.WithTimeout(ctx, healTime)
	defer cancel()
	if err := c.Ready(healed); err != nil {
		r.find("after %v without faults: %v", healTime, err)
	}
	if err := canary.Stop(healed); err != nil {
		r.find("after %v without faults: %v", healTime, err)
	}
	for i, at := range windows {
		r.outages = append(r.outages, outage{r.plan.Faults[i].Kind, canary.Outage(at.From, at.To+felt)})
	}
	resting, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	began := time.Now()
	if err := w.Rest(resting); err != nil {
		r.find("not at rest after %v: %v", restTime, err)
	}
	if len(r.found) > 0 || time.Since(began) > slowRest {
		c.Dump()
	}
	return ctx.Err()
}

func (r *round) find(format string, args ...any) {
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

// panics looks for processes of ours that ended by a fault of their own.
func panics(dir string) (found []string, err error) {
	logs, err := filepath.Glob(filepath.Join(dir, "*-[0-9].log"))
	if err != nil {
		return nil, err
	}
	for _, path := range logs {
		file, err := os.Open(path)
		if err != nil {
			return found, err
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if text := lines.Text(); strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") || strings.HasPrefix(text, "WARNING: DATA RACE") {
				found = append(found, strings.TrimSuffix(filepath.Base(path), ".log")+": "+text)
			}
		}
		_ = file.Close()
	}
	return found, nil
}

// tell says in a line what was done and what came of it, and below it what was found.
func (r *round) tell(out io.Writer) {
	var faults []string
	for _, f := range r.plan.Faults {
		faults = append(faults, f.String())
	}
	verdict := "ok"
	if !r.green() {
		verdict = "FAILED"
	}
	fmt.Fprintf(out, "%s seed %d, %d nodes, %.1f s, %d acked, %d unknown: %s\n", verdict, r.seed, r.plan.Nodes, r.took.Seconds(), r.report.Acked, r.report.Unknown, strings.Join(faults, "; "))
	for _, text := range r.found {
		fmt.Fprintf(out, "  %s\n", text)
	}
	tell(out, r.report)
}

// told is how many findings are written out.
const told = 20

func tell(out io.Writer, r check.Report) {
	all := append(append([]string(nil), r.Details...), r.Violations...)
	for i, text := range all {
		if i == told {
			fmt.Fprintf(out, "  … and %d more\n", len(all)-told)
			break
		}
		fmt.Fprintf(out, "  %s\n", text)
	}
	if r.Inconclusive != "" {
		fmt.Fprintf(out, "  proves nothing: %s\n", r.Inconclusive)
	}
}
