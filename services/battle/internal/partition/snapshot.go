package partition

import (
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

// folded is how snapshots hold all that is folded from the log.
func (p *Partition) folded() *ledger.State {
	return &ledger.State{Version: codec.SnapshotVersion, Freeze: p.freeze, Restore: p.restore}
}

// frozen is the partition at one group.
type frozen struct {
	p       *Partition
	state   iter.Seq[battle.Piece]
	battles *view.Frozen
}

func (p *Partition) freeze() ledger.Frozen {
	return &frozen{p: p, state: p.state.Freeze(), battles: p.battles.Freeze()}
}

// Thaw implements ledger.Frozen.
func (f *frozen) Thaw() (done bool) {
	state, battles := f.p.state.Thaw(), f.battles.Thaw()
	return state && battles
}

// Write implements ledger.Frozen.
func (f *frozen) Write(put func([]byte) error) error {
	for piece := range f.state {
		record, err := codec.Record(piece)
		if err != nil {
			return err
		}
		if err := write(put, record); err != nil {
			return err
		}
	}
	for record := range f.viewed() {
		if err := write(put, record); err != nil {
			return err
		}
	}
	return nil
}

func write(put func([]byte) error, record *battlev1.Snapshot) error {
	raw, err := proto.Marshal(record)
	if err != nil {
		return err
	}
	return put(raw)
}

// viewed ranges over the records of what readers see.
func (f *frozen) viewed() iter.Seq[*battlev1.Snapshot] {
	return func(yield func(*battlev1.Snapshot) bool) {
		for id, at := range f.battles.All() {
			if !yield(&battlev1.Snapshot{Record: &battlev1.Snapshot_Listed_{Listed: &battlev1.Snapshot_Listed{
				BattleId: id, Sequence: at.Seq, Index: at.Index,
			}}}) {
				return
			}
		}
		for id := range f.battles.Ended() {
			if !yield(&battlev1.Snapshot{Record: &battlev1.Snapshot_EndedId{EndedId: id}}) {
				return
			}
		}
		for id, since := range f.battles.Settling {
			if !yield(&battlev1.Snapshot{Record: &battlev1.Snapshot_Settling_{Settling: &battlev1.Snapshot_Settling{
				BattleId: id, SinceMs: since.UnixMilli(),
			}}}) {
				return
			}
		}
		for live, n := range f.battles.Numbers {
			if !yield(&battlev1.Snapshot{Record: &battlev1.Snapshot_Number_{Number: &battlev1.Snapshot_Number{
				LiveId: live, Number: n,
			}}}) {
				return
			}
		}
	}
}

func (p *Partition) restore(next func() ([]byte, error)) (install func(), err error) {
	state, battles := p.state.Empty(), p.battles.Restore()
	for {
		raw, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		record := new(battlev1.Snapshot)
		if err := proto.Unmarshal(raw, record); err != nil {
			return nil, err
		}
		switch r := record.GetRecord().(type) {
		case *battlev1.Snapshot_Listed_:
			battles.List(r.Listed.GetBattleId(), es.Place{Seq: r.Listed.GetSequence(), Index: r.Listed.GetIndex()})
		case *battlev1.Snapshot_EndedId:
			battles.End(r.EndedId)
		case *battlev1.Snapshot_Settling_:
			battles.Settle(r.Settling.GetBattleId(), time.UnixMilli(r.Settling.GetSinceMs()).UTC())
		case *battlev1.Snapshot_Number_:
			battles.Number(r.Number.GetLiveId(), r.Number.GetNumber())
		default:
			piece, err := codec.Piece(record)
			if err != nil {
				return nil, err
			}
			if err := state.Restore(piece); err != nil {
				return nil, err
			}
		}
	}
	if err := battles.Done(state.Battle); err != nil {
		return nil, err
	}
	return func() {
		p.state.Become(state)
		p.battles.Become(battles)
	}, nil
}
