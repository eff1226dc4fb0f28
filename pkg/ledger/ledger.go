// Package ledger decides commands in one serial order and keeps what follows from them in one log.
//
// A Ledger is one partition on one replica. Of the replicas of a partition one writes: it takes what commands are queued,
// decides them one after another in memory, stores all that follows as one message (a group), and answers when that
// message is safe. The others follow the same log into the same state, forward commands to the writer and serve reads.
//
// What is promised, and how (docs/architecture/ledger.md):
//
//   - An answer is given only when the log has it: "yes" after the group is stored, "no" as well if the command has an id,
//     else after the log's head has been seen to be the state that said so.
//   - Every publish expects the sequence that the writer's state has reached, so of two writers at most one wins; who
//     holds the lease does not matter for that.
//   - A publish without a clear answer is unknown, not failed: the writer reads the log, and until some group is stored
//     at that position nobody gets an answer.
//   - Each group holds the hash of the one before; one that does not fit is void for every reader.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Bounds of one group and one command.
const (
	maxGroupEntries = 512
	maxGroupBytes   = 256 << 10
	maxCommandBytes = 128 << 10
)

const (
	// maxNotAfter bounds how long a command may wait before it is decided.
	maxNotAfter = 60 * time.Second
	// answersKept is the log time for which a command id gets its first answer again. It is far more than maxNotAfter,
	// so a copy of a command that was delayed on its way cannot run twice.
	answersKept = 10 * time.Minute
)

// patience is how long Submit looks for a replica that writes. A lease runs out and is taken in less.
const patience = 10 * time.Second

// ErrUnavailable says that the outcome of a command is not known: no replica could write, or its answer was lost. The
// command may have been decided or may still be; submitting it again with the same id is safe.
var ErrUnavailable = errors.New("no replica can answer now; the outcome is not known")

// Codec turns events and commands into bytes and back. Events are for ever: what EncodeEvent gave once, DecodeEvent of
// every later version reads. Commands only pass between replicas that run now.
type Codec[C, E any] interface {
	EncodeEvent(E) ([]byte, error)
	DecodeEvent([]byte) (E, error)
	EncodeCommand(C) ([]byte, error)
	DecodeCommand([]byte) (C, error)
}

// Command asks for a decision.
type Command[C any] struct {
	// ID makes repeats harmless: for 10 minutes of log time the same id gets the first answer again, be it a refusal; but
	// not one of the moment, such as RATE_LIMITED, nor of a malformed command (INVALID_ARGUMENT). Empty: the machine itself
	// knows repeats.
	ID string
	// Payload is what a repeat with the same ID must equal, byte for byte; another one is refused (PAYLOAD_MISMATCH).
	// It is the caller's request, without ids that the server makes for it. Nil: the encoded Body.
	Payload []byte
	// NotAfter is the time after which the command must not be decided any more. At most, and by default, the earlier of
	// the context's deadline and 60 s from now.
	NotAfter time.Time
	Body     C
}

// Result is the answer to a command that was not refused.
type Result[E any] struct {
	// Seq is the sequence of the log that the answer rests on: the group that holds it, or, when none does, the head at the
	// decision.
	Seq uint64
	// Events that followed from the command, with their places. Those of the first time when the command is a repeat.
	Events []Placed[E]
}

// Placed is an event with its place in the log.
type Placed[E any] struct {
	es.Place
	Event E
}

// Group is one valid message of the log.
type Group[E any] struct {
	Seq    uint64
	Events []Placed[E]
}

// Config of one partition.
type Config[C, E any] struct {
	// Name of the log, COHOST_00.
	Name string
	// Store is what it is kept in.
	Store
	Machine es.Machine[C, E]
	Codec   Codec[C, E]

	// OnCommit is told every committed group in order, on every replica: from the first of the log on, or from the first
	// after the snapshot that State has restored. It runs with committed state locked against change and must not block or
	// call the ledger.
	OnCommit func(Group[E])
	// WhileWriting runs while this replica writes: consumers of other logs, effects. Its context ends when the replica
	// stops writing; it must return then.
	WhileWriting func(context.Context)
	// Admit runs on the writing replica before a command is queued; it may wait, say for another log's consumer.
	Admit func(context.Context, C) error
	// Grows reports whether a command adds new business: while the log is nearly full it is refused (RATE_LIMITED) instead
	// of stored. It runs on the writer, between decisions. Nil: none does.
	Grows func(C) bool

	// State has committed state kept beside the log now and then, if the store takes snapshots. Nil: every start folds the
	// log from its first group.
	State *State

	// Logger and Metrics may be nil.
	Logger  *slog.Logger
	Metrics Metrics
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
}

