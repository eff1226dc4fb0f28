// Package replay counts a battle again from the stored logs, apart from everything in memory, and compares with the
// settlement.
package replay

import (
	"context"
	"fmt"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

const (
	// atOnce bounds the replays under way: each reads whole logs.
	atOnce = 2
	// waiting bounds those that wait for their turn.
	waiting = 32
)

// Replayer replays battles.
type Replayer struct {
	logs     func(name string) ledger.Log
	settings score.Settings
	asked    chan struct{} // a token for each replay that waits or is under way
	running  chan struct{} // and for each under way
}

// New makes a Replayer; logs gives a stored log by its name, settings as the partitions have them.
func New(logs func(name string) ledger.Log, settings score.Settings) *Replayer {
	// Replays know gifts by their place in the log: ids need not be remembered.
	settings.MaxAge, settings.MaxAhead = 0, 0
	return &Replayer{logs: logs, settings: settings, asked: make(chan struct{}, atOnce+waiting), running: make(chan struct{}, atOnce)}
}

// Battle replays one battle. The error is a *es.Refusal when there is none or too many ask at once, or what reading the
// logs gave.
func (r *Replayer) Battle(ctx context.Context, battleID string) (*scorev1.ReplayBattleResponse, error) {
	select {
	case r.asked <- struct{}{}:
		defer func() { <-r.asked }()
	default:
		return nil, es.Refuse("RATE_LIMITED", "%d replays are under way or wait already", atOnce+waiting)
	}
	select {
	case r.running <- struct{}{}:
		defer func() { <-r.running }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return r.replay(ctx, battleID)
}

func (r *Replayer) replay(ctx context.Context, battleID string) (*scorev1.ReplayBattleResponse, error) {
	told, err := read(ctx, r.logs(partition.BattleLog), battleID)
	if err != nil {
		return nil, unreadable("the battle service's log", err)
	}
	if told.starting == nil {
		return nil, es.Refuse("BATTLE_NOT_FOUND", "there is no battle %s that has begun to start", battleID)
	}
	c := &comparison{response: &scorev1.ReplayBattleResponse{BattleId: battleID}, settled: told.results()}
	switch {
	case told.ended == nil:
		c.differ("the battle has no settlement yet")
	case told.ended.GetReason() == battlev1.Battle_VOIDED:
		c.differ("the battle was voided, so it has no settlement")
	case told.ended.GetResult() == nil:
		c.differ("the battle never started, so it has no settlement")
	}
	counted, err := r.count(ctx, battleID, told.starting.GetParticipants())
	if err != nil {
		return nil, err
	}
	c.extended, c.rejoins = told.extended, told.rejoins
	for _, p := range told.starting.GetParticipants() {
		c.live(p, counted[p.GetLiveId()])
	}
	c.response.Equal = len(c.response.GetDifferences()) == 0
	return c.response, nil
}

// count folds the logs of the lives' partitions, each into a fresh machine.
func (r *Replayer) count(ctx context.Context, battleID string, participants []*battlev1.Entry_Participant) (map[string]*recount, error) {
	counted := make(map[string]*recount)
	partitions := make(map[int]bool)
	for _, p := range participants {
		number := score.Partition(p.GetLiveId(), r.settings.Partitions)
		counted[p.GetLiveId()] = &recount{partition: number}
		partitions[number] = true
	}
	for number := range partitions {
		settings := r.settings
		settings.Partition = number
		f := folding{machine: score.New(settings), battle: battleID, lives: counted}
		if err := ledger.Range(ctx, r.logs(partition.LogName(number)), codec.Codec{}.DecodeEvent, f.group); err != nil {
			return nil, unreadable(fmt.Sprintf("the log of partition %d", number), err)
		}
	}
	return counted, nil
}

func unreadable(what string, err error) error {
	return fmt.Errorf("read %s: %w", what, err)
}

// told is what the battle service's log has of a battle.
type told struct {
	starting *battlev1.Entry_BattleStarting
	// extended has the ends that the battle was given while it ran, in ms.
	extended []int64
	// rejoins of the lives.
	rejoins map[string]int
	ended   *battlev1.Entry_BattleEnded
}

func read(ctx context.Context, log ledger.Log, battleID string) (t told, err error) {
	t.rejoins = make(map[string]int)
	err = ledger.Range(ctx, log, codec.DecodeBattle, func(g ledger.Group[*battlev1.Entry]) error {
		for _, e := range g.Events {
			if s := e.Event.GetBattleStarting(); s.GetBattleId() == battleID && s != nil {
				t.starting = s
			}
			if x := e.Event.GetBattleExtended(); x.GetBattleId() == battleID && x != nil {
				t.extended = append(t.extended, x.GetEndsAtMs())
			}
			if x := e.Event.GetUserRejoined(); x.GetBattleId() == battleID && x != nil {
				t.rejoins[x.GetLiveId()]++
			}
			if end := e.Event.GetBattleEnded(); end.GetBattleId() == battleID && end != nil {
				t.ended = end
			}
		}
		return nil
	})
	return t, err
}

func (t told) results() map[string]*battlev1.LiveResult {
	results := make(map[string]*battlev1.LiveResult)
	for _, l := range t.ended.GetResult().GetLives() {
		results[l.GetLiveId()] = l
	}
	return results
}
