package ledger

import (
	"context"
	"errors"
	"slices"
)

// Replay folds a log apart from its Ledger, for who needs what was folded at every group once more, and goes on with what
// is written meanwhile. It begins with the newest usable snapshot that is not of a later group than `after`, else with the
// log's first group; if nothing is asked for (after is 0) and that group was dropped, with the oldest usable snapshot. After every
// group folded is called, with nothing locked; its error ends Replay. OnCommit may wait here. Nothing is written, and
// neither lease nor peers are used. The errors: ctx's, folded's, or ErrLog.
func Replay[C, E any](ctx context.Context, cfg Config[C, E], after uint64, folded func(context.Context, uint64) error) error {
	cfg.Metrics = nil // the Ledger counts
	l := New(cfg)
	if err := l.snapshots.begin(ctx, after); err != nil {
		return err
	}
	return cfg.Log.Tail(ctx, l.fold.seq+1, func(seq uint64, raw []byte) error {
		if err := l.fold.apply(seq, raw); err != nil {
			return err
		}
		return folded(ctx, seq)
	})
}

// begin makes a usable snapshot committed state that is not of a later group than `after`; see Replay.
func (k *snapshotKeeper[C, E]) begin(ctx context.Context, after uint64) error {
	if k.none() {
		return k.whole(ctx)
	}
	ids, err := k.list(ctx)
	if err != nil {
		return err
	}
	newestFirst(ids)
	var dropped error
	if after == 0 {
		if dropped = k.whole(ctx); dropped == nil {
			return nil
		}
		slices.Reverse(ids)
	} else {
		ids = slices.DeleteFunc(ids, func(id SnapshotID) bool { return id.Seq > after })
	}
	for _, id := range ids {
		err := k.use(ctx, id)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrLog):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		k.l.log.Warn("snapshot not used", "seq", id.Seq, "error", err)
	}
	return errors.Join(dropped, k.whole(ctx))
}
