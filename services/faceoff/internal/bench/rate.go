package bench

import (
	"context"
	"errors"
	"sync"
	"time"
)

// longBattle is longer than any that is left by one of its lives.
const longBattle = 5 * time.Minute

// load is a kind of commands that callers call as fast as they are answered.
type load struct {
	name, what string
	// run calls until ctx ends; what has begun is brought to its end.
	run func(ctx context.Context, callers int, t *tally) error
}

// tally is what the callers of a load were answered. It is safe for concurrent use.
type tally struct {
	mu     sync.Mutex
	all    times
	verbs  map[string]*times
	sizes  map[string]size // sums
	waited map[string]*times
}

func newTally() *tally {
	return &tally{verbs: make(map[string]*times), sizes: make(map[string]size), waited: make(map[string]*times)}
}

func (t *tally) done(verb string, took time.Duration, s size) {
	t.all.add(took)
	of(t, t.verbs, verb).add(took)
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.sizes[verb]
	t.sizes[verb] = size{sum.request + s.request, sum.response + s.response}
}

func (t *tally) wait(what string, took time.Duration) { of(t, t.waited, what).add(took) }

func of(t *tally, all map[string]*times, name string) *times {
	t.mu.Lock()
	defer t.mu.Unlock()
	if all[name] == nil {
		all[name] = new(times)
	}
	return all[name]
}

// means are the sizes of the messages, on average.
func (t *tally) means() map[string]size {
	means := make(map[string]size)
	for verb, sum := range t.sizes {
		n := len(t.verbs[verb].all)
		means[verb] = size{sum.request / n, sum.response / n}
	}
	return means
}

// run is the figures of the load.
func (t *tally) run(m *measure, name, what string) *Run {
	r := ran(name, what, m, t.all.spread())
	r.Parts = make(map[string]*Spread)
	for name, took := range t.verbs {
		r.Parts[name] = took.spread()
	}
	for name, took := range t.waited {
		r.Parts[name] = took.spread()
	}
	return r
}

// connections are whole lives of connections, one after the other. Each caller has pairs of its own.
func (c *crowd) connections() load {
	return load{
		name: "connection commands", what: "calls of request, accept and exit, each caller again as soon as it is answered",
		run: func(ctx context.Context, callers int, t *tally) error {
			return together(callers, func(i int) error {
				for n := i; ctx.Err() == nil; n += callers {
					if n >= len(c.inviters) {
						n = i
					}
					if err := c.turn(context.WithoutCancel(ctx), c.inviters[n], t.done); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// battles are whole lives of battles. All pairs battle, so that there are always enough that do not wait.
func (c *crowd) battles() load {
	return load{
		name: "battle commands", what: "calls of request, accept and exit; `start` is when a watcher has BattleStarted, after starts_at, and `end` when it has " +
			"BattleEnded, settled, after exit was called",
		run: func(ctx context.Context, callers int, t *tally) error {
			slots := make(chan struct{}, callers)
			return together(len(c.fighters), func(i int) error {
				for ctx.Err() == nil {
					if err := c.bout(context.WithoutCancel(ctx), c.fighters[i], slots, t.done, t.wait); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// together does something n times at once.
func together(n int, do func(i int) error) error {
	faults := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { faults[i] = do(i) })
	}
	running.Wait()
	return errors.Join(faults...)
}

// rate runs a load for a while, and then an echo under the same load.
func (c *crowd) rate(ctx context.Context, o Options, l load) ([]*Run, error) {
	t, m, err := clocked(ctx, o, l)
	if err != nil {
		return nil, err
	}
	run := t.run(m, l.name, l.what)
	e, err := startEcho(t.means())
	if err != nil {
		return nil, err
	}
	defer e.stop()
	echoed, m, err := clocked(ctx, o, load{run: func(ctx context.Context, callers int, t *tally) error { return e.run(ctx, callers, c.service, t) }})
	if err != nil {
		return nil, err
	}
	echo := echoed.run(m, "echo of "+l.name, "the same calls of a gRPC server that does nothing, in this process: as many callers, messages and headers as large")
	run.Ratio = run.PerS / echo.PerS
	return []*Run{run, echo}, nil
}

func clocked(ctx context.Context, o Options, l load) (*tally, *measure, error) {
	timed, cancel := context.WithTimeout(ctx, o.Time)
	defer cancel()
	t, m := newTally(), startMeasuring()
	if err := l.run(timed, o.Callers, t); err != nil {
		return nil, nil, err
	}
	m.stop()
	return t, m, ctx.Err()
}
