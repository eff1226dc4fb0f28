// Package lifecycle starts the parts of a process in order and stops them in reverse order.
//
// A process runs as long as all of its components do: when one of them fails, all stop and the reason is returned.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Component is a part of a process that runs until its context ends.
type Component struct {
	Name string
	// Run calls ready once, when the components after it may start, and returns when ctx ends, with nil or the
	// context's error. Anything else, also an early return without an error, is a fault that stops the process.
	Run func(ctx context.Context, ready func()) error
}

// Run starts the components, each after the one before is ready, and runs them until ctx ends or one of them fails.
// Then it stops them, the last one first, each after the one before has returned; all of that takes at most budget.
// It returns nil after an orderly stop, else every fault, also of the components that did not stop in time.
func Run(ctx context.Context, log *slog.Logger, budget time.Duration, cs ...Component) error {
	ended := make(chan *running, len(cs))
	var started []*running
	for _, c := range cs {
		log.Debug("starting", "component", c.Name)
		r := start(ctx, c, ended)
		started = append(started, r)
		if why := await(ctx, r.ready, ended); why != "" {
			log.Info("stopping", "because", why)
			return stop(log, budget, started)
		}
	}
	log.Info("ready")
	log.Info("stopping", "because", await(ctx, nil, ended))
	return stop(log, budget, started)
}

// running is a component that was started.
type running struct {
	name   string
	cancel context.CancelFunc
	ready  chan struct{}
	done   chan struct{} // closed when it has returned
	err    error         // its fault; to be read after done
}

// start runs c in a context of its own, for the end of the process' context must not stop all at once.
func start(ctx context.Context, c Component, ended chan<- *running) *running {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{name: c.Name, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{})}
	go func() {
		err := c.Run(own, sync.OnceFunc(func() { close(r.ready) }))
		switch {
		case own.Err() == nil && err == nil:
			r.err = fmt.Errorf("%s ended by itself", c.Name)
		case own.Err() == nil || err != nil && !errors.Is(err, own.Err()):
			r.err = fmt.Errorf("%s: %w", c.Name, err)
		}
		cancel()
		close(r.done)
		ended <- r
	}()
	return r
}

// await waits until ready is closed; a nil channel never is. Otherwise it says why not.
func await(ctx context.Context, ready <-chan struct{}, ended <-chan *running) (why string) {
	select {
	case <-ready:
		return ""
	case e := <-ended:
		return e.err.Error()
	case <-ctx.Done():
		return context.Cause(ctx).Error()
	}
}

// stop ends the components in reverse order and returns all faults.
func stop(log *slog.Logger, budget time.Duration, started []*running) error {
	limit, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	var faults []error
	for _, r := range slices.Backward(started) {
		log.Debug("stopping", "component", r.name)
		r.cancel()
		select {
		case <-r.done:
		case <-limit.Done():
		}
	}
	for _, r := range started {
		select {
		case <-r.done:
			faults = append(faults, r.err)
		default:
			faults = append(faults, fmt.Errorf("%s did not stop within %v", r.name, budget))
		}
	}
	return errors.Join(faults...)
}

// Status tells whether a process is ready. Its component comes last: it runs when all others are ready, and is the first
// to stop.
type Status struct{ ready atomic.Bool }

// Ready reports whether the process serves.
func (s *Status) Ready() bool { return s.ready.Load() }

// Component keeps the status.
func (s *Status) Component() Component {
	return Component{Name: "status", Run: func(ctx context.Context, ready func()) error {
		s.ready.Store(true)
		defer s.ready.Store(false)
		ready()
		<-ctx.Done()
		return nil
	}}
}

// Signals returns a context that ends with the first SIGINT or SIGTERM. A second one ends the process at once.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
