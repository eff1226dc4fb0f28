//go:build linux

// Command chaos runs the product as it runs in production, harms it while it is used, and checks what it did.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9/logging"

	"github.com/faceoff-live/faceoff/test/chaos/check"
	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/fault"
	"github.com/faceoff-live/faceoff/test/chaos/host"
	"github.com/faceoff-live/faceoff/test/chaos/presence"
)

// settings are the flags.
type settings struct {
	rounds, nodes, parallel int
	seed                    uint64
	with                    []string
	bin, dir, judge         string
	keep                    bool
	hosts                   int
	lasts                   time.Duration
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 1, "how many rounds are run")
	flag.Uint64Var(&s.seed, "seed", 0, "the seed of the first round; the next one has the next. 0: by the clock")
	flag.IntVar(&s.nodes, "nodes", 0, "how many NATS servers there are, 1 or 3; 0: each round draws it")
	flag.IntVar(&s.parallel, "parallel", 1, "how many rounds are run at the same time")
	flag.StringVar(&s.bin, "bin", "bin", "where faceoff, faceoff-skewed and nats-server are")
	flag.StringVar(&s.dir, "dir", os.TempDir(), "where a failed round is kept")
	flag.BoolVar(&s.keep, "keep", false, "keep rounds that have not failed as well")
	flag.StringVar(&s.judge, "judge", "", "a kept round to judge once more; nothing is run")
	flag.IntVar(&s.hosts, "hosts", 0, "instead of rounds, run so many hosts with a client process each, and three replicas of every service")
	flag.DurationVar(&s.lasts, "for", 10*time.Minute, "for how long hosts and the replicas of cohost are harmed; the times of presence are those of the environment, FACEOFF_PRESENCE_*")
	flag.Func("with", "faults that every round has, by commas: "+strings.Join(fault.Kinds(), ", "), func(v string) error {
		s.with = strings.Split(v, ",")
		return nil
	})
	host.Main()
	flag.Parse()
	logging.Disable() // the client of Redis tells of every connection that is refused
	if s.seed == 0 {
		s.seed = uint64(time.Now().UnixMilli())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	green, err := s.run(ctx, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !green {
		os.Exit(1)
	}
}

func (s settings) run(ctx context.Context, out io.Writer) (green bool, err error) {
	if s.judge != "" && presence.Is(s.judge) {
		report, err := presence.Dir(s.judge)
		if err != nil {
			return false, err
		}
		report.Tell(out)
		return report.Green(), nil
	}
	if s.judge != "" {
		report, err := check.Dir(s.judge)
		if err != nil {
			return false, err
		}
		tell(out, report)
		return report.Green(), nil
	}
	if s.nodes != 0 && s.nodes != 1 && s.nodes != 3 {
		return false, fmt.Errorf("%d nodes: there can be 1 or 3", s.nodes)
	}
	programs, err := s.programs()
	if err != nil {
		return false, err
	}
	dir, release, err := cluster.Claim(s.dir, "faceoff-chaos-*")
	if err != nil {
		return false, err
	}
	if s.hosts > 0 {
		green, err := s.runHosts(ctx, out, filepath.Join(dir, "hosts"), programs)
		release()
		_ = os.Remove(dir) // unless the run is kept there
		return green, err
	}
	can := limits(out, dir)
	sum, err := s.all(ctx, out, dir, programs, can)
	release()
	_ = os.Remove(dir) // unless a round is kept there
	if encoding := json.NewEncoder(out).Encode(sum.result(out)); err == nil {
		err = encoding
	}
	return sum.green(), err
}

// limits finds out what can be done here, and says what cannot.
func limits(out io.Writer, dir string) fault.Limits {
	power, disk := cluster.CanCutPower(dir), cluster.CanHarmDisks(dir)
	if power != nil {
		fmt.Fprintf(out, "no power is cut: %v\n", power)
	}
	if disk != nil {
		fmt.Fprintf(out, "no disk is harmed: %v\n", disk)
	}
	return fault.Limits{PowerCut: power == nil, Disk: disk == nil}
}

// programs are the paths of what is run.
func (s settings) programs() (cluster.Config, error) {
	var c cluster.Config
	for _, p := range []struct {
		path *string
		name string
	}{{&c.Faceoff, "faceoff"}, {&c.Skewed, "faceoff-skewed"}, {&c.NATSServer, "nats-server"}} {
		path, err := filepath.Abs(filepath.Join(s.bin, p.name))
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return c, fmt.Errorf("%w; make chaos builds it", err)
		}
		*p.path = path
	}
	var err error
	c.RedisServer, err = exec.LookPath("redis-server")
	return c, err
}

// all runs all rounds and tells each one as it ends.
func (s settings) all(ctx context.Context, out io.Writer, dir string, programs cluster.Config, can fault.Limits) (*sum, error) {
	total := new(sum)
	seeds := make(chan uint64)
	var mu sync.Mutex
	var failed error
	var running sync.WaitGroup
	for range max(1, s.parallel) {
		running.Go(func() {
			for seed := range seeds {
				r, err := s.one(ctx, dir, seed, programs, can)
				mu.Lock()
				if err != nil {
					failed = errors.Join(failed, fmt.Errorf("seed %d: %w", seed, err))
				} else {
					total.add(r)
					r.tell(out)
					if !r.green() {
						fmt.Fprintf(out, "  again: %s\n", s.again(seed))
					}
					if !r.green() || s.keep {
						fmt.Fprintf(out, "  kept:  %s\n", r.dir)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range s.rounds {
		select {
		case seeds <- s.seed + uint64(i):
		case <-ctx.Done():
		}
	}
	close(seeds)
	running.Wait()
	return total, errors.Join(failed, ctx.Err())
}

// again is the command that repeats a round.
func (s settings) again(seed uint64) string {
	command := fmt.Sprintf("make chaos ROUNDS=1 SEED=%d", seed)
	if s.nodes != 0 {
		command += " NODES=" + strconv.Itoa(s.nodes)
	}
	if len(s.with) > 0 {
		command += " ARGS='-with " + strings.Join(s.with, ",") + "'"
	}
	return command
}

func (s settings) one(ctx context.Context, dir string, seed uint64, config cluster.Config, can fault.Limits) (*round, error) {
	plan, err := fault.Draw(seed, s.nodes, can, s.with...)
	if err != nil {
		return nil, err
	}
	r := &round{seed: seed, plan: plan, dir: filepath.Join(dir, strconv.FormatUint(seed, 10)), config: config}
	r.config.Log = slog.New(slog.DiscardHandler)
	began := time.Now()
	if err := r.run(ctx); err != nil {
		return nil, fmt.Errorf("%w; what there is of it is in %s", err, r.dir)
	}
	r.took = time.Since(began)
	if r.green() && !s.keep {
		err = os.RemoveAll(r.dir)
	}
	return r, err
}
