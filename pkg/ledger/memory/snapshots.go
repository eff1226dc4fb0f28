package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Snapshots are the ledger.Snapshots of one log.
type Snapshots struct {
	mu   sync.Mutex
	next int
	kept map[ledger.SnapshotID][]byte
}

// NewSnapshots makes empty Snapshots.
func NewSnapshots() *Snapshots { return &Snapshots{kept: make(map[ledger.SnapshotID][]byte)} }

// List implements ledger.Snapshots.
func (s *Snapshots) List(ctx context.Context) (ids []ledger.SnapshotID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.kept {
		ids = append(ids, id)
	}
	return ids, ctx.Err()
}

// Save implements ledger.Snapshots.
func (s *Snapshots) Save(ctx context.Context, seq uint64, r io.Reader) (ledger.SnapshotID, error) {
	raw, err := io.ReadAll(r)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return ledger.SnapshotID{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	id := ledger.SnapshotID{Seq: seq, Name: strconv.Itoa(s.next)}
	s.kept[id] = raw
	return id, nil
}

// Open implements ledger.Snapshots.
func (s *Snapshots) Open(ctx context.Context, id ledger.SnapshotID) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, ok := s.kept[id]
	if !ok {
		return nil, fmt.Errorf("no snapshot %+v", id)
	}
	return io.NopCloser(bytes.NewReader(raw)), ctx.Err()
}

// Delete implements ledger.Snapshots.
func (s *Snapshots) Delete(ctx context.Context, id ledger.SnapshotID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, id)
	return ctx.Err()
}
