//go:build linux

package fault

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
)

// The kinds of faults.
const (
	Kill       = "kill"        // kill -9, started again after a moment
	Terminate  = "terminate"   // an orderly stop, and a start
	Pause      = "pause"       // SIGSTOP, then SIGCONT
	Cut        = "cut"         // connections are refused
	Drop       = "drop"        // what is sent is lost in both directions
	BlackHole  = "black-hole"  // answers are lost
	Reset      = "reset"       // connections are reset in the middle of what they carry
	Delay      = "delay"       // both directions are slow
	Isolate    = "isolate"     // one NATS node of three and the others lose what they send each other
	FlushRedis = "flush-redis" // FLUSHALL
	Clock      = "clock"       // the wall clock of a replica jumps, and back
	SlowDisk   = "slow-disk"   // the syncs of a NATS node take long
	FailedDisk = "failed-disk" // a sync of a NATS node fails; it is started again
	PowerCut   = "power-cut"   // a NATS node, or all, lose what they have not synced
)

// kind is a way to harm a cluster.
type kind struct {
	name   string
	weight float64
	// can reports whether it can be done; nil: always.
	can  func(l Limits, nodes int) bool
	draw func(d drawer, f *Fault)
	// begin does it; end undoes it.
	begin func(ctx context.Context, c *cluster.Cluster, f Fault) (end func(context.Context) error, err error)
}

// Kinds are the names of all kinds.
func Kinds() []string {
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = k.name
	}
	return all
}

var kinds = []kind{
	{name: Kill, weight: 5, draw: drawKill, begin: down(syscall.SIGKILL)},
	{name: Terminate, weight: 2, draw: drawTerminate, begin: down(syscall.SIGTERM)},
	{name: Pause, weight: 3, draw: drawPause, begin: pause},
	{name: Cut, weight: 1.5, draw: drawLink, begin: onLinks((*cluster.Link).Cut)},
	{name: Drop, weight: 2, draw: drawLink, begin: onLinks((*cluster.Link).Drop)},
	{name: BlackHole, weight: 3, draw: drawLink, begin: onLinks((*cluster.Link).DropAnswers)},
	{name: Reset, weight: 1.5, draw: drawReset, begin: onLinks((*cluster.Link).Reset)},
	{name: Delay, weight: 1, draw: drawDelay, begin: delay},
	{name: Isolate, weight: 4, can: func(_ Limits, nodes int) bool { return nodes > 1 }, draw: drawIsolate, begin: isolate},
	{name: FlushRedis, weight: 1, draw: drawFlush, begin: flush},
	{name: Clock, weight: 2, draw: drawClock, begin: setClock},
	{name: SlowDisk, weight: 1, can: func(l Limits, _ int) bool { return l.Disk }, draw: drawSlowDisk, begin: slowDisk},
	{name: FailedDisk, weight: 1, can: func(l Limits, _ int) bool { return l.Disk }, draw: drawFailedDisk, begin: failDisk},
	{name: PowerCut, weight: 4, can: func(l Limits, _ int) bool { return l.PowerCut }, draw: drawPowerCut, begin: cutPower},
}

// restart is how long a supervisor takes to start a process again.
const restart = 3 * time.Second

func drawKill(d drawer, f *Fault) {
	f.For = d.between(0, restart)
	switch d.IntN(10) {
	case 0, 1:
		f.Targets = cluster.Replicas(d.service())
	case 2, 3:
		f.Targets = []string{d.node()}
	case 4:
		f.Targets = cluster.NodeNames(d.nodes)
	case 5:
		f.Targets = []string{cluster.Redis}
	default:
		f.Targets = []string{d.replica()}
	}
}

func drawTerminate(d drawer, f *Fault) {
	f.For = d.between(0, restart)
	f.Targets = []string{d.process()}
}

func drawPause(d drawer, f *Fault) {
	f.For = d.spread(200*time.Millisecond, 15*time.Second)
	f.Targets = []string{d.process()}
	if d.IntN(4) == 0 {
		f.Targets = cluster.Replicas(d.service())
	}
}

func drawLink(d drawer, f *Fault) {
	f.For = d.spread(200*time.Millisecond, 6*time.Second)
	f.Targets = d.link()
}

func drawReset(d drawer, f *Fault) {
	f.For = d.spread(10*time.Millisecond, time.Second)
	f.Targets = d.link()
}

func drawDelay(d drawer, f *Fault) {
	drawLink(d, f)
	f.By = d.spread(20*time.Millisecond, time.Second).Round(time.Millisecond)
}

