package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Restore puts the dropped streams of a log back from their exports in dir, newest first, so that those that exist are
// always the last ones without a gap, and returns those that are whole again. subject is that of the first. It goes on where
// an earlier call was interrupted. What is in the way, or missing in dir, is in the error.
func (s *Stores) Restore(ctx context.Context, name, subject, dir string) (restored []Generation, err error) {
	log := &Log{js: s.js, nc: s.js.Conn(), name: name, subject: subject}
	restored = []Generation{}
	for {
		all, err := log.Generations(ctx)
		if err != nil {
			return restored, err
		}
		info, err := log.info(ctx, all[0])
		if err != nil {
			return restored, err
		}
		next := all[0]
		if len(all) > 1 && sealedAt(info) == 0 {
			next = all[1] // the oldest was not finished
		}
		if next.Number == 1 {
			return restored, nil
		}
		g, err := log.restore(ctx, next, dir, info.Config.Replicas)
		if err != nil {
			return restored, fmt.Errorf("restore %s: %w", named(name, "", next.Number-1).Stream, err)
		}
		restored = append(restored, g)
	}
}

// restore makes the generation before next again.
func (l *Log) restore(ctx context.Context, next Generation, dir string, replicas int) (Generation, error) {
	g := named(l.name, l.subject, next.Number-1)
	e, err := ledger.VerifyExport(dir, g.Stream)
	if err != nil {
		return g, err
	}
	if e.Log != l.name || e.Last != next.First-1 || e.LastGroup != next.Previous || g.Number == 1 && e.First != 1 {
		return g, fmt.Errorf("its export is of groups %d to %d of %s and does not lead to %s, which begins with %d",
			e.First, e.Last, e.Log, next.Stream, next.First)
	}
	g.First, g.Last, g.Previous = e.First, e.Last, e.Previous
	if err := l.create(ctx, g, replicas, 0); err != nil {
		return g, err
	}
	info, err := l.info(ctx, g)
	if err != nil {
		return g, err
	}
	var there uint64
	if info.State.Msgs > 0 {
		there = info.State.LastSeq
	}
	if err := l.discover(ctx); err != nil {
		return g, err
	}
	// The file may have been changed since it was verified: a stream is sealed only after it was read to its end once more.
	_, err = ledger.ReadExport(dir, g.Stream, func(seq uint64, group []byte) error {
		if seq > there {
			return l.Append(ctx, seq-1, group)
		}
		stored, err := l.read(ctx, seq)
		if err == nil && !bytes.Equal(stored, group) {
			err = errors.New("it is not that of the export: delete the stream, and restore it anew")
		}
		if err != nil {
			return fmt.Errorf("group %d of the stream that is there: %w", seq, err)
		}
		return nil
	})
	if err != nil {
		return g, err
	}
	_, err = l.seal(ctx, g)
	return g, err
}
