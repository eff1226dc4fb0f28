package sim

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

var errGone = errors.New("the replica is gone")

// stores is what one replica sees of the logs.
type stores struct {
	r     *replica
	inner ledger.Stores
}

func (s stores) Open(ctx context.Context, name, subject string) (ledger.Store, error) {
	x, err := s.inner.Open(ctx, name, subject)
	if err != nil {
		return x, err
	}
	store := ledger.Store{
		Log: log{s.r, name, x.Log}, Heads: heads{s.r, x.Heads}, Lease: lease{s.r, name, x.Lease}, Peers: peers{s.r}, Clock: clockOf{s.r},
	}
	if !s.r.whole {
		store.Snapshots, store.Pace = snapshots{s.r, x.Snapshots}, snapshotPace
	}
	return store, nil
}

func (s stores) Stat(ctx context.Context, name string) (uint64, bool, error) {
	return s.inner.Stat(ctx, name)
}

func (s stores) Other(name string) ledger.Log { return log{s.r, name, s.inner.Other(name)} }

// log is a log as one replica reaches it.
type log struct {
	r     *replica
	name  string
	inner ledger.Log
}

// put stores a group. Nobody's patience ends it: it is on its way.
func (l log) put(after uint64, group []byte, decided, sent time.Time) error {
	err := l.inner.Append(context.Background(), after, group)
	if err == nil {
		l.r.world.takeovers.stored(l.name, l.r.id, after+1, decided, sent)
	}
	return err
}

func (l log) Append(ctx context.Context, after uint64, group []byte) error {
	if l.r.dead() {
		return errGone
	}
	decided := time.Now()
	l.r.await()
	in, sent := l.r.world.faults, time.Now()
	switch {
	case in.hits(appendLost, l.r.slot), in.hits(logAway, l.r.slot):
		return in.silence(ctx)
	case in.hits(appendUnknown, l.r.slot):
		_ = l.put(after, group, decided, sent) // nobody hears of it
		return in.silence(ctx)
	case in.hits(appendLate, l.r.slot):
		group = bytes.Clone(group)
		l.r.world.later(in.between(time.Millisecond, 4*time.Second), func() {
			_ = l.put(after, group, decided, sent) // nobody hears of it
		})
		return in.silence(ctx)
	}
	if err := wait(ctx, l.r.latency(appendSlow)); err != nil {
		return err // on its way, and never there
	}
	err := l.put(after, group, decided, sent)
	l.r.await()
	if e := wait(ctx, in.between(50*time.Microsecond, time.Millisecond)); e != nil {
		return e
	}
	if l.r.dead() {
		return errGone
	}
	return err
}

func (l log) Head(ctx context.Context) (uint64, error) {
	if err := l.reach(ctx); err != nil {
		return 0, err
	}
	return l.inner.Head(ctx)
}

func (l log) Read(ctx context.Context, seq uint64) ([]byte, error) {
	if err := l.reach(ctx); err != nil {
		return nil, err
	}
	return l.inner.Read(ctx, seq)
}

func (l log) reach(ctx context.Context) error {
	l.r.await()
	if l.r.dead() {
		return errGone
	}
	if l.r.world.faults.hits(readFails, l.r.slot) || l.r.world.faults.hits(logAway, l.r.slot) {
		return l.r.world.faults.silence(ctx)
	}
	return wait(ctx, l.r.world.faults.between(20*time.Microsecond, 500*time.Microsecond))
}

func (l log) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	return l.inner.Tail(ctx, from, func(seq uint64, group []byte) error {
		for again := true; again; again = l.r.world.faults.hits(logAway, l.r.slot) {
			if err := wait(ctx, l.r.latency(tailLags)); err != nil {
				return err
			}
			l.r.await()
		}
		if l.r.dead() {
			return errGone
		}
		return handle(seq, group)
	})
}

// heads are the saved heads as one replica reaches them.
type heads struct {
	r     *replica
	inner ledger.Heads
}

func (h heads) reach(ctx context.Context) error {
	h.r.await()
	if h.r.dead() {
		return errGone
	}
	if in := h.r.world.faults; in.hits(headsFail, h.r.slot) || in.hits(logAway, h.r.slot) {
		return in.silence(ctx)
	}
	return nil
}

func (h heads) Load(ctx context.Context) ([]byte, uint64, error) {
	if err := h.reach(ctx); err != nil {
		return nil, 0, err
	}
	return h.inner.Load(ctx)
}

func (h heads) Save(ctx context.Context, head []byte, revision uint64) (uint64, error) {
	if err := h.reach(ctx); err != nil {
		return 0, err
	}
	revision, err := h.inner.Save(ctx, head, revision)
	if in := h.r.world.faults; in.hits(headUnknown, h.r.slot) {
		return 0, in.silence(ctx)
	}
	return revision, err
}

// latency of a message, long when the given fault happens.
func (r *replica) latency(slow fault) time.Duration {
	if in := r.world.faults; in.hits(slow, r.slot) {
		return in.between(time.Millisecond, 2500*time.Millisecond)
	}
	return r.world.faults.between(50*time.Microsecond, 2*time.Millisecond)
}

// lease is the lease as one replica sees it.
type lease struct {
	r     *replica
	name  string
	inner ledger.Lease
}

func (l lease) Self() string { return l.inner.Self() }

func (l lease) Hold(ctx context.Context) (string, error) {
	holder, err := l.hold(ctx)
	if err == nil {
		l.r.world.takeovers.lease(l.name, l.Self(), holder == l.Self())
	}
	return holder, err
}

func (l lease) hold(ctx context.Context) (string, error) { return l.ask(ctx, l.inner.Hold) }

func (l lease) Holder(ctx context.Context) (string, error) { return l.ask(ctx, l.inner.Holder) }

func (l lease) ask(ctx context.Context, do func(context.Context) (string, error)) (string, error) {
	l.r.await()
	switch in := l.r.world.faults; {
	case l.r.dead():
		return "", errGone
	case in.hits(logAway, l.r.slot):
		return "", in.silence(ctx)
	case in.hits(leaseLost, l.r.slot):
		return "", nil
	case in.hits(leaseStolen, l.r.slot):
		return l.Self(), nil
	}
	return do(ctx)
}

func (l lease) Release(ctx context.Context) error {
	if l.r.dead() {
		return errGone // it is not there to do so
	}
	return l.inner.Release(ctx)
}

// clockOf is the clock of where the logs are, which is right, as one replica asks for it.
type clockOf struct{ r *replica }

func (c clockOf) Time(ctx context.Context) (time.Time, error) {
	c.r.await()
	in := c.r.world.faults
	if c.r.dead() {
		return time.Time{}, errGone
	}
	if in.hits(logAway, c.r.slot) {
		return time.Time{}, in.silence(ctx)
	}
	if err := wait(ctx, in.between(50*time.Microsecond, 2*time.Millisecond)); err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	return now, wait(ctx, in.between(50*time.Microsecond, 2*time.Millisecond))
}
