package partition

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/diagnose"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/cohostfeed"
)

// awaits is what a battle waits for whose deadline has passed.
var awaits = map[battle.Phase]diagnosticsv1.Waiting_Kind{
	battle.PhaseRequested: diagnosticsv1.Waiting_BATTLE_REQUEST,
	battle.PhaseStarting:  diagnosticsv1.Waiting_BATTLE_START,
	battle.PhaseRunning:   diagnosticsv1.Waiting_BATTLE_END,
	battle.PhaseEnded:     diagnosticsv1.Waiting_BATTLE_FOLLOW_UP,
}

// Diagnose says how the log is on this replica, and which battles should have gone on; nil until the log is open.
func (p *Partition) Diagnose() *diagnosticsv1.Partition {
	r := p.running.Load()
	if r == nil {
		return nil
	}
	d := diagnose.Partition(r.ledger.Status())
	if d.GetWrites() {
		d.Readers = []*diagnosticsv1.Reader{{Into: Log, Log: cohostfeed.Log, Read: r.cohost.Read()}}
	}
	now := d.GetNow().AsTime()
	var overdue []battle.Overdue
	var settling map[string]time.Time
	r.ledger.View(func() { overdue, settling = p.state.Overdue(now), p.battles.Settling(now) })
	byKind := make(map[diagnosticsv1.Waiting_Kind][]*diagnosticsv1.Waiting)
	for _, b := range overdue {
		kind := awaits[b.Phase]
		byKind[kind] = append(byKind[kind], &diagnosticsv1.Waiting{
			Kind: kind, Id: b.ID, Since: timestamppb.New(b.Deadline), Detail: "of live " + b.Inviter().LiveID,
		})
	}
	for id, since := range settling {
		const kind = diagnosticsv1.Waiting_SETTLEMENT
		byKind[kind] = append(byKind[kind], &diagnosticsv1.Waiting{Kind: kind, Id: id, Since: timestamppb.New(since)})
	}
	for _, waiting := range byKind {
		d.Waiting = append(d.Waiting, diagnose.Oldest(waiting)...)
	}
	return d
}
