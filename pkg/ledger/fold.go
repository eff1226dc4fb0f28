package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Versions of the group format that this code writes and reads. That of a stream's last group stops code that would not
// look for the next one elsewhere.
const (
	groupVersion = 1
	lastVersion  = 2
)

// ErrLog says that the stored log is not what it must be: a gap, an unreadable group or event, a head behind what was
// read before. It stops the partition.
var ErrLog = errors.New("the log is damaged")

// fold is a partition's committed state: the machine's, the answers to known command ids, and how far the log has been
// read. One goroutine at a time changes it; readers hold mu.
type fold[C, E any] struct {
	cfg     Config[C, E]
	clock   *logClock
	applied *watermark

	mu      sync.RWMutex
	machine es.Machine[C, E]
	answers *es.Window[string, answer[E]]
	seq     uint64
	valid   uint64        // sequence of the last valid group
	fence   head          // the log must have it
	last    time.Time     // log time of the last decision
	age     time.Duration // time that answers have aged; see aged
	chain   [32]byte      // hash of the last valid group
	void    [32]byte      // hash of the last void one
	folded  int64         // bytes of groups since the last snapshot
	thawing func() bool   // merges a part of what was committed during a snapshot, and reports whether that is all
}

func newFold[C, E any](cfg Config[C, E], clock *logClock) *fold[C, E] {
	return &fold[C, E]{
		cfg:     cfg,
		clock:   clock,
		machine: cfg.Machine,
		answers: es.NewWindow[string, answer[E]](answersKept),
		applied: newWatermark(),
	}
}

// next is the place of the first event of the group after the fold, but for its log time.
func (f *fold[C, E]) next() es.Place {
	return es.Place{Seq: f.seq + 1, Chain: f.chain}
}

// evolve takes a decision at the given log time into the overlay: its events, and the answer that a repeat gets.
func (f *fold[C, E]) evolve(d *ledgerv1.Decision, at time.Time, events []Placed[E]) {
	for _, e := range events {
		f.machine.Evolve(e.Place, e.Event)
	}
	if d.GetCommandId() != "" {
		a := answer[E]{hash: d.GetPayloadHash(), result: Result[E]{Seq: f.seq + 1, Events: events}, refusal: refusalOf(d.GetRefusal())}
		f.answers.Set(d.GetCommandId(), a, time.Unix(0, 0).Add(f.aged(at)))
	}
}

// maxAging is how much one decision can age the answers.
const maxAging = time.Minute

// aged is the age at a decision. Log time may jump ahead when a replica takes over whose clock is ahead; answers must not be
// forgotten by that, since it is just then that callers try again.
func (f *fold[C, E]) aged(at time.Time) time.Duration {
	if f.last.IsZero() {
		return 0
	}
	return f.age + min(max(at.Sub(f.last), 0), maxAging)
}

// commit merges the overlay, which holds exactly the given group, as the group at seq. last is the log time of its last
// decision, zero for a fence.
func (f *fold[C, E]) commit(seq uint64, group []byte, last time.Time, events []Placed[E]) {
	f.mu.Lock()
	f.machine.Commit()
	f.answers.Commit()
	f.seq, f.valid = seq, seq
	f.chain = sha256.Sum256(group)
	f.folded += int64(len(group))
	f.mergeLocked()
	if !last.IsZero() {
		f.age, f.last = f.aged(last), last
		f.clock.observe(last)
	}
	if f.cfg.OnCommit != nil {
		f.cfg.OnCommit(Group[E]{Seq: seq, Events: events})
	}
	f.mu.Unlock()
	f.applied.set(seq)
}

// skip passes a void group.
func (f *fold[C, E]) skip(seq uint64, group []byte) {
	f.mu.Lock()
	f.seq, f.void = seq, sha256.Sum256(group)
	f.mu.Unlock()
	f.applied.set(seq)
	f.cfg.Metrics.Void(f.cfg.Name)
}

func (f *fold[C, E]) discard() {
	f.machine.Discard()
	f.answers.Discard()
}

// head is the last valid group in committed state.
func (f *fold[C, E]) head() head {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return head{seq: f.valid, chain: f.chain}
}

