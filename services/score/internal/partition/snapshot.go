package partition

import (
	"errors"
	"io"
	"iter"

	"google.golang.org/protobuf/proto"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// folded is how snapshots hold all that is folded from the log.
func (p *Partition) folded() *ledger.State {
	return &ledger.State{Version: codec.SnapshotVersion, Freeze: p.freeze, Restore: p.restore}
}

// frozen is the partition at one group.
type frozen struct {
	of    *score.State
	at    Place
	state iter.Seq[score.Piece]
}

func (p *Partition) freeze() ledger.Frozen {
	return &frozen{of: p.state, at: p.at, state: p.state.Freeze()}
}

// Thaw implements ledger.Frozen.
func (f *frozen) Thaw() (done bool) { return f.of.Thaw() }

// Write implements ledger.Frozen. The first record has the place, which the others do not need.
func (f *frozen) Write(put func([]byte) error) error {
	var raw []byte
	write := func(record *scorev1.Snapshot) (err error) {
		if raw, err = (proto.MarshalOptions{}).MarshalAppend(raw[:0], record); err != nil {
			return err
		}
		return put(raw)
	}
	at := &scorev1.Snapshot_Place{Sequence: f.at.Seq, Index: f.at.Index}
	if err := write(&scorev1.Snapshot{Record: &scorev1.Snapshot_At{At: at}}); err != nil {
		return err
	}
	for piece := range f.state {
		record, err := codec.Record(piece)
		if err != nil {
			return err
		}
		if err := write(record); err != nil {
			return err
		}
	}
	return nil
}

func (p *Partition) restore(next func() ([]byte, error)) (install func(), err error) {
	state, at := p.state.Restore(), Place{}
	for {
		raw, err := next()
		if errors.Is(err, io.EOF) {
			return func() {
				p.state.Become(state)
				p.at = at
			}, nil
		}
		if err != nil {
			return nil, err
		}
		record := new(scorev1.Snapshot)
		if err := proto.Unmarshal(raw, record); err != nil {
			return nil, err
		}
		if r, ok := record.GetRecord().(*scorev1.Snapshot_At); ok {
			at = Place{Seq: r.At.GetSequence(), Index: r.At.GetIndex()}
			continue
		}
		piece, err := codec.Piece(record, p.cfg.Settings.Rules)
		if err != nil {
			return nil, err
		}
		if err := state.Add(piece); err != nil {
			return nil, err
		}
	}
}
