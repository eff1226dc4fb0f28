package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
)

const generationHeader = "LOG,STREAM,FIRST,LAST"

func generationRow(log string, g jetstream.Generation) []any {
	last := any("")
	if g.Last != 0 {
		last = g.Last
	}
	return []any{log, g.Stream, g.First, last}
}

type streamsContinue struct {
	Log string `arg:"" name:"log" help:"The log, SCORE_00."`
	streamsTarget
}

// Run prints the stream that has ended and the one in which the log goes on.
func (c streamsContinue) Run(ctx context.Context, out io.Writer) error {
	return c.open(ctx, func(ctx context.Context, s streams) error {
		if err := s.known(c.Log); err != nil {
			return err
		}
		ended, next, err := s.stores.Continue(ctx, c.Log, s.subject(c.Log))
		if err != nil {
			return err
		}
		return c.print(out, map[string]any{"ended": ended, "next": next}, generationHeader, [][]any{generationRow(c.Log, ended), generationRow(c.Log, next)})
	})
}

type streamsExport struct {
	Log string `arg:"" name:"log" help:"The log, SCORE_00."`
	Dir string `arg:"" name:"dir" help:"Where to: two files for each stream. Those of before are replaced." type:"path"`
	streamsTarget
}

// Run exports all streams of the log that have ended, and prints what the files hold.
func (c streamsExport) Run(ctx context.Context, out io.Writer, complaints complain) error {
	return c.open(ctx, func(ctx context.Context, s streams) error {
		if err := s.known(c.Log); err != nil {
			return err
		}
		generations, err := s.stores.Generations(ctx, c.Log)
		if err != nil {
			return err
		}
		all := []ledger.Exported{}
		var rows [][]any
		for _, g := range generations {
			if g.Last == 0 {
				continue
			}
			e, err := ledger.Export(ctx, s.stores.Other(c.Log), c.Dir, ledger.Exported{Log: c.Log, Stream: g.Stream, First: g.First, Last: g.Last, Previous: g.Previous})
			if err != nil {
				return err
			}
			all = append(all, e)
			rows = append(rows, append(generationRow(c.Log, g), e.Bytes, e.SHA256))
		}
		if len(all) == 0 {
			_, _ = fmt.Fprintf(complaints, "%s has one stream, which is written to: nothing to export\n", c.Log)
		}
		return c.print(out, all, generationHeader+",BYTES,SHA256", rows)
	})
}

// keepStreams is how long a past stream is kept when it is exported.
const keepStreams = 30 * 24 * time.Hour

type streamsDrop struct {
	Stream string `arg:"" name:"stream" help:"The stream, the oldest of its log."`
	Export string `help:"Directory that streams export has written to." required:"" type:"path" placeholder:"DIR"`
	Now    bool   `help:"Also if its last group is younger than 30 days."`
	streamsTarget
}

// Run deletes the stream if nobody needs it any more.
func (c streamsDrop) Run(ctx context.Context, out io.Writer) error {
	return c.open(ctx, func(ctx context.Context, s streams) error {
		e, err := ledger.VerifyExport(c.Export, c.Stream)
		if err != nil {
			return fmt.Errorf("the stream is kept: its export cannot be trusted: %w", err)
		}
		if err := s.known(e.Log); err != nil {
			return err
		}
		keep := keepStreams
		if c.Now {
			keep = 0
		}
		snapshot, err := ledger.LatestSnapshot(ctx, e.Log, s.stores.Snapshots(e.Log), s.stores.Other(e.Log))
		if err != nil {
			return err
		}
		if err := s.stores.Drop(ctx, e.Log, c.Stream, e, keep, snapshot); err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "dropped %s, groups %d to %d of %s; they are in %s\n", c.Stream, e.First, e.Last, e.Log, c.Export)
		return err
	})
}

type streamsRestore struct {
	Log string `arg:"" name:"log" help:"The log, SCORE_00."`
	Dir string `arg:"" name:"dir" help:"Directory that streams export has written to." type:"path"`
	streamsTarget
}

// Run puts back what was dropped, and prints the streams that are whole again.
func (c streamsRestore) Run(ctx context.Context, out io.Writer) error {
	return c.open(ctx, func(ctx context.Context, s streams) error {
		if err := s.known(c.Log); err != nil {
			return err
		}
		restored, err := s.stores.Restore(ctx, c.Log, s.subject(c.Log), c.Dir)
		rows := make([][]any, 0, len(restored))
		for _, g := range restored {
			rows = append(rows, generationRow(c.Log, g))
		}
		return errors.Join(err, c.print(out, restored, generationHeader, rows))
	})
}
