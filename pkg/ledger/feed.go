package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// catchUpTimeout is how long a command may wait for another service's log.
const catchUpTimeout = time.Second

// chain follows the links of a log: the last sequence read, and the hash of the last valid group.
type chain struct {
	seq  uint64
	hash [32]byte
}

// readGroup decodes the group at seq, which must be the next. ok is false for a void group.
func readGroup[E any](c *chain, seq uint64, raw []byte, decode func([]byte) (E, error)) (group Group[E], ok bool, err error) {
	if seq != c.seq+1 {
		return group, false, fmt.Errorf("%w: group %d came after %d", ErrLog, seq, c.seq)
	}
	c.seq = seq
	g, void, err := decodeGroup(raw, c.hash)
	if err != nil {
		return group, false, fmt.Errorf("%w: group %d: %w", ErrLog, seq, err)
	}
	if void {
		return group, false, nil
	}
	group.Seq = seq
	place := es.Place{Seq: seq, Chain: c.hash}
	for _, d := range g.GetDecisions() {
		events, err := decodeDecision(d, &place, decode)
		if err != nil {
			return group, false, fmt.Errorf("%w: group %d: %w", ErrLog, seq, err)
		}
		group.Events = append(group.Events, events...)
	}
	c.hash = sha256.Sum256(raw)
	return group, true, nil
}

// Range hands every valid group of a stored log, from the first to the head of this moment, to handle.
func Range[E any](ctx context.Context, log Log, decode func([]byte) (E, error), handle func(Group[E]) error) error {
	head, err := log.Head(ctx)
	if err != nil || head == 0 {
		return err
	}
	errEnd := errors.New("end")
	c := new(chain)
	err = log.Tail(ctx, 1, func(seq uint64, raw []byte) error {
		g, ok, err := readGroup(c, seq, raw, decode)
		if err != nil {
			return err
		}
		if ok {
			if err := handle(g); err != nil {
				return err
			}
		}
		if seq >= head {
			return errEnd
		}
		return nil
	})
	if errors.Is(err, errEnd) {
		return nil
	}
	return err
}

// Feed reads another service's log for the replica that writes, and knows how far it has come.
type Feed[E any] struct {
	log     Log
	decode  func([]byte) (E, error)
	handled *watermark
	heads   coalesced
	damage  chan error // what stops Run
}

// NewFeed makes a Feed of log; decode reads its events.
func NewFeed[E any](log Log, decode func([]byte) (E, error)) *Feed[E] {
	return &Feed[E]{log: log, decode: decode, handled: newWatermark(), damage: make(chan error, 1)}
}

// Run hands every group after `after` to handle, in order, each again and again until handle returns nil. It returns
// when ctx ends, or with ErrLog.
func (f *Feed[E]) Run(ctx context.Context, after uint64, handle func(context.Context, Group[E]) error) error {
	f.handled.set(after)
	c, err := chainAt(ctx, f.log, after)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { repeat(ctx, watchEvery, func(ctx context.Context) { _, _ = f.head(ctx) }) })
	watching.Go(func() { stopOn(ctx, stop, f.damage) })
	err = f.log.Tail(ctx, after+1, func(seq uint64, raw []byte) error {
		g, ok, err := readGroup(c, seq, raw, f.decode)
		if err != nil {
			return err
		}
		pause := backoff{}
		for ok && handle(ctx, g) != nil {
			if err := pause.wait(ctx); err != nil {
				return err
			}
		}
		f.handled.set(seq)
		return nil
	})
	stop(err)
	return context.Cause(ctx)
}

// head returns the log's head. A log that ends before what was read from it ends Run.
func (f *Feed[E]) head(ctx context.Context) (uint64, error) {
	handled, _, _ := f.handled.get()
	at, err := f.log.Head(ctx)
	if err == nil && at < handled {
		err = fmt.Errorf("%w: it ends at %d, but %d was read from it before", ErrLog, at, handled)
		report(f.damage, err)
	}
	return at, err
}

// Read returns the last group that handle has returned for.
func (f *Feed[E]) Read() uint64 {
	read, _, _ := f.handled.get()
	return read
}

// chainAt is the chain at a group that was handed over before, so that what comes next is checked against it.
func chainAt(ctx context.Context, log Log, seq uint64) (*chain, error) {
	c := &chain{seq: seq}
	for pause := (backoff{}); seq > 0; {
		raw, err := read(ctx, log, seq)
		if err == nil {
			c.hash = sha256.Sum256(raw)
			break
		}
		if errors.Is(err, ErrLog) {
			if b, ok := log.(Begun); ok {
				// What comes next may be the first that has not been dropped.
				if first, previous, fault := b.Begin(ctx); fault == nil && seq == first-1 {
					c.hash = previous
					break
				}
			}
			return nil, err
		}
		if err := pause.wait(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// CatchUp waits until handle has returned for every group that the log has at the time of the call; at most 1 s, then
// the error is ErrUnavailable.
func (f *Feed[E]) CatchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpTimeout)
	defer cancel()
	head, err := f.heads.read(ctx, f.head)
	if err == nil {
		err = f.handled.wait(ctx, head)
	}
	if err != nil {
		return fmt.Errorf("%w: the log that the answer rests on cannot be read now: %w", ErrUnavailable, err)
	}
	return nil
}

// coalesced lets callers that come while a head is being read share the next reading.
type coalesced struct {
	mu      sync.Mutex
	reading bool
	next    *headReading
}

type headReading struct {
	done chan struct{}
	head uint64
	err  error
}

// read returns a head that was read after the call began.
func (c *coalesced) read(ctx context.Context, head func(context.Context) (uint64, error)) (uint64, error) {
	c.mu.Lock()
	if c.next == nil {
		c.next = &headReading{done: make(chan struct{})}
	}
	r := c.next
	if !c.reading {
		c.reading = true
		go c.run(head)
	}
	c.mu.Unlock()
	select {
	case <-r.done:
		return r.head, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// run reads heads until nobody waits for one.
func (c *coalesced) run(head func(context.Context) (uint64, error)) {
	for {
		c.mu.Lock()
		r := c.next
		c.next = nil
		if r == nil {
			c.reading = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), catchUpTimeout)
		r.head, r.err = head(ctx)
		cancel()
		close(r.done)
	}
}
