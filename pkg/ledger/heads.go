package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

// headVersion is the version of a saved head that this code writes and reads.
const headVersion = 1

const (
	// headEvery is how often the head of a log that grows is saved: what a lost end may take with it unnoticed.
	headEvery = time.Second
	// headTimeout bounds one call of Heads.
	headTimeout = time.Second
	// watchEvery is how often a log's end is compared with what is known of it.
	watchEvery = 2 * time.Second
)

// head is a valid group, and the hash that stands for it and for all before it.
type head struct {
	seq   uint64
	chain [32]byte
}

func (h head) encode(log, writer string) ([]byte, error) {
	return proto.Marshal(&ledgerv1.Head{Version: headVersion, Log: log, Seq: h.seq, Chain: h.chain[:], Writer: writer})
}

// decodeHead reads what was saved for a log; the zero head if nothing was.
func decodeHead(log string, raw []byte) (head, error) {
	if raw == nil {
		return head{}, nil
	}
	saved := new(ledgerv1.Head)
	err := proto.Unmarshal(raw, saved)
	switch {
	case err != nil:
	case saved.GetVersion() != headVersion:
		err = fmt.Errorf("version %d is not known here", saved.GetVersion())
	case saved.GetLog() != log:
		err = fmt.Errorf("it is the head of %q", saved.GetLog())
	case saved.GetSeq() == 0 || len(saved.GetChain()) != sha256.Size:
		err = errors.New("it is incomplete")
	}
	if err != nil {
		return head{}, fmt.Errorf("%w: the head saved for %s: %w", ErrLog, log, err)
	}
	return head{seq: saved.GetSeq(), chain: [32]byte(saved.GetChain())}, nil
}

// headKeeper saves how far this replica has written, and knows what was saved before.
type headKeeper[C, E any] struct {
	l        *Ledger[C, E]
	saved    head
	revision uint64
	failing  bool
}

// fence reads the saved head and makes sure that the log has it. It waits until both can be read.
func (k *headKeeper[C, E]) fence(ctx context.Context) error {
	if k.l.cfg.Heads == nil {
		return nil
	}
	for pause, told := (backoff{}), false; ; {
		err := k.load(ctx)
		if err == nil {
			k.l.fold.setFence(k.saved)
			err = k.compare(ctx)
		}
		if err == nil || errors.Is(err, ErrLog) {
			return err
		}
		if !told {
			k.l.log.Warn("waiting for the saved head and the log", "error", err)
			told = true
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

func (k *headKeeper[C, E]) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	raw, revision, err := k.l.cfg.Heads.Load(ctx)
	if err != nil {
		return err
	}
	if k.saved, err = decodeHead(k.l.cfg.Name, raw); err == nil {
		k.revision = revision
	}
	return err
}

// compare makes sure that the log reaches the saved head, and holds that very group there. That all before it is what it
// was too, the fold finds out.
func (k *headKeeper[C, E]) compare(ctx context.Context) error {
	hctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	at, err := k.l.head(hctx)
	switch {
	case err != nil:
		return err
	case k.saved.seq == 0 && at > 0:
		k.l.log.Warn("no head is saved for the log: whether it has lost its end cannot be known", "ends at", at)
	case k.saved.seq > 0:
		raw, err := read(ctx, k.l.cfg.Log, k.saved.seq)
		if err != nil {
			return err
		}
		return k.saved.check(k.l.cfg.Name, sha256.Sum256(raw))
	}
	return nil
}

// check compares the hash that the log has at the head's sequence.
func (h head) check(log string, found [32]byte) error {
	if found != h.chain {
		return fmt.Errorf("%w: %s has another group %d than the one whose head was saved: %x, not %x", ErrLog, log, h.seq, found[:6], h.chain[:6])
	}
	return nil
}

// run saves the head while this replica writes, until ctx ends.
func (k *headKeeper[C, E]) run(ctx context.Context) {
	repeat(ctx, headEvery, func(ctx context.Context) {
		if k.l.Writes() {
			k.save(ctx)
		}
	})
}

// save saves the head of committed state, if it is new. Nothing waits for it, and nothing depends on it now: it is tried
// again.
func (k *headKeeper[C, E]) save(ctx context.Context) {
	now := k.l.fold.head()
	if k.l.cfg.Heads == nil || now.seq <= k.saved.seq {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	err := k.put(ctx, now)
	if (err != nil) != k.failing && ctx.Err() == nil {
		if k.failing = err != nil; k.failing {
			k.l.log.Warn("the head is not saved", "seq", now.seq, "error", err)
		} else {
			k.l.log.Info("the head is saved again", "seq", now.seq)
		}
	}
}

func (k *headKeeper[C, E]) put(ctx context.Context, now head) error {
	raw, err := now.encode(k.l.cfg.Name, k.l.cfg.Lease.Self())
	if err != nil {
		return err
	}
	for {
		revision, err := k.l.cfg.Heads.Save(ctx, raw, k.revision)
		if err == nil {
			k.saved, k.revision = now, revision
			return nil
		}
		// Another may have saved a head, or this replica its last one and lost the answer. An older head never replaces a
		// later one.
		before := k.revision
		if fault := k.load(ctx); fault != nil {
			return errors.Join(err, fault)
		}
		if k.saved.seq >= now.seq {
			return nil
		}
		if k.revision == before {
			return err
		}
	}
}

// head returns the log's head, as its leader knows it. A log that ends before what is known of it stops the partition.
func (l *Ledger[C, E]) head(ctx context.Context) (uint64, error) {
	applied, fence := l.fold.known()
	at, err := l.cfg.Log.Head(ctx)
	switch {
	case err != nil:
		return 0, err
	case at < applied:
		err = fmt.Errorf("%w: %s ends at %d, but %d was read from it before", ErrLog, l.cfg.Name, at, applied)
	case at < fence:
		err = fmt.Errorf("%w: %s ends at %d, but its saved head is at %d", ErrLog, l.cfg.Name, at, fence)
	default:
		return at, nil
	}
	report(l.damage, err)
	return 0, err
}

// report tells stopOn of damage.
func report(damage chan<- error, err error) {
	select {
	case damage <- err:
	default: // it stops already
	}
}

// stopOn stops what runs when damage is reported.
func stopOn(ctx context.Context, stop context.CancelCauseFunc, damage <-chan error) {
	select {
	case err := <-damage:
		stop(err)
	case <-ctx.Done():
	}
}

// repeat calls do every so often until ctx ends, and gives each call that much time.
func repeat(ctx context.Context, every time.Duration, do func(context.Context)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		once, cancel := context.WithTimeout(ctx, every)
		do(once)
		cancel()
	}
}