// Metrics is told what a partition does.
type Metrics interface {
	// Stored is called for every group this replica wrote, with its entries and the time until the log had it.
	Stored(log string, entries int, took time.Duration)
	// Void is called for every group that did not fit the chain.
	Void(log string)
	// Unknown is called for every append without a clear answer.
	Unknown(log string)
	// Writer is called when this replica starts (true) or stops (false) writing.
	Writer(log string, writes bool)
	// ClockOff is called, every 2 s, with how much this replica's wall clock is ahead of that of where the log is kept.
	ClockOff(log string, by time.Duration)
	// Size is called every few seconds while this replica writes a log that knows its size: the bytes that are taken, the
	// most there may be (0: no limit), and whether the log is nearly full.
	Size(log string, used, limit uint64, nearlyFull bool)
}

// Ledger is one partition on one replica.
type Ledger[C, E any] struct {
	cfg   Config[C, E]
	log   *slog.Logger
	clock *logClock
	fold  *fold[C, E]
	queue chan *pending[C, E]
	// behind tells the writer of a head that its fold has not reached: a rival has written.
	behind chan uint64
	// clockOff: this replica's wall clock is too far from that of where the log is kept.
	clockOff atomic.Bool
	// clockAhead is by how much, in ns, when they were last compared.
	clockAhead atomic.Int64
	// storing runs while a group is on its way into the log.
	storing stopwatch
	growth  growth
	// thaw tells the writer to thaw what a snapshot has frozen, when it has nothing else to do.
	thaw      chan struct{}
	snapshots snapshotKeeper[C, E]

	mu     sync.Mutex
	role   role
	change chan struct{} // closed when role changes

	damage  chan error    // what stops the partition
	stopped chan struct{} // closed when Run has ended
}

// role is what this replica knows about who writes.
type role struct {
	// holder of the lease; "" if unknown.
	holder string
	// writes: this replica holds the lease, has caught up and has settled the head with a group of its own.
	writes bool
}

// pending is a command on its way through the writer.
type pending[C, E any] struct {
	id       string
	hash     uint64
	notAfter time.Time // log time
	body     C
	last     bool            // instead of a command: the group ends its stream
	taken    atomic.Bool     // by the writer, or by a caller who gave up; whoever sets it
	left     atomic.Bool     // the caller gave up after the writer took it
	done     chan outcome[E] // nil for the writer's own
}

type outcome[E any] struct {
	result Result[E]
	err    error
	final  bool // not to be tried again although the error is ErrUnavailable: it was not tried at all
}

// again is a fresh copy of a command that nobody has decided.
func (p *pending[C, E]) again() *pending[C, E] {
	return &pending[C, E]{id: p.id, hash: p.hash, notAfter: p.notAfter, body: p.body, last: p.last, done: make(chan outcome[E], 1)}
}

func (p *pending[C, E]) answer(o outcome[E]) {
	if p.done != nil {
		p.done <- o
	}
}

// New makes a Ledger; nothing runs yet.
func New[C, E any](cfg Config[C, E]) *Ledger[C, E] {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = noMetrics{}
	}
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	clock := &logClock{wall: cfg.Wall}
	l := &Ledger[C, E]{
		cfg:    cfg,
		log:    cfg.Logger.With("log", cfg.Name),
		clock:  clock,
		fold:   newFold(cfg, clock),
		queue:  make(chan *pending[C, E], 2*maxGroupEntries),
		behind: make(chan uint64, 1),
		thaw:   make(chan struct{}, 1),
		change: make(chan struct{}),

		damage:  make(chan error, 1),
		stopped: make(chan struct{}),
	}
	l.snapshots.l = l
	return l
}

// Submit has a command decided, here or at the replica that writes, and returns when the answer is in this replica's
// committed state. Errors: a *es.Refusal (certain), es.ErrLater (certain: nothing was done), or anything else, such as
// ErrUnavailable or the context's error: unknown.
func (l *Ledger[C, E]) Submit(ctx context.Context, c Command[C]) (Result[E], error) {
	p, err := l.accept(ctx, c)
	if err != nil {
		return Result[E]{}, err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.notAfter.Sub(l.clock.Now())+patience)
		defer cancel()
	}
	giveUp := time.Now().Add(patience)
	for {
		r, changed := l.whoWrites()
		out := outcome[E]{err: errNotWriter}
		switch {
		case r.writes:
			out = l.decideHere(ctx, p.again())
		case r.holder != "" && r.holder != l.cfg.Lease.Self():
			out.result, out.err = l.forward(ctx, r.holder, p)
		}
		if out.final || !errors.Is(out.err, ErrUnavailable) && !errors.Is(out.err, errNotWriter) {
			return out.result, out.err
		}
		// An unknown outcome is no danger here: the same command is known by its id, or by the machine.
		if err := l.waitForWriter(ctx, changed, giveUp); err != nil {
			return Result[E]{}, fmt.Errorf("%w: %w", err, out.err)
		}
	}
}

// waitForWriter waits a moment, or until another replica writes.
func (l *Ledger[C, E]) waitForWriter(ctx context.Context, changed <-chan struct{}, giveUp time.Time) error {
	if time.Now().After(giveUp) {
		return ErrUnavailable
	}
	timer := time.NewTimer(leaseEvery / 5)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-l.stopped:
		return ErrUnavailable
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	return nil
}

