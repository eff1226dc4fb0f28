package ledger

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"
)

// Log is the storage of one partition: a sequence of groups from 1 on, without gaps.
type Log interface {
	// Append stores group right after the group `after`. nil: it is stored at after+1. ErrNotStored: it certainly is
	// not and never will be. ErrFull: likewise, but only because there is no room for it now. Any other error: unknown,
	// it may be stored now or later.
	Append(ctx context.Context, after uint64, group []byte) error
	// Head returns the sequence of the last group, 0 if there is none, as the log's leader knows it.
	Head(ctx context.Context) (uint64, error)
	// Read returns the group at seq, as the log's leader knows it.
	Read(ctx context.Context, seq uint64) ([]byte, error)
	// Tail calls handle with every group from seq on, in order without a gap, until ctx ends or handle fails.
	Tail(ctx context.Context, from uint64, handle func(seq uint64, group []byte) error) error
}

// ErrNotStored is Append's answer when the group can never be stored, however often it is tried: it was refused before it
// was sent.
var ErrNotStored = errors.New("group refused before sending")

// Heads is a second place, apart from the log, for how far its writer has come. A log that has lost its end reports
// nothing by itself; what is kept here tells, even to a replica that has never read the log.
type Heads interface {
	// Load returns what was saved last, and its revision; nil and 0 if there is nothing.
	Load(ctx context.Context) (head []byte, revision uint64, err error)
	// Save puts head in place of what has the given revision, 0 for nothing, and returns the new revision. It fails if
	// something else has been saved there since.
	Save(ctx context.Context, head []byte, revision uint64) (uint64, error)
}

// Snapshots is where snapshots of one log are kept. They save work; they may be lost, cut off or changed at any time, and
// whoever reads one finds that out.
type Snapshots interface {
	// List returns what is there, complete or not, in no order.
	List(ctx context.Context) ([]SnapshotID, error)
	// Save keeps what r gives up to io.EOF. If r fails, or ctx ends, nothing is kept, or what cannot be taken for it.
	Save(ctx context.Context, seq uint64, r io.Reader) (SnapshotID, error)
	// Open reads a snapshot; the reading ends with ctx.
	Open(ctx context.Context, id SnapshotID) (io.ReadCloser, error)
	Delete(ctx context.Context, id SnapshotID) error
}

// SnapshotID names a snapshot.
type SnapshotID struct {
	// Seq of the group that it is of.
	Seq uint64
	// Name tells it from others of the same group.
	Name string
}

func (id SnapshotID) compare(other SnapshotID) int {
	return cmp.Or(cmp.Compare(id.Seq, other.Seq), cmp.Compare(id.Name, other.Name))
}

// Pace says how often snapshots are made.
type Pace struct {
	// Bytes that the groups after a snapshot must have come to before the next one is made. 0 stands for 8 MiB, or as many
	// as the snapshot has if that is more: so snapshots never write more than the log.
	Bytes int64
	// Every is the least time between two; 0 stands for 10 s.
	Every time.Duration
	// Turn is held while one is made; logs of one process share a channel with room for one. It may be nil.
	Turn chan struct{}
}

// due reports whether enough has been folded after a snapshot of so many bytes.
func (p Pace) due(folded, size int64) bool {
	return folded >= cmp.Or(p.Bytes, max(size, snapshotBytes))
}

func (p Pace) every() time.Duration { return cmp.Or(p.Every, snapshotEvery) }

// Lease says who should write. It saves work; nothing depends on it being right.
type Lease interface {
	// Hold takes or renews the lease and returns its holder's replica id, or "" if nobody is known to hold it.
	Hold(ctx context.Context) (holder string, err error)
	// Holder is Hold without taking a lease that is free.
	Holder(ctx context.Context) (holder string, err error)
	// Self is this replica's id.
	Self() string
	// Release gives the lease up if this replica holds it.
	Release(ctx context.Context) error
}

// Peers carries commands between replicas of one partition.
type Peers interface {
	// Serve answers requests to this replica, each in its own goroutine, until ctx ends.
	Serve(ctx context.Context, name, replica string, handle func(ctx context.Context, request []byte) []byte) error
	// Forward sends a request to a replica, once, and returns its reply.
	Forward(ctx context.Context, name, replica string, request []byte) ([]byte, error)
}

// Clock tells the time of the place where a log is kept.
type Clock interface {
	// Time returns the time there at some moment of the call.
	Time(ctx context.Context) (time.Time, error)
}

// Store is what a partition is kept in.
type Store struct {
	Log Log
	// Heads may be nil: then a replica that starts cannot know whether the log has lost its end.
	Heads Heads
	// Snapshots may be nil: then every start folds the whole log.
	Snapshots Snapshots
	Pace      Pace
	Lease     Lease
	Peers     Peers
	// Clock may be nil: then nobody knows whether a replica's clock is off.
	Clock Clock
}

// LogName names a log, and the subject that its groups are published on where that means something.
type LogName struct{ Name, Subject string }

// Stores is where a replica finds logs: its service's own, and those of other services.
type Stores interface {
	// Open returns what a partition is kept in. Its log is created if there is none; one that is not as it must be is
	// refused.
	Open(ctx context.Context, name, subject string) (Store, error)
	// Stat says whether a log exists, and its head.
	Stat(ctx context.Context, name string) (head uint64, exists bool, err error)
	// Other returns another service's log, to be read. Its calls wait until that service has created it.
	Other(name string) Log
}
