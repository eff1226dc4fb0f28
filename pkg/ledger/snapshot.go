package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// snapshotVersion is the version of the ledger's own records in a snapshot that this code writes and reads.
const snapshotVersion = 1

const (
	// snapshotBytes is the least that the groups after a snapshot must have come to before the next one is made.
	snapshotBytes = 8 << 20
	// snapshotEvery is the least time between two snapshots.
	snapshotEvery = 10 * time.Second
	// snapshotTimeout bounds one call of Snapshots, but for those that carry a whole snapshot.
	snapshotTimeout = 5 * time.Second
)

// State has what a machine, and whatever else is folded by OnCommit, holds written and read, for snapshots.
type State struct {
	// Version of the records. A snapshot with another one is not used.
	Version uint32
	// Freeze has committed state stand still. It is called with that locked against change, and must be quick.
	Freeze func() Frozen
	// Restore reads records, in the order in which Frozen.Write gave them, until next returns io.EOF. It changes nothing:
	// install does, called once with committed state locked, if all that was read is sound.
	Restore func(next func() ([]byte, error)) (install func(), err error)
}

// Frozen is committed state as it was at one group. There is one at a time.
type Frozen interface {
	// Write puts all of it, record by record, each at most 1 MiB and not kept by put. Nothing is locked while it runs.
	Write(put func(record []byte) error) error
	// Thaw lets state change again, once Write has returned. It is called with committed state locked, again and again
	// until it is done; each call must be quick.
	Thaw() (done bool)
}

// snapshotKeeper makes snapshots while this replica writes, and starts from one.
type snapshotKeeper[C, E any] struct {
	l *Ledger[C, E]

	mu   sync.Mutex // held while one is made
	last SnapshotID // the last one that is known to be sound
	size int64      // its bytes
	// failing: the last attempt to make one failed.
	failing bool
}

// none reports that no snapshots are kept of this log.
func (k *snapshotKeeper[C, E]) none() bool {
	return k.l.cfg.Snapshots == nil || k.l.cfg.State == nil
}

// run makes a snapshot whenever one is due, until ctx ends.
func (k *snapshotKeeper[C, E]) run(ctx context.Context) {
	if k.none() {
		return
	}
	tick := time.NewTicker(k.l.cfg.Pace.every())
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if !k.l.Writes() || !k.l.cfg.Pace.due(k.l.fold.unsaved(), k.known()) {
			continue
		}
		_, err := k.make(ctx)
		if ctx.Err() != nil {
			return
		}
		if failing := err != nil && !errors.Is(err, errNotNow); failing != k.failing {
			if k.failing = failing; failing {
				k.l.log.Warn("no snapshot is made; a restart folds more of the log", "error", err)
			} else {
				k.l.log.Info("snapshots are made again")
			}
		}
	}
}

// known returns the size of the last snapshot that is known of.
func (k *snapshotKeeper[C, E]) known() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.size
}

// errNotNow says that there can be a snapshot after the next group.
var errNotNow = errors.New("committed state is not at a valid group, or has not thawed yet")

// make makes a snapshot of committed state as it is now, keeps it and the one before, and returns its sequence.
func (k *snapshotKeeper[C, E]) make(ctx context.Context) (seq uint64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if turn := k.l.cfg.Pace.Turn; turn != nil {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	f, ok := k.l.fold.freeze()
	if !ok {
		return 0, errNotNow
	}
	started := time.Now()
	ctx, stop := context.WithCancel(ctx)
	written := make(chan error, 1)
	r, w := io.Pipe()
	size := new(counted)
	go func() {
		err := f.write(ctx, k.l.cfg.Name, io.MultiWriter(size, w))
		_ = w.CloseWithError(err) // nil is the end
		written <- err
	}()
	id, err := k.l.cfg.Snapshots.Save(ctx, f.seq, r)
	_ = r.Close()
	stop()
	fault := <-written
	k.l.fold.thaw(f)
	notify(k.l.thaw)
	if err = errors.Join(err, fault); err != nil {
		return 0, err
	}
	k.l.fold.saved(f.folded)
	k.l.log.Info("snapshot made", "seq", f.seq, "bytes", size.n, "took", time.Since(started).Round(time.Millisecond))
	before := k.last
	k.last, k.size = id, size.n
	k.tidy(ctx, before)
	return f.seq, nil
}

// counted counts bytes.
type counted struct{ n int64 }

func (c *counted) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// tidy deletes all snapshots before the last one, but for the one before; if that is not known, but for the latest. Some
// may be what a crash has left.
func (k *snapshotKeeper[C, E]) tidy(ctx context.Context, before SnapshotID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotTimeout)
	defer cancel()
	ids, err := k.l.cfg.Snapshots.List(ctx)
	older := slices.DeleteFunc(newestFirst(ids), func(id SnapshotID) bool { return id.Seq > k.last.Seq || id == k.last })
	if !slices.Contains(older, before) && len(older) > 0 {
		before = older[0]
	}
	for _, id := range older {
		if id != before {
			err = errors.Join(err, k.l.cfg.Snapshots.Delete(ctx, id))
		}
	}
	if err != nil {
		k.l.log.Warn("older snapshots are not deleted", "error", err)
	}
}

