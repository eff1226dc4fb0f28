package ledger

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// leaseEvery is how often the lease is taken or renewed; a lease lives for some four of these.
	leaseEvery = 500 * time.Millisecond
	// leaveLease is how long a replica whose clock is off leaves a free lease to the others, who look for it every leaseEvery.
	leaveLease = 4 * leaseEvery
	// releaseTimeout bounds giving the lease up at the end.
	releaseTimeout = time.Second
)

// Run follows the log, and writes it while this replica holds the lease. ready is called once, when the fold has reached
// the head that the log had at the start and a writer is known. It returns when ctx ends, or with the fault that stops
// the partition.
func (l *Ledger[C, E]) Run(ctx context.Context, ready func()) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	heads := &headKeeper[C, E]{l: l}
	err := heads.fence(ctx)
	if err == nil {
		err = l.snapshots.restore(ctx)
	}
	if err != nil {
		stop(err)
	} else {
		l.run(ctx, stop, heads, ready)
	}
	close(l.stopped)
	l.fold.applied.end()
	l.release()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	heads.save(context.WithoutCancel(ctx))
	return nil
}

// run is Run once the log is known to be the one that was written. It ends by stop.
func (l *Ledger[C, E]) run(ctx context.Context, stop context.CancelCauseFunc, heads *headKeeper[C, E], ready func()) {
	held := make(chan bool, 1) // the latest word on whether this replica should write
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { stopOn(ctx, stop, l.damage) })
	running.Go(func() { repeat(ctx, watchEvery, l.watch) })
	running.Go(func() { repeat(ctx, clockEvery, l.compareClock) })
	running.Go(func() { heads.run(ctx) })
	running.Go(func() { l.snapshots.run(ctx) })
	running.Go(func() { l.keepLease(ctx, held) })
	running.Go(func() {
		if err := l.cfg.Peers.Serve(ctx, l.cfg.Name, l.cfg.Lease.Self(), l.serveForwarded); err != nil && ctx.Err() == nil {
			stop(err)
		}
	})
	running.Go(func() { l.tellReady(ctx, ready) })
	stop(l.takeTurns(ctx, held))
}

// watch looks how far the log has come. A follower would wait for ever at one that has lost its end, and a writer that has
// nothing to write would not hear of a rival's groups, nor of the deadlines in them.
func (l *Ledger[C, E]) watch(ctx context.Context) {
	if head, err := l.head(ctx); err == nil && head > l.Applied() {
		select {
		case l.behind <- head:
		default:
		}
	}
}

// takeTurns follows while the lease is another's and writes while it is this replica's.
func (l *Ledger[C, E]) takeTurns(ctx context.Context, held <-chan bool) error {
	turn := l.follow
	for ctx.Err() == nil {
		turnCtx, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- turn(turnCtx) }()
		var err error
		writes := false
		select {
		case writes = <-held:
			end()
			err = <-done
		case err = <-done:
			end()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if turn = l.follow; writes {
			turn = l.write
		}
	}
	return ctx.Err()
}

// follow folds what others write.
func (l *Ledger[C, E]) follow(ctx context.Context) error {
	return l.cfg.Log.Tail(ctx, l.fold.seq+1, l.fold.apply)
}

// keepLease takes the lease when it is free, renews it, and tells held whenever that changes.
func (l *Ledger[C, E]) keepLease(ctx context.Context, held chan<- bool) {
	// A replica that is behind must not take the lease from one that is not.
	for pause := (backoff{}); l.syncAgain(ctx) != nil; {
		if pause.wait(ctx) != nil {
			return
		}
	}
	l.compareClock(ctx)
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	mine, answered := false, true
	var free time.Time // since when a lease has been free that this replica leaves to others
	for {
		hctx, cancel := context.WithTimeout(ctx, leaseEvery)
		holder, err := l.hold(hctx, mine, &free)
		cancel()
		// Without an answer nothing changes: the log, not the lease, decides who may write.
		if (err == nil) != answered {
			if answered = err == nil; answered {
				l.log.Info("the lease answers again")
			} else {
				l.log.Warn("the lease does not answer", "error", err)
			}
		}
		if err == nil {
			if now := holder == l.cfg.Lease.Self(); now != mine {
				mine = now
				select {
				case held <- mine:
				case <-ctx.Done():
					return
				}
			}
			if !mine {
				l.setRole(role{holder: holder})
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// hold takes or renews the lease. While its clock is off a replica leaves one that is free to the others: whoever takes
// over sets log time. After leaveLease nobody else seems able to, and a clock that is off is better than no writer.
func (l *Ledger[C, E]) hold(ctx context.Context, mine bool, free *time.Time) (string, error) {
	if mine || !l.clockOff.Load() {
		*free = time.Time{}
		return l.cfg.Lease.Hold(ctx)
	}
	holder, err := l.cfg.Lease.Holder(ctx)
	switch {
	case err != nil:
		return "", err
	case holder == l.cfg.Lease.Self():
		return l.cfg.Lease.Hold(ctx)
	case holder != "":
		*free = time.Time{}
		return holder, nil
	case free.IsZero():
		*free = time.Now()
		return "", nil
	case time.Since(*free) < leaveLease:
		return "", nil
	}
	l.log.Warn("takes the lease although its clock is off: no other replica does")
	return l.cfg.Lease.Hold(ctx)
}

// syncTime bounds one wait for a head: where a stream has ended is known only to who has read its last group, so that a
// head from before may be one that is never reached.
const syncTime = 5 * time.Second

// syncAgain is Sync for who tries again.
func (l *Ledger[C, E]) syncAgain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, syncTime)
	defer cancel()
	return l.Sync(ctx)
}

func (l *Ledger[C, E]) release() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	if err := l.cfg.Lease.Release(ctx); err != nil {
		l.log.Debug("lease not released; it will run out", "error", err)
	}
}

func (l *Ledger[C, E]) tellReady(ctx context.Context, ready func()) {
	pause := backoff{}
	for {
		err := l.syncAgain(ctx)
		if err == nil {
			break
		}
		if pause.wait(ctx) != nil {
			return
		}
	}
	for {
		r, changed := l.whoWrites()
		if r.writes || r.holder != "" && r.holder != l.cfg.Lease.Self() {
			ready()
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
