package sim

import (
	"context"
	"io"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// snapshotPace makes many snapshots of small logs.
var snapshotPace = ledger.Pace{Bytes: 2000, Every: 400 * time.Millisecond}

// snapshots are the snapshots of a log as one replica reaches them.
type snapshots struct {
	r     *replica
	inner ledger.Snapshots
}

func (s snapshots) reach(ctx context.Context) error {
	s.r.await()
	if s.r.dead() {
		return errGone
	}
	if in := s.r.world.faults; in.hits(snapshotsFail, s.r.slot) || in.hits(logAway, s.r.slot) {
		return in.silence(ctx)
	}
	return nil
}

func (s snapshots) List(ctx context.Context) ([]ledger.SnapshotID, error) {
	if err := s.reach(ctx); err != nil {
		return nil, err
	}
	return s.inner.List(ctx)
}

func (s snapshots) Save(ctx context.Context, seq uint64, r io.Reader) (ledger.SnapshotID, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.reach(ctx); err != nil {
		return ledger.SnapshotID{}, err
	}
	in := s.r.world.faults
	if in.hits(snapshotCut, s.r.slot) {
		_, _ = s.inner.Save(ctx, seq, io.LimitReader(r, 500))
		return ledger.SnapshotID{}, in.silence(ctx)
	}
	slow := slowReader{ctx, s.r, r}
	id, err := s.inner.Save(ctx, seq, slow)
	if err == nil && s.r.dead() {
		err = errGone
	}
	return id, err
}

// slowReader lets others work while it is read.
type slowReader struct {
	ctx context.Context
	r   *replica
	in  io.Reader
}

func (s slowReader) Read(p []byte) (int, error) {
	if err := wait(s.ctx, s.r.latency(appendSlow)); err != nil {
		return 0, err
	}
	s.r.await()
	if s.r.dead() {
		return 0, errGone
	}
	return s.in.Read(p[:min(len(p), 2000)])
}

func (s snapshots) Open(ctx context.Context, id ledger.SnapshotID) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.reach(ctx); err != nil {
		return nil, err
	}
	s.r.world.opened.Add(1)
	return s.inner.Open(ctx, id)
}

func (s snapshots) Delete(ctx context.Context, id ledger.SnapshotID) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	return s.inner.Delete(ctx, id)
}
