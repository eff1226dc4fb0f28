package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// What an operator does with a log's streams.

// Generations returns the streams of a log that exist, oldest first; none if there is no such log.
func (s *Stores) Generations(ctx context.Context, name string) ([]Generation, error) {
	log := &Log{js: s.js, nc: s.js.Conn(), name: name}
	err := log.discover(ctx)
	if errors.Is(err, errMissing) {
		return nil, nil
	}
	if err == nil {
		return log.Generations(ctx)
	}
	return nil, err
}

// Declared is how the stream of a generation must be, given how that of the first must. One that has ended has no limit.
func (g Generation) Declared(want jetstream.StreamConfig) jetstream.StreamConfig {
	want = g.config(want)
	if g.Last != 0 {
		want.Sealed, want.MaxBytes = true, 0
	}
	return want
}

// continueRetry is the pause before the replica that writes is asked again.
const continueRetry = 200 * time.Millisecond

// Continue has the replica that writes a log end its present stream, and makes sure that the next one exists. It returns
// the two. A stream that has ended already without a next one is not ended twice. It tries until ctx ends.
func (s *Stores) Continue(ctx context.Context, name, subject string) (ended, next Generation, err error) {
	log := &Log{js: s.js, nc: s.js.Conn(), name: name, subject: subject}
	all, err := log.Generations(ctx)
	if err != nil {
		return ended, next, err
	}
	number := all[len(all)-1].Number
	for {
		if ended = all[len(all)-1]; ended.Number > number {
			return all[len(all)-2], ended, nil
		}
		if ended.Last != 0 {
			if err := log.goOn(ctx, ended); err != nil {
				return ended, next, err
			}
			return ended, log.newest(), nil
		}
		if err := s.requestContinue(ctx, name); err != nil {
			if !errors.Is(err, ledger.ErrUnavailable) {
				return ended, next, err
			}
			if stop := pause(ctx, continueRetry); stop != nil {
				return ended, next, fmt.Errorf("%w: %w", stop, err)
			}
		}
		if all, err = log.Generations(ctx); err != nil {
			return ended, next, err
		}
	}
}

// Holder returns the replica that holds the lease of a log; empty if none does.
func (s *Stores) Holder(ctx context.Context, name string) (string, error) {
	kv, err := s.js.KeyValue(ctx, leaseBucket)
	if err == nil {
		var entry jetstream.KeyValueEntry
		if entry, err = kv.Get(ctx, name); err == nil {
			return string(entry.Value()), nil
		}
	}
	if errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	return "", fmt.Errorf("the lease of %s: %w", name, err)
}

// requestContinue asks the holder of the lease.
func (s *Stores) requestContinue(ctx context.Context, name string) error {
	holder, err := s.Holder(ctx, name)
	if err == nil && holder == "" {
		err = fmt.Errorf("no replica holds the lease of %s", name)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrUnavailable, err)
	}
	once, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	_, err = ledger.RequestContinue(once, NewPeers(s.js.Conn()), name, holder)
	return err
}

// requestTime is how long a replica may take to end a stream before it is asked again.
const requestTime = 10 * time.Second

// ErrKept says why a stream is not dropped.
var ErrKept = errors.New("the stream is kept")

// Drop deletes the oldest stream of a log, which has ended, once nobody needs it any more: an export says that it holds all
// of it, its last group is older than keep, replicas start from a snapshot of it or of what came after, and so does the
// projector, if the log has one. snapshot is the latest group that there is a snapshot of, 0 for none. The error is ErrKept with the
// reason if the stream is kept.
func (s *Stores) Drop(ctx context.Context, log, stream string, e ledger.Exported, keep time.Duration, snapshot uint64) error {
	all, err := s.Generations(ctx, log)
	if err != nil {
		return err
	}
	if len(all) == 0 || all[0].Stream != stream {
		return fmt.Errorf("%w: %s is not the oldest stream of %s", ErrKept, stream, log)
	}
	if len(all) == 1 {
		return fmt.Errorf("%w: %s is the stream that %s is written to", ErrKept, stream, log)
	}
	g, next := all[0], all[1]
	if e.Log != log || e.Stream != stream || e.First != g.First || e.Last != g.Last || e.Previous != g.Previous || e.LastGroup != next.Previous {
		return fmt.Errorf("%w: the export is not of groups %d to %d of it", ErrKept, g.First, g.Last)
	}
	info, err := s.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	if age := time.Since(info.CachedInfo().State.LastTime); age < keep {
		return fmt.Errorf("%w: its last group was stored %v ago, less than %v", ErrKept, age.Round(time.Second), keep)
	}
	saved, err := ledger.SavedHead(ctx, log, s.Heads(log))
	if err != nil {
		return err
	}
	if saved <= g.Last {
		return fmt.Errorf("%w: the saved head of %s, %d, is not past its end at %d", ErrKept, log, saved, g.Last)
	}
	projected, told, err := events.Projected(ctx, s.marks(log))
	if err != nil {
		return fmt.Errorf("how far %s was projected: %w", log, err)
	}
	if told && projected < snapshot {
		return fmt.Errorf("%w: %s holds what %s tells up to group %d, not up to the snapshot of group %d", ErrKept, eventsStream, log, projected, snapshot)
	}
	if snapshot < g.Last {
		return fmt.Errorf("%w: there is no snapshot of %s at or after group %d, so no replica could start without it", ErrKept, log, g.Last)
	}
	if err := s.js.DeleteStream(ctx, stream); err != nil {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	return nil
}