func newestFirst(ids []SnapshotID) []SnapshotID {
	slices.SortFunc(ids, func(a, b SnapshotID) int { return b.compare(a) })
	return ids
}

// restore makes the newest usable snapshot committed state. Without one the log is folded from its first group. The error
// is ctx's, or that the log is damaged: a snapshot knows of more than it has, or its first group was dropped.
func (k *snapshotKeeper[C, E]) restore(ctx context.Context) error {
	if k.none() {
		return nil
	}
	ids, err := k.list(ctx)
	for pause, told := (backoff{}), false; err != nil; ids, err = k.list(ctx) {
		if k.whole(ctx) == nil {
			k.l.log.Warn("snapshots cannot be read: the log is folded from its first group", "error", err)
			return nil
		}
		if !told {
			k.l.log.Warn("waiting for the snapshots: the log cannot be folded without one", "error", err)
			told = true
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
	for _, id := range newestFirst(ids) {
		err := k.use(ctx, id)
		switch {
		case err == nil:
			k.last = id
			k.l.log.Info("started from a snapshot", "seq", id.Seq, "bytes", k.size)
			return nil
		case errors.Is(err, ErrLog):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		k.l.log.Warn("snapshot not used", "seq", id.Seq, "error", err)
	}
	err = k.whole(ctx)
	if len(ids) > 0 && err == nil {
		k.l.log.Warn("no snapshot can be used: the log is folded from its first group")
	}
	return err
}

func (k *snapshotKeeper[C, E]) list(ctx context.Context) ([]SnapshotID, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	return k.l.cfg.Snapshots.List(ctx)
}

// whole makes sure that the log can be folded from its first group: the error is ErrLog if that was dropped, or ctx's. It
// waits until that is known.
func (k *snapshotKeeper[C, E]) whole(ctx context.Context) error {
	b, ok := k.l.cfg.Log.(Begun)
	for pause := (backoff{}); ok; {
		first, _, err := b.Begin(ctx)
		switch {
		case err == nil && first > 1:
			return fmt.Errorf("%w: %s lacks its groups 1 to %d, which were dropped, and has no snapshot to start from without them: "+
				"put them back with `faceoff streams restore`", ErrLog, k.l.cfg.Name, first-1)
		case err == nil || errors.Is(err, ErrLog):
			return err
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// use makes a snapshot committed state. The error is ErrLog if the snapshot is sound and beyond the log's end.
func (k *snapshotKeeper[C, E]) use(ctx context.Context, id SnapshotID) error {
	in, err := k.l.cfg.Snapshots.Open(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	r := newSnapshotReader(in)
	h, err := r.fit(ctx, k.l.cfg.Name, id.Seq, k.l.cfg.Log, k.end)
	if err != nil {
		return err
	}
	if v := k.l.cfg.State.Version; h.GetStateVersion() != v {
		return fmt.Errorf("its state is of version %d, not %d", h.GetStateVersion(), v)
	}
	var install func()
	var answers *es.Window[string, answer[E]]
	fault := guard(func() {
		if answers, err = readAnswers(r, k.l.cfg.Codec.DecodeEvent); err == nil {
			install, err = k.l.cfg.State.Restore(r.state)
		}
	})
	if err = errors.Join(fault, err); err != nil {
		return err
	}
	if _, err := r.state(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("it has records that nobody has read"), err)
	}
	k.l.fold.install(h, answers, install)
	k.size = r.size
	return nil
}

// fit reads the header of a snapshot that is named as one of a log at seq, and makes sure that the log has that very group.
// The error is ErrLog if the snapshot is sound and beyond the log's end.
func (r *snapshotReader) fit(
	ctx context.Context, name string, seq uint64, log Log, head func(context.Context) (uint64, error),
) (*ledgerv1.SnapshotHeader, error) {
	h, err := r.header(name, seq)
	if err != nil {
		return nil, err
	}
	// The log's end is read after the list of snapshots: one that is made meanwhile is none beyond it.
	end, err := head(ctx)
	if err != nil {
		return nil, err
	}
	if seq > end {
		if err := r.skip(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s ends at %d, but there is a snapshot of it at %d", ErrLog, name, end, seq)
	}
	c, err := chainAt(ctx, log, seq)
	if err != nil {
		return nil, err
	}
	if c.hash != [32]byte(h.GetChain()) {
		return nil, fmt.Errorf("the log has another group %d: %x, not %x", seq, c.hash[:6], h.GetChain()[:6])
	}
	return h, nil
}

// LatestSnapshot returns the group of the newest snapshot that is whole and of the very group that the log has there; 0 if
// there is none. Whether a service can read the state in it is not known here. The error is ErrLog if the log lacks the
// group of a sound one.
func LatestSnapshot(ctx context.Context, name string, snapshots Snapshots, log Log) (seq uint64, err error) {
	ids, err := snapshots.List(ctx)
	if err != nil {
		return 0, fmt.Errorf("snapshots of %s: %w", name, err)
	}
	for _, id := range newestFirst(ids) {
		err := probe(ctx, name, snapshots, log, id)
		switch {
		case err == nil:
			return id.Seq, nil
		case errors.Is(err, ErrLog):
			return 0, err
		case ctx.Err() != nil:
			return 0, ctx.Err()
		}
	}
	return 0, nil
}

// probe reads a snapshot to its end.
func probe(ctx context.Context, name string, snapshots Snapshots, log Log, id SnapshotID) error {
	in, err := snapshots.Open(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	r := newSnapshotReader(in)
	if _, err := r.fit(ctx, name, id.Seq, log, log.Head); err != nil {
		return err
	}
	return r.skip()
}

// end reads the log's head; it waits until that can be read.
func (k *snapshotKeeper[C, E]) end(ctx context.Context) (uint64, error) {
	for pause := (backoff{}); ; {
		hctx, cancel := context.WithTimeout(ctx, headTimeout)
		at, err := k.l.head(hctx)
		cancel()
		if err == nil || errors.Is(err, ErrLog) {
			return at, err
		}
		if err := pause.wait(ctx); err != nil {
			return 0, err
		}
	}
}

// frozen is a fold's committed state at one group.
type frozen[E any] struct {
	seq          uint64
	chain, void  [32]byte
	last         time.Time
	age          time.Duration
	folded       int64 // bytes of groups since the snapshot before
	answers      []es.Part[string, answer[E]]
	state        Frozen
	stateVersion uint32
	encode       func(E) ([]byte, error)
}

// freeze has committed state stand still. ok is false if it is not at a valid group, or has not thawed yet.
func (f *fold[C, E]) freeze() (_ *frozen[E], ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thawing != nil || f.valid == 0 || f.valid != f.seq {
		return nil, false
	}
	return &frozen[E]{
		seq: f.seq, chain: f.chain, void: f.void, last: f.last, age: f.age, folded: f.folded,
		answers: f.answers.Freeze(), state: f.cfg.State.Freeze(), stateVersion: f.cfg.State.Version, encode: f.cfg.Codec.EncodeEvent,
	}, true
}

// thaw has what was committed meanwhile merged by who folds: no one else may, since who decides reads without a lock.
func (f *fold[C, E]) thaw(x *frozen[E]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.thawing = func() bool {
		state, answers := x.state.Thaw(), es.Thaw(f.answers)
		return state && answers
	}
}

// merge merges a part of what was committed while state was frozen, and reports whether that is all.
func (f *fold[C, E]) merge() (done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mergeLocked()
}

func (f *fold[C, E]) mergeLocked() (done bool) {
	if f.thawing != nil && f.thawing() {
		f.thawing = nil
	}
	return f.thawing == nil
}

// notify wakes who waits on a channel with room for one.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// unsaved returns how many bytes of groups have been folded since the last snapshot.
func (f *fold[C, E]) unsaved() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.folded
}

// saved takes off what a snapshot has covered.
func (f *fold[C, E]) saved(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.folded -= bytes
}

// install makes what was read from a snapshot committed state.
func (f *fold[C, E]) install(h *ledgerv1.SnapshotHeader, answers *es.Window[string, answer[E]], state func()) {
	f.mu.Lock()
	state()
	f.answers = answers
	f.seq, f.valid = h.GetSeq(), h.GetSeq()
	copy(f.chain[:], h.GetChain())
	copy(f.void[:], h.GetVoid())
	f.age = time.Duration(h.GetAgeMs()) * time.Millisecond
	if ms := h.GetLastMs(); ms != 0 {
		f.last = time.UnixMilli(ms).UTC()
		f.clock.observe(f.last)
	}
	f.mu.Unlock()
	f.applied.set(h.GetSeq())
}

// write writes the snapshot.
func (x *frozen[E]) write(ctx context.Context, log string, out io.Writer) error {
	w := newSnapshotWriter(ctx, out)
	h := &ledgerv1.SnapshotHeader{
		Version: snapshotVersion, StateVersion: x.stateVersion, Log: log, Seq: x.seq, Chain: x.chain[:], Void: previous(x.void),
		AgeMs: x.age.Milliseconds(),
	}
	if !x.last.IsZero() {
		h.LastMs = x.last.UnixMilli()
	}
	if err := w.put(&ledgerv1.SnapshotRecord{Record: &ledgerv1.SnapshotRecord_Header{Header: h}}); err != nil {
		return err
	}
	for i, p := range x.answers {
		part := &ledgerv1.AnswersPart{StartMs: p.Start.UnixMilli(), LastMs: p.Last.UnixMilli(), Size: uint32(p.Len)}
		if err := w.put(&ledgerv1.SnapshotRecord{Record: &ledgerv1.SnapshotRecord_Part{Part: part}}); err != nil {
			return err
		}
		for id, a := range p.Values {
			accepted, err := accepted(a.result, x.encode)
			if err != nil {
				return err
			}
			record := &ledgerv1.Answer{Part: uint32(i), CommandId: id, PayloadHash: a.hash, Accepted: accepted}
			if r := a.refusal; r != nil {
				record.Refusal = &ledgerv1.Decision_Refusal{Reason: r.Reason, Detail: r.Detail, Field: r.Field}
			}
			if err := w.put(&ledgerv1.SnapshotRecord{Record: &ledgerv1.SnapshotRecord_Answer{Answer: record}}); err != nil {
				return err
			}
		}
	}
	state := new(ledgerv1.SnapshotRecord_State)
	err := x.state.Write(func(record []byte) error {
		state.State = record
		return w.put(&ledgerv1.SnapshotRecord{Record: state})
	})
	if err != nil {
		return err
	}
	return w.end()
}

// readAnswers reads the parts and answers of a snapshot.
func readAnswers[E any](r *snapshotReader, decode func([]byte) (E, error)) (*es.Window[string, answer[E]], error) {
	answers := es.NewWindow[string, answer[E]](answersKept)
	for {
		record, err := r.peek()
		if err != nil {
			return nil, err
		}
		switch x := record.GetRecord().(type) {
		case *ledgerv1.SnapshotRecord_Part:
			p := x.Part
			answers.RestorePart(time.UnixMilli(p.GetStartMs()), time.UnixMilli(p.GetLastMs()), int(p.GetSize()))
		case *ledgerv1.SnapshotRecord_Answer:
			result, err := readAccepted(x.Answer.GetAccepted(), decode)
			if err != nil {
				return nil, err
			}
			a := answer[E]{hash: x.Answer.GetPayloadHash(), result: result, refusal: refusalOf(x.Answer.GetRefusal())}
			if !answers.Restore(int(x.Answer.GetPart()), x.Answer.GetCommandId(), a) {
				return nil, fmt.Errorf("an answer of part %d, which there is not", x.Answer.GetPart())
			}
		default:
			return answers, nil
		}
		r.taken()
	}
}
