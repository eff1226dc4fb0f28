package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

const (
	// callTime bounds one call of the stream.
	callTime = 3 * time.Second
	// markEvery is the least time between two marks.
	markEvery = time.Second
	// alarmAfter is how long the projector may be held up before operators are told.
	alarmAfter = 5 * time.Second
	// A broken projection begins anew after a wait that doubles from the shortest to the longest.
	shortestWait = 20 * time.Millisecond
	longestWait  = 2 * time.Second
)

// Last is the last event of a context that the stream has.
type Last struct {
	// ID of the event; empty if the stream has none of the context.
	ID string
	// Seq is its sequence in the stream, which is not the log's.
	Seq uint64
}

// Stream is where the events of one context are kept.
type Stream interface {
	// Last returns the context's last event, as the stream's leader knows it.
	Last(ctx context.Context) (Last, error)
	// Store stores e if the context's last event has the given sequence in the stream, 0 for none, and returns e's own. Any error:
	// unknown, it may be stored now or later.
	Store(ctx context.Context, e Event, after uint64) (seq uint64, err error)
}

// Source hands what every group tells to handle, in order, from a group that is not later than `from` on. It returns when
// ctx ends, when handle fails, or with what keeps it from reading.
type Source func(ctx context.Context, from uint64, handle func(ctx context.Context, seq uint64, told []Event) error) error

// Metrics is told what a projector does.
type Metrics interface {
	// EventStored is called for every event that this replica has stored.
	EventStored(log string)
	// EventsLag is called with how many groups of the log are not projected yet.
	EventsLag(log string, groups uint64)
}

// Options of a Projector.
type Options struct {
	Log    string
	Source Source
	Stream Stream
	// Marks keeps how far the log was projected, for when the log goes on and tells nothing, and for when the stream has
	// let go of a context's last event.
	Marks ledger.Heads
	// Head returns the log's head, for the lag.
	Head func(context.Context) (uint64, error)
	// Logger and Metrics may be nil.
	Logger  *slog.Logger
	Metrics Metrics
}

// Projector stores what a log tells. Any number of them may run at once.
type Projector struct {
	o    Options
	last Last  // of the stream, as far as is known
	at   Place // of that event
	mark marks

	done  atomic.Uint64         // the last group of which nothing is missing
	fault atomic.Pointer[error] // what held it up last
}

// NewProjector makes a Projector; nothing runs yet.
func NewProjector(o Options) *Projector {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = noMetrics{}
	}
	return &Projector{o: o, mark: marks{at: o.Marks}}
}

// Run projects until ctx ends. Whatever goes wrong is tried again, for ever: nothing is left out.
func (p *Projector) Run(ctx context.Context) {
	stop := p.watch(ctx)
	defer stop()
	for wait := shortestWait; ctx.Err() == nil; {
		before := p.last
		err := p.project(ctx)
		if ctx.Err() != nil {
			break
		}
		if p.last != before {
			wait = shortestWait
		}
		p.fault.Store(&err)
		p.o.Logger.Warn("the projection begins anew", "log", p.o.Log, "error", err)
		if pause(ctx, wait) != nil {
			break
		}
		wait = min(2*wait, longestWait)
	}
	p.saveMark(context.WithoutCancel(ctx))
}

// project goes on where the stream and the mark say that the log was projected to.
func (p *Projector) project(ctx context.Context) error {
	from, err := p.resume(ctx)
	if err != nil {
		return err
	}
	return p.o.Source(ctx, from, func(ctx context.Context, seq uint64, told []Event) error {
		for _, e := range told {
			if e.Place.compare(p.at) <= 0 {
				continue
			}
			if err := p.store(ctx, e); err != nil {
				return err
			}
		}
		p.done.Store(max(p.done.Load(), seq))
		if time.Since(p.mark.saved) >= markEvery {
			p.saveMark(ctx)
		}
		return nil
	})
}

// resume reads where to go on, and returns the last group of which nothing is needed.
func (p *Projector) resume(ctx context.Context) (from uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*callTime)
	defer cancel()
	if err := p.look(ctx); err != nil {
		return 0, err
	}
	m, err := p.mark.load(ctx)
	if err != nil {
		return 0, err
	}
	at, done := resumeAt(p.at, p.last.ID != "", m)
	p.at = at
	p.done.Store(done)
	// The events of that group may not all be there.
	return max(done, 1) - 1, nil
}

// resumeAt says after which event to go on, and up to which group nothing is missing, given the stream's last event and
// the mark. The stream is right: one that ends before the mark has lost its end, and gets it again. What it has let go of, the mark knows.
func resumeAt(last Place, some bool, m mark) (at Place, done uint64) {
	switch {
	case !some:
		return m.Last, m.Done
	case last == m.Last:
		return last, max(m.Done, last.Seq)
	}
	return last, last.Seq
}

// look reads the stream's last event.
func (p *Projector) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	last, err := p.o.Stream.Last(ctx)
	if err != nil {
		return fmt.Errorf("last event: %w", err)
	}
	at := Place{}
	if last.ID != "" {
		if at, err = ParseID(p.o.Log, last.ID); err != nil {
			return err
		}
	}
	p.last, p.at = last, at
	return nil
}

// store stores an event, unless it turns out that another projector has. Without a clear answer the stream says what has
// become of it; a first copy that is still under way cannot be stored any more once another event is. The error is ctx's, or that the
// stream is not what it was.
func (p *Projector) store(ctx context.Context, e Event) error {
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		err := p.try(ctx, e)
		if err == nil || errors.Is(err, errChanged) {
			return err
		}
		p.o.Logger.Debug("event not stored yet", "log", p.o.Log, "event", e.ID(), "error", err)
		p.fault.Store(&err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// errChanged says that the stream has not the events that it had.
var errChanged = errors.New("the stream does not end where it did")

// try stores an event once, or finds that it is stored.
func (p *Projector) try(ctx context.Context, e Event) error {
	calling, cancel := context.WithTimeout(ctx, callTime)
	seq, err := p.o.Stream.Store(calling, e, p.last.Seq)
	cancel()
	if err == nil {
		p.last, p.at = Last{ID: e.ID(), Seq: seq}, e.Place
		p.o.Metrics.EventStored(p.o.Log)
		return nil
	}
	before := p.at
	fault := p.look(ctx)
	switch {
	case fault != nil:
		p.at = before
		return errors.Join(err, fault)
	case p.at.compare(e.Place) >= 0:
		return nil // stored after all, or by another
	case p.last.ID == "":
		p.at = before // it has let go of what it had
	case p.at != before:
		return fmt.Errorf("%w, but at %s: %w", errChanged, p.last.ID, err)
	}
	return err
}

// watch measures the lag, and tells operators of one that lasts.
func (p *Projector) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(markEvery)
		defer tick.Stop()
		l := lag{}
		for {
			select {
			case <-tick.C:
				p.measure(ctx, &l)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}
