package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	// mostAtOnce is how many events are stored together at most; the server takes 1,000.
	mostAtOnce = 500
	// fewest is how many events are stored together at least: a batch has a cost of its own, about that of ten single ones (BenchmarkStore).
	fewest = 10
	// mostWaiting is how many groups are folded ahead of what is stored.
	mostWaiting = 256
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
	// Store stores events, all of them or none, 1 to 1,000, if the context's last event has the given sequence in the stream, 0
	// for none, and returns the sequence of the last one. Any error: unknown, they may be stored now or later.
	Store(ctx context.Context, all []Event, after uint64) (seq uint64, err error)
}

// Source hands what every group tells to handle, in order, from a group that is not later than `from` on. It returns when
// ctx ends, when handle fails, or with what keeps it from reading.
type Source func(ctx context.Context, from uint64, handle func(ctx context.Context, seq uint64, told []Event) error) error

// Metrics is told what a projector does.
type Metrics interface {
	// EventsStored is called with how many events this replica has stored.
	EventsStored(log string, n int)
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

// project goes on where the stream and the mark say that the log was projected to. While events are stored, the groups after
// them are folded: what has piled up is stored at once.
func (p *Projector) project(ctx context.Context) error {
	from, err := p.resume(ctx)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	folded := make(chan group, mostWaiting)
	ended := make(chan error, 1)
	go func() {
		defer close(folded)
		ended <- p.o.Source(ctx, from, func(ctx context.Context, seq uint64, told []Event) error {
			select {
			case folded <- group{seq, told}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	err = p.storeAll(ctx, folded)
	stop()
	if fault := <-ended; err == nil {
		err = fault
	}
	return err
}

// group is what a group of the log tells.
type group struct {
	seq  uint64
	told []Event
}

// storeAll stores what groups tell until there are no more, and marks from time to time how far it has come.
func (p *Projector) storeAll(ctx context.Context, folded <-chan group) error {
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.saveMark(ctx)
		case first, ok := <-folded:
			if !ok {
				return nil
			}
			seq, events := p.gather(first, folded)
			if err := p.store(ctx, events); err != nil {
				return err
			}
			p.done.Store(max(p.done.Load(), seq))
		}
	}
}

// gather adds to a group what is folded already, as far as it can be stored at once.
func (p *Projector) gather(first group, folded <-chan group) (seq uint64, events []Event) {
	seq, events = first.seq, p.left(first.told)
	for len(events) < mostAtOnce {
		select {
		case next, ok := <-folded:
			if !ok {
				return seq, events
			}
			seq, events = next.seq, append(events, p.left(next.told)...)
		default:
			return seq, events
		}
	}
	return seq, events
}

// left are the events that are not stored yet.
func (p *Projector) left(events []Event) []Event {
	for len(events) > 0 && events[0].Place.compare(p.at) <= 0 {
		events = events[1:]
	}
	return slices.Clip(events)
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
	p.at, from = resumeAt(p.at, p.last.ID != "", m)
	p.done.Store(from)
	return from, nil
}

// resumeAt says after which event to go on, and up to which group nothing is missing, given the stream's last event and
// the mark. The stream is right: one that ends before the mark has lost its end, and gets it again. What it has let go of, the mark knows.
func resumeAt(last Place, some bool, m mark) (at Place, from uint64) {
	if !some || last == m.Last {
		return m.Last, m.Done
	}
	return last, last.Seq - 1 // the events of that group may not all be there
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

// store stores events but for those that, it turns out, another projector has stored. Without a clear answer the stream says what has
// become of them; first copies that are still under way cannot be stored any more once another event is. The error is ctx's, or that the
// stream is not what it was.
func (p *Projector) store(ctx context.Context, events []Event) error {
	for wait := shortestWait; len(events) > 0; {
		together := min(len(events), mostAtOnce)
		if together < fewest {
			together = 1
		}
		err := p.try(ctx, events[:together])
		left := p.left(events)
		switch {
		case errors.Is(err, errChanged):
			return err
		case len(left) < len(events):
			events, wait = left, shortestWait
			continue
		}
		p.o.Logger.Debug("events not stored yet", "log", p.o.Log, "first", events[0].ID(), "error", err)
		p.fault.Store(&err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, longestWait)
	}
	return nil
}

// errChanged says that the stream has not the events that it had.
var errChanged = errors.New("the stream does not end where it did")

// try stores events once, or finds how many of them are stored: at says so.
func (p *Projector) try(ctx context.Context, events []Event) error {
	calling, cancel := context.WithTimeout(ctx, callTime)
	seq, err := p.o.Stream.Store(calling, events, p.last.Seq)
	cancel()
	end := events[len(events)-1]
	if err == nil {
		p.last, p.at = Last{ID: end.ID(), Seq: seq}, end.Place
		p.o.Metrics.EventsStored(p.o.Log, len(events))
		return nil
	}
	before := p.at
	fault := p.look(ctx)
	switch {
	case fault != nil:
		p.at = before
		return errors.Join(err, fault)
	case p.last.ID == "":
		p.at = before // it has let go of what it had
	case p.at != before && p.at.compare(events[0].Place) < 0:
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