// known returns what the log cannot end before: how far it has been read, and the head that was saved.
func (f *fold[C, E]) known() (applied, fence uint64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.seq, f.fence.seq
}

func (f *fold[C, E]) setFence(h head) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fence = h
}

// apply folds a stored group. At the saved head all before it must be as it was.
func (f *fold[C, E]) apply(seq uint64, raw []byte) error {
	err := f.take(seq, raw)
	if err == nil && seq == f.fence.seq {
		err = f.fence.check(f.cfg.Name, f.chain)
	}
	return err
}

func (f *fold[C, E]) take(seq uint64, raw []byte) error {
	if seq != f.seq+1 {
		return fmt.Errorf("%w: %s: group %d came after %d", ErrLog, f.cfg.Name, seq, f.seq)
	}
	g, void, err := decodeGroup(raw, f.chain)
	if err != nil {
		return fmt.Errorf("%w: %s: group %d: %w", ErrLog, f.cfg.Name, seq, err)
	}
	if void {
		if f.void != ([32]byte{}) && bytes.Equal(g.GetPrevious(), f.void[:]) {
			return fmt.Errorf("%w: %s: group %d goes on from a void one: the log is not the one that was read before", ErrLog, f.cfg.Name, seq)
		}
		f.cfg.Logger.Error("void group: it does not fit the chain", "log", f.cfg.Name, "seq", seq, "writer", g.GetWriter())
		f.skip(seq, raw)
		return nil
	}
	f.discard()
	var all []Placed[E]
	place := f.next()
	for _, d := range g.GetDecisions() {
		events, err := decodeDecision(d, &place, f.cfg.Codec.DecodeEvent)
		if err != nil {
			return fmt.Errorf("%w: %s: group %d: %w", ErrLog, f.cfg.Name, seq, err)
		}
		f.evolve(d, place.At, events)
		all = append(all, events...)
	}
	f.commit(seq, raw, place.At, all)
	return nil
}

// decodeGroup reads a group's frame. void: its link to the group before is not chain.
func decodeGroup(raw []byte, chain [32]byte) (g *ledgerv1.Group, void bool, err error) {
	g = new(ledgerv1.Group)
	if err := proto.Unmarshal(raw, g); err != nil {
		return nil, false, err
	}
	if v := g.GetVersion(); v != groupVersion && (v != lastVersion || !g.GetLast()) {
		return nil, false, fmt.Errorf("version %d is not known here", g.GetVersion())
	}
	return g, !bytes.Equal(g.GetPrevious(), previous(chain)), nil
}

// previous is the link that the group after chain must hold.
func previous(chain [32]byte) []byte {
	if chain == [32]byte{} {
		return nil
	}
	return chain[:]
}

// decodeDecision reads a decision's events, none if it only keeps an answer; place is that of its first event, and is moved
// past its last.
func decodeDecision[E any](d *ledgerv1.Decision, place *es.Place, decode func([]byte) (E, error)) ([]Placed[E], error) {
	switch n := len(d.GetEntries()); {
	case n == 0 && d.GetCommandId() == "":
		return nil, errors.New("a decision with neither entries nor a command id")
	case n > 0 && d.GetRefusal() != nil:
		return nil, errors.New("a refusal with entries")
	}
	place.At = time.UnixMilli(d.GetAtMs()).UTC()
	events := make([]Placed[E], len(d.GetEntries()))
	for i, b := range d.GetEntries() {
		e, err := decode(b)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", place.Index, err)
		}
		events[i] = Placed[E]{Place: *place, Event: e}
		place.Index++
	}
	return events, nil
}

// watermark is a sequence that others wait for.
type watermark struct {
	mu      sync.Mutex
	seq     uint64
	ended   bool
	changed chan struct{}
}

func newWatermark() *watermark {
	return &watermark{changed: make(chan struct{})}
}

func (w *watermark) set(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq = seq
	close(w.changed)
	w.changed = make(chan struct{})
}

// end tells all who wait that the sequence does not move any more.
func (w *watermark) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *watermark) get() (seq uint64, ended bool, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seq, w.ended, w.changed
}

func (w *watermark) wait(ctx context.Context, seq uint64) error {
	for {
		at, ended, changed := w.get()
		switch {
		case at >= seq:
			return nil
		case ended:
			return ErrUnavailable
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
