package partition

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/watch"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// folded is how snapshots hold all that is folded from the log. The active lives in order follow from the state.
func (p *Partition) folded() *ledger.State {
	return &ledger.State{Version: codec.SnapshotVersion, Freeze: p.freeze, Restore: p.restore}
}

// frozen is the partition at one group.
type frozen struct {
	p       *Partition
	state   iter.Seq[cohost.Piece]
	ended   []endedLive // what has been added to a queue never changes
	numbers iter.Seq2[string, int64]
}

func (p *Partition) freeze() ledger.Frozen {
	return &frozen{p: p, state: p.state.Freeze(), ended: p.ended.queue, numbers: p.notices.Freeze()}
}

// Thaw implements ledger.Frozen.
func (f *frozen) Thaw() (done bool) {
	state, numbers := f.p.state.Thaw(), f.p.notices.Thaw()
	return state && numbers
}

// Write implements ledger.Frozen.
func (f *frozen) Write(put func([]byte) error) error {
	write := func(record *cohostv1.Snapshot) error {
		raw, err := proto.Marshal(record)
		if err != nil {
			return err
		}
		return put(raw)
	}
	for piece := range f.state {
		record := codec.Record(piece)
		if record == nil {
			return fmt.Errorf("no record for %T", piece)
		}
		if err := write(record); err != nil {
			return err
		}
	}
	for _, l := range f.ended {
		ending := &cohostv1.Snapshot_Ending{LiveId: l.id, AtMs: l.at.UnixMilli()}
		if err := write(&cohostv1.Snapshot{Record: &cohostv1.Snapshot_Ending_{Ending: ending}}); err != nil {
			return err
		}
	}
	for live, n := range f.numbers {
		number := &cohostv1.Snapshot_Number{LiveId: live, Number: n}
		if err := write(&cohostv1.Snapshot{Record: &cohostv1.Snapshot_Number_{Number: number}}); err != nil {
			return err
		}
	}
	return nil
}

func (p *Partition) restore(next func() ([]byte, error)) (install func(), err error) {
	state, notices := p.state.Empty(), watch.New[cohost.Notice](1)
	active, ended := newActiveLives(), endedLives{keep: p.ended.keep}
	stages, departing := make(map[string]cohost.Stage), make(map[string]string)
	for {
		raw, err := next()
		if errors.Is(err, io.EOF) {
			return func() {
				p.state.Become(state)
				p.notices.Become(notices)
				p.active, p.ended = active, ended
				p.departing = departing
				p.leases.Become(stages, time.Now())
			}, nil
		}
		if err != nil {
			return nil, err
		}
		record := new(cohostv1.Snapshot)
		if err := proto.Unmarshal(raw, record); err != nil {
			return nil, err
		}
		switch r := record.GetRecord().(type) {
		case *cohostv1.Snapshot_Ending_:
			ended.add(r.Ending.GetLiveId(), time.UnixMilli(r.Ending.GetAtMs()).UTC())
		case *cohostv1.Snapshot_Number_:
			notices.Restore(r.Number.GetLiveId(), r.Number.GetNumber())
		default:
			piece, err := codec.Piece(record)
			if err != nil {
				return nil, err
			}
			if l, ok := piece.(cohost.KeptLive); ok {
				active.place(l.Live)
				if at := l.Live.Presence; at.Stage != 0 {
					stages[l.Live.ID] = at.Stage
					if at.Departs != "" {
						departing[l.Live.ID] = at.Departs
					}
				}
			}
			if err := state.Restore(piece); err != nil {
				return nil, err
			}
		}
	}
}
