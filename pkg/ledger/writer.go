package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// appendTimeout is how long a publish may take before its outcome counts as unknown.
const appendTimeout = 2 * time.Second

// writer decides queued commands, one group after another, while this replica holds the lease.
type writer[C, E any] struct {
	l    *Ledger[C, E]
	fold *fold[C, E]
	// contested: it is not known what stands, or will stand, at the position after the fold: an earlier publish of this
	// or of another replica may still land there. Until some group is stored at it, nobody gets an answer.
	contested bool
	// stored: this writer has stored a group in its turn.
	stored bool
	// noRoom: the log has refused a group because it is full; room is the pause until the next is tried.
	noRoom  bool
	room    backoff
	backlog []*pending[C, E]
}

// write takes over and decides commands until ctx ends.
func (l *Ledger[C, E]) write(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	var growing sync.WaitGroup
	growing.Go(func() { l.grow(ctx) })
	defer func() { end(); growing.Wait() }()
	w := &writer[C, E]{l: l, fold: l.fold}
	if err := w.takeOver(ctx); err != nil {
		return err
	}
	l.log.Info("writing", "from", l.fold.seq)
	l.setRole(role{holder: l.cfg.Lease.Self(), writes: true})
	effects := make(chan struct{})
	go func() {
		defer close(effects)
		if l.cfg.WhileWriting != nil {
			l.cfg.WhileWriting(ctx)
		}
	}()
	err := w.loop(ctx)
	end() // whether the turn is over or the log is damaged: the effects must not go on
	l.stopWriting()
	w.refuseWaiting()
	<-effects
	return err
}