func (l *Ledger[C, E]) accept(ctx context.Context, c Command[C]) (*pending[C, E], error) {
	p := &pending[C, E]{id: c.ID, notAfter: c.NotAfter, body: c.Body}
	wait := maxNotAfter
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	if !c.NotAfter.IsZero() {
		wait = min(wait, time.Until(c.NotAfter))
	}
	p.notAfter = l.clock.Now().Add(wait)
	if c.ID != "" {
		if c.Payload == nil {
			b, err := l.cfg.Codec.EncodeCommand(c.Body)
			if err != nil {
				return nil, err
			}
			c.Payload = b
		}
		sum := sha256.Sum256(c.Payload)
		p.hash = binary.BigEndian.Uint64(sum[:8])
	}
	return p, nil
}

// errNotWriter says that a command was not decided because this replica does not write; certain.
var errNotWriter = errors.New("this replica does not write")

// decideHere queues a command for this replica's writer and waits for its answer.
func (l *Ledger[C, E]) decideHere(ctx context.Context, p *pending[C, E]) outcome[E] {
	if l.cfg.Admit != nil && !p.last {
		if err := l.cfg.Admit(ctx, p.body); err != nil {
			return outcome[E]{err: err, final: true}
		}
	}
	r, changed := l.whoWrites()
	if !r.writes {
		return outcome[E]{err: errNotWriter}
	}
	select {
	case l.queue <- p:
	case <-changed:
		return outcome[E]{err: errNotWriter}
	case <-ctx.Done():
		return outcome[E]{err: ctx.Err()}
	}
	for {
		select {
		case out := <-p.done:
			return out
		case <-l.stopped:
			select {
			case out := <-p.done: // answered before the end
				return out
			default:
				return outcome[E]{err: ErrUnavailable}
			}
		case <-changed:
			if r, changed = l.whoWrites(); !r.writes && p.taken.CompareAndSwap(false, true) {
				return outcome[E]{err: errNotWriter}
			}
		case <-ctx.Done():
			if p.taken.CompareAndSwap(false, true) {
				return outcome[E]{err: ctx.Err()}
			}
			p.left.Store(true)
			return outcome[E]{err: errors.Join(ErrUnavailable, ctx.Err())}
		}
	}
}

// Answered reports whether a command has its answer already, be it a refusal: it is a repeat. If its id was used for another payload it is
// refused with PAYLOAD_MISMATCH.
func (l *Ledger[C, E]) Answered(c Command[C]) (bool, error) {
	p, err := l.accept(context.Background(), c)
	if err != nil || p.id == "" {
		return false, err
	}
	l.fold.mu.RLock()
	defer l.fold.mu.RUnlock()
	a, ok := l.fold.answers.Committed(p.id)
	if ok && a.hash != p.hash {
		return false, mismatch[E](p.id).err
	}
	return ok, nil
}

// View calls read with committed state locked against change. read must be short.
func (l *Ledger[C, E]) View(read func()) {
	l.fold.mu.RLock()
	defer l.fold.mu.RUnlock()
	read()
}

// Applied returns the sequence that committed state has reached.
func (l *Ledger[C, E]) Applied() uint64 {
	l.fold.mu.RLock()
	defer l.fold.mu.RUnlock()
	return l.fold.seq
}

// WaitApplied waits until committed state has reached seq.
func (l *Ledger[C, E]) WaitApplied(ctx context.Context, seq uint64) error {
	return l.fold.applied.wait(ctx, seq)
}

// Sync waits until committed state has reached the head that the log has now, so that a read after it sees everything
// acknowledged before it.
func (l *Ledger[C, E]) Sync(ctx context.Context) error {
	head, err := l.head(ctx)
	if err != nil {
		return err
	}
	return l.WaitApplied(ctx, head)
}

// Now returns log time as this replica knows it, in whole milliseconds.
func (l *Ledger[C, E]) Now() time.Time {
	return l.clock.Now()
}

// Writes reports whether this replica writes now.
func (l *Ledger[C, E]) Writes() bool {
	r, _ := l.whoWrites()
	return r.writes
}

func (l *Ledger[C, E]) whoWrites() (role, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.role, l.change
}

// stopWriting keeps what is known of another holder.
func (l *Ledger[C, E]) stopWriting() {
	r, _ := l.whoWrites()
	if r.holder == l.cfg.Lease.Self() {
		r.holder = ""
	}
	l.setRole(role{holder: r.holder})
}

func (l *Ledger[C, E]) setRole(r role) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.role == r {
		return
	}
	if l.role.writes != r.writes {
		l.cfg.Metrics.Writer(l.cfg.Name, r.writes)
	}
	l.role = r
	close(l.change)
	l.change = make(chan struct{})
}

type noMetrics struct{}

func (noMetrics) Stored(string, int, time.Duration) {}
func (noMetrics) Void(string)                       {}
func (noMetrics) Unknown(string)                    {}
func (noMetrics) Writer(string, bool)               {}
func (noMetrics) ClockOff(string, time.Duration)    {}
func (noMetrics) Size(string, uint64, uint64, bool) {}