func drawIsolate(d drawer, f *Fault) {
	f.For = d.spread(time.Second, 10*time.Second)
	f.Targets = []string{d.node()}
}

func drawFlush(d drawer, f *Fault) {
	f.For = d.between(0, 2*time.Second) // emptied again at the end
}

func drawClock(d drawer, f *Fault) {
	f.For = d.spread(200*time.Millisecond, 5*time.Second)
	f.Targets = []string{d.replica()}
	f.By = one(d, []time.Duration{100 * time.Millisecond, 5 * time.Second, time.Hour})
	if d.IntN(2) == 0 {
		f.By = -f.By
	}
}

func drawSlowDisk(d drawer, f *Fault) {
	f.For = d.spread(500*time.Millisecond, 4*time.Second)
	f.By = d.spread(5*time.Millisecond, 300*time.Millisecond).Round(time.Millisecond)
}

func drawFailedDisk(d drawer, f *Fault) {
	f.For = d.between(0, restart)
}

func drawPowerCut(d drawer, f *Fault) {
	f.For = d.between(0, restart)
	f.Targets = cluster.NodeNames(d.nodes)
	if d.IntN(2) == 0 {
		f.Targets = []string{d.node()}
	}
}

type begin func(ctx context.Context, c *cluster.Cluster, f Fault) (end func(context.Context) error, err error)

func down(signal syscall.Signal) begin {
	return func(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
		// All at once: none of them sees another one gone.
		errs := make(chan error, len(f.Targets))
		for _, name := range f.Targets {
			go func() { errs <- c.Process(name).Down(signal) }()
		}
		var err error
		for range f.Targets {
			err = errors.Join(err, <-errs)
		}
		return func(context.Context) error {
			for _, name := range f.Targets {
				c.Process(name).Up()
			}
			return nil
		}, err
	}
}

func pause(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
	signal := func(s syscall.Signal) {
		for _, name := range f.Targets {
			c.Process(name).Signal(s)
		}
	}
	signal(syscall.SIGSTOP)
	return func(context.Context) error { signal(syscall.SIGCONT); return nil }, nil
}

func onLinks(harm func(*cluster.Link) (func() error, error)) begin {
	return func(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
		return harmAll(c.Links(f.Targets[0], f.Targets[1]), harm)
	}
}

func harmAll(links []*cluster.Link, harm func(*cluster.Link) (func() error, error)) (func(context.Context) error, error) {
	var heals []func() error
	for _, l := range links {
		heal, err := harm(l)
		if err != nil {
			return nil, err
		}
		heals = append(heals, heal)
	}
	if len(heals) == 0 {
		return nil, errors.New("there is no such link")
	}
	return func(context.Context) (err error) {
		for _, heal := range heals {
			err = errors.Join(err, heal())
		}
		return err
	}, nil
}

func delay(ctx context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
	return onLinks(func(l *cluster.Link) (func() error, error) { return l.Delay(f.By) })(ctx, c, f)
}

func isolate(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
	name := f.Targets[0]
	return harmAll(slices.Concat(c.Links(name, cluster.NATS), c.Links(cluster.NATS, name)), (*cluster.Link).Drop)
}

func flush(ctx context.Context, c *cluster.Cluster, _ Fault) (func(context.Context) error, error) {
	empty := func(ctx context.Context) error {
		_ = c.FlushRedis(ctx) // when it is down it is empty anyway
		return nil
	}
	return empty, empty(ctx)
}

func setClock(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
	return func(context.Context) error { return c.SetClock(f.Targets[0], 0) }, c.SetClock(f.Targets[0], f.By)
}

func slowDisk(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
	disk := c.HarmedNode().Disk
	disk.Slow(f.By)
	return func(context.Context) error { disk.Slow(0); return nil }, nil
}

// failDisk has one sync fail. The server stores nothing any more until it is started again.
func failDisk(_ context.Context, c *cluster.Cluster, _ Fault) (func(context.Context) error, error) {
	node := c.HarmedNode()
	node.Disk.FailSync()
	return func(context.Context) error {
		node.Disk.Heal()
		defer node.Up()
		return node.Down(syscall.SIGTERM)
	}, nil
}

func cutPower(_ context.Context, c *cluster.Cluster, f Fault) (func(context.Context) error, error) {
	var nodes []*cluster.Node
	for _, name := range f.Targets {
		nodes = append(nodes, c.Node(name))
	}
	restore, err := cluster.CutPower(nodes...)
	return func(context.Context) error { return restore() }, err
}