// takeOver catches up with the log and stores a group of its own at its head: whatever was sent before expects an earlier
// sequence, and can never be stored any more. Another's group there is not enough, since its writer may have sent the next.
func (w *writer[C, E]) takeOver(ctx context.Context) error {
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	for !w.stored {
		w.contested = true
		err := w.group(ctx, nil)
		if err == nil {
			err = w.waitForRoom(ctx)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err() // the turn may be over before it has begun
}

func (w *writer[C, E]) loop(ctx context.Context) error {
	for {
		batch, err := w.next(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			w.backlog = append(batch, w.backlog...)
			return err
		}
		if len(batch) == 0 {
			continue // a deadline moved, or another has written
		}
		if err := w.group(ctx, batch); err != nil {
			return err
		}
		if err := w.waitForRoom(ctx); err != nil {
			return err
		}
	}
}

// waitForRoom waits a little longer each time that the log was full.
func (w *writer[C, E]) waitForRoom(ctx context.Context) error {
	if !w.noRoom {
		w.room = backoff{}
		return nil
	}
	w.noRoom = false
	return w.room.wait(ctx)
}

// next waits for commands or deadlines and takes what is there; the publish before was the time to gather. Meanwhile it
// reads what others write.
func (w *writer[C, E]) next(ctx context.Context) ([]*pending[C, E], error) {
	batch := w.backlog
	w.backlog = nil
	if len(batch) == 0 {
		var deadline <-chan time.Time
		if at, ok := w.fold.machine.NextDue(); ok {
			timer := time.NewTimer(at.Sub(w.l.clock.Now()) * 100 / (100 + maxSlew)) // log time may run fast
			defer timer.Stop()
			deadline = timer.C
		}
		select {
		case p := <-w.l.queue:
			batch = take(batch, p)
		case <-deadline:
		case head := <-w.l.behind:
			if err := w.readTo(ctx, head, nil, nil); err != nil {
				return nil, err
			}
		case <-w.l.thaw:
			if !w.fold.merge() {
				notify(w.l.thaw)
			}
		case <-ctx.Done():
			return nil, nil
		}
	}
	for len(batch) < maxGroupEntries {
		select {
		case p := <-w.l.queue:
			batch = take(batch, p)
			continue
		default:
		}
		break
	}
	var due []*pending[C, E]
	for _, c := range w.fold.machine.Due(w.l.clock.Now()) {
		due = append(due, &pending[C, E]{body: c, notAfter: w.l.clock.Now().Add(maxNotAfter)})
	}
	return append(due, batch...), nil
}

func take[C, E any](batch []*pending[C, E], p *pending[C, E]) []*pending[C, E] {
	if !p.taken.CompareAndSwap(false, true) {
		return batch // its caller gave up
	}
	return append(batch, p)
}

// refuseWaiting tells the callers of commands that were never decided that this replica does not write any more.
func (w *writer[C, E]) refuseWaiting() {
	for _, p := range w.backlog {
		p.answer(outcome[E]{err: errNotWriter})
	}
	for {
		select {
		case p := <-w.l.queue:
			if p.taken.CompareAndSwap(false, true) {
				p.answer(outcome[E]{err: errNotWriter})
			}
		default:
			return
		}
	}
}

// group decides commands as one group, stores it and answers. What does not fit goes to the backlog. The error, if any,
// is ctx's or stops the partition.
func (w *writer[C, E]) group(ctx context.Context, batch []*pending[C, E]) error {
	w.l.storing.start()
	defer w.l.storing.stop()
	pause := backoff{}
	var seen uint64 // a head that the log had after the batch was taken
	for {
		from := w.fold.seq
		d := w.decide(batch)
		var settled bool
		var err error
		if d.decisions == 0 && !d.ends && !w.contested {
			settled, err = w.confirm(ctx, &seen)
		} else {
			settled, err = w.store(ctx, d)
		}
		switch {
		case errors.Is(err, ErrNotStored), errors.Is(err, ErrFull):
			return w.halve(ctx, batch, err)
		case err != nil:
			for _, p := range batch {
				p.answer(outcome[E]{err: ErrUnavailable})
			}
			return err
		case settled:
			for i, p := range d.decided {
				out := d.outcomes[i]
				if out.err == nil && out.result.Seq == 0 { // the log does not keep it
					out.result.Seq = w.fold.seq // it rests on all that was decided before it, this group included
				}
				p.answer(out)
			}
			w.keep(d.rest)
			if d.decisions == 0 && own(batch) {
				return pause.wait(ctx) // a deadline that changes nothing must not spin
			}
			return nil
		}
		batch = stillWaiting(batch)
		if w.fold.seq > from {
			continue // another's group came first; waiting would only let in more
		}
		if err := pause.wait(ctx); err != nil {
			for _, p := range batch {
				p.answer(outcome[E]{err: ErrUnavailable})
			}
			return err
		}
	}
}

// stillWaiting drops the commands whose callers gave up: they may have been told "no" elsewhere by now.
func stillWaiting[C, E any](batch []*pending[C, E]) []*pending[C, E] {
	return slices.DeleteFunc(batch, func(p *pending[C, E]) bool { return p.left.Load() })
}

// keep puts back what did not fit, but for deadlines: they are due again by themselves.
func (w *writer[C, E]) keep(rest []*pending[C, E]) {
	for _, p := range rest {
		if p.done != nil {
			w.backlog = append(w.backlog, p)
		}
	}
}

// own reports whether all commands are the writer's own deadlines.
func own[C, E any](batch []*pending[C, E]) bool {
	for _, p := range batch {
		if p.done != nil {
			return false
		}
	}
	return len(batch) > 0
}

// halve finds the command that makes a group impossible to store, or the most that a full log has room for.
func (w *writer[C, E]) halve(ctx context.Context, batch []*pending[C, E], why error) error {
	full := errors.Is(why, ErrFull)
	if full {
		w.noRoom = true
		w.l.noRoom()
	}
	switch len(batch) {
	case 0:
		if full {
			return nil // tried again
		}
		return why // a fence that cannot be sent: nothing can
	case 1:
		switch {
		case w.contested: // an earlier copy may still land
			batch[0].answer(outcome[E]{err: ErrUnavailable})
		case full:
			batch[0].answer(outcome[E]{err: w.l.refuseFull()})
		default:
			batch[0].answer(outcome[E]{err: es.Invalid("", "the log does not take it: %v", why)})
		}
		if own(batch) {
			return (&backoff{}).wait(ctx)
		}
		return nil
	}
	half := len(batch) / 2
	if err := w.group(ctx, batch[:half]); err != nil {
		w.backlog = append(w.backlog, batch[half:]...)
		return err
	}
	return w.group(ctx, batch[half:])
}

// decided is a group before it is stored.
type decided[C, E any] struct {
	group     []byte
	decisions int
	last      time.Time // log time of the last decision
	events    []Placed[E]
	ends      bool // the group is the last of its stream
	// decided and outcomes belong together; rest did not fit.
	decided  []*pending[C, E]
	outcomes []outcome[E]
	rest     []*pending[C, E]
}

// decide takes the commands' decisions, one after another, into the overlay.
func (w *writer[C, E]) decide(batch []*pending[C, E]) decided[C, E] {
	poison := make(map[*pending[C, E]]outcome[E])
	for {
		d, culprit, fault := w.tryDecide(batch, poison)
		if culprit == nil {
			return d
		}
		poison[culprit] = outcome[E]{err: fault}
	}
}

// tryDecide is decide; it starts over, with the culprit known, when an event cannot be applied.
func (w *writer[C, E]) tryDecide(batch []*pending[C, E], poison map[*pending[C, E]]outcome[E]) (d decided[C, E], culprit *pending[C, E], fault error) {
	w.fold.discard()
	g := &ledgerv1.Group{Version: groupVersion, Previous: previous(w.fold.chain), Writer: w.l.cfg.Lease.Self()}
	d.decided = make([]*pending[C, E], 0, len(batch))
	d.outcomes = make([]outcome[E], 0, len(batch))
	place := w.fold.next()
	entries, size := 0, 0 // an answer without entries counts as one
	for i, p := range batch {
		out, known := poison[p]
		d.ends = d.ends || p.last
		if !known && !p.last {
			var dec *ledgerv1.Decision
			var bytes int
			at := place
			at.At = w.l.clock.Now()
			dec, bytes, out = w.decideOne(p, &at)
			if dec != nil {
				n := max(len(dec.GetEntries()), 1)
				if entries > 0 && (entries+n > maxGroupEntries || size+bytes > maxGroupBytes) {
					d.rest = batch[i:]
					break
				}
				if err := guard(func() { w.fold.evolve(dec, at.At, out.result.Events) }); err != nil {
					return d, p, w.internal(err)
				}
				g.Decisions = append(g.Decisions, dec)
				d.decisions, d.last = d.decisions+1, at.At
				d.events = append(d.events, out.result.Events...)
				entries, size = entries+n, size+bytes
				place = at
			}
		}
		d.decided = append(d.decided, p)
		d.outcomes = append(d.outcomes, out)
	}
	if d.ends {
		g.Version, g.Last = lastVersion, true
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(g)
	if err != nil {
		panic(fmt.Sprintf("group: %v", err)) // bytes and numbers always marshal
	}
	d.group = raw
	return d, nil, nil
}

// decideOne decides one command at the given place, which it moves past the command's events. The decision is nil when
// there is nothing to store: the answer is stored already, or is not kept.
func (w *writer[C, E]) decideOne(p *pending[C, E], place *es.Place) (*ledgerv1.Decision, int, outcome[E]) {
	if p.id != "" {
		if a, ok := w.fold.answers.Get(p.id); ok {
			if a.hash != p.hash {
				return nil, 0, mismatch[E](p.id)
			}
			return nil, 0, a.outcome()
		}
	}
	if place.At.After(p.notAfter) {
		return nil, 0, outcome[E]{err: es.Refuse(es.ReasonDeadlineExceeded, "the command was not decided in its time")}
	}
	var events []E
	var err error
	if fault := guard(func() { events, err = w.fold.machine.Decide(place.At, p.body) }); fault != nil {
		err = w.internal(fault)
	}
	if err != nil || len(events) == 0 {
		return withoutEvents(p, *place, err)
	}
	if err := w.l.refuseGrowth(p.body); err != nil {
		return nil, 0, outcome[E]{err: err}
	}
	d := &ledgerv1.Decision{CommandId: p.id, PayloadHash: p.hash, AtMs: place.At.UnixMilli(), Entries: make([][]byte, len(events))}
	placed := make([]Placed[E], len(events))
	size, next := 0, *place
	for i, e := range events {
		var b []byte
		if fault := guard(func() { b, err = w.l.cfg.Codec.EncodeEvent(e) }); fault != nil || err != nil {
			return nil, 0, outcome[E]{err: w.internal(errors.Join(fault, err))}
		}
		d.Entries[i] = b
		size += len(b)
		placed[i] = Placed[E]{Place: next, Event: e}
		next.Index++
	}
	if size > maxCommandBytes {
		return keep(p, *place, es.Invalid("", "what follows from the command takes %d bytes, more than %d", size, maxCommandBytes))
	}
	*place = next
	return d, size, outcome[E]{result: Result[E]{Seq: next.Seq, Events: placed}}
}

func mismatch[E any](id string) outcome[E] {
	return outcome[E]{err: es.Refuse(es.ReasonPayloadMismatch, "command id %q was used for another command", id)}
}

// confirm makes sure that refusals rest on a state that is new enough: the fold has all that the log had at some moment
// after the commands were taken. seen is the head of such a moment; 0 when it was not read yet.
func (w *writer[C, E]) confirm(ctx context.Context, seen *uint64) (bool, error) {
	w.fold.discard()
	if *seen != 0 && w.fold.seq >= *seen {
		return true, nil
	}
	head, err := w.head(ctx)
	if err != nil {
		return false, nil //nolint:nilerr // asked again, until the writer's own context ends
	}
	*seen = head
	if head == w.fold.seq {
		return true, nil
	}
	return false, w.readTo(ctx, head, nil, nil)
}

// store appends the group. settled: it is in the log and folded, whether by a clear answer or found there.
func (w *writer[C, E]) store(ctx context.Context, d decided[C, E]) (settled bool, err error) {
	started := time.Now()
	// Not ctx: a publish on its way when the turn ends should still get its answer.
	actx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	err = w.l.cfg.Log.Append(actx, w.fold.seq, d.group)
	cancel()
	switch {
	case err == nil:
		w.fold.commit(w.fold.seq+1, d.group, d.last, d.events)
		w.contested, w.stored = false, true
		w.l.cfg.Metrics.Stored(w.l.cfg.Name, len(d.events), time.Since(started))
		return true, nil
	case errors.Is(err, ErrNotStored), errors.Is(err, ErrFull):
		w.fold.discard()
		return false, err
	}
	w.fold.discard()
	w.contested = true
	w.l.cfg.Metrics.Unknown(w.l.cfg.Name)
	w.l.log.Warn("append without a clear answer", "after", w.fold.seq, "error", err)
	head, err := w.head(ctx)
	if err != nil {
		return false, ctx.Err()
	}
	landed := false
	err = w.readTo(ctx, head, d.group, &landed)
	w.stored = w.stored || landed
	return landed, err
}

// head reads the log's head, in bounded time: a reply may be lost.
func (w *writer[C, E]) head(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return w.l.head(ctx)
}

// read reads one group, in bounded time: a reply may be lost.
func read(ctx context.Context, log Log, seq uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return log.Read(ctx, seq)
}

// catchUp folds the log up to its present head.
func (w *writer[C, E]) catchUp(ctx context.Context) error {
	pause := backoff{}
	for {
		head, err := w.head(ctx)
		if err == nil {
			if err = w.readTo(ctx, head, nil, nil); err != nil || w.fold.seq >= head {
				return err
			}
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// readTo folds the groups up to head. If one of them is the group sent, byte for byte, landed is set. It returns
// early without an error when the log cannot be read now.
func (w *writer[C, E]) readTo(ctx context.Context, head uint64, sent []byte, landed *bool) error {
	for seq := w.fold.seq + 1; seq <= head; seq++ {
		raw, err := read(ctx, w.l.cfg.Log, seq)
		if err != nil {
			if errors.Is(err, ErrLog) {
				return err
			}
			return ctx.Err()
		}
		if err := w.fold.apply(seq, raw); err != nil {
			return err
		}
		w.contested = false // something stands there
		if landed != nil && bytes.Equal(raw, sent) {
			*landed = true
		}
	}
	return nil
}

// internal is the refusal of a command that this code cannot handle; the fault goes to the log, not to the caller.
func (w *writer[C, E]) internal(fault error) error {
	w.l.log.Error("command refused by a fault", "error", fault)
	return es.Refuse(es.ReasonInternal, "internal error")
}

// guard turns a panic of the machine into an error.
func guard(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	f()
	return nil
}

// backoff waits a little longer each time.
type backoff struct{ pause time.Duration }

func (b *backoff) wait(ctx context.Context) error {
	b.pause = min(max(2*b.pause, 20*time.Millisecond), 500*time.Millisecond)
	timer := time.NewTimer(b.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
