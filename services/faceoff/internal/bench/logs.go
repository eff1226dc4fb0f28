package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

const (
	cohostLog = "COHOST_00"
	battleLog = "BATTLE_00"
)

// recorded is what the logs say of one battle or one invitation: the log times of its endings.
type recorded struct {
	ending  []time.Time // BattleEnding for TIME_OVER, or InvitationEnded by TIMED_OUT
	settled []time.Time // BattleEnded
}

// logs reads what a run has added to the logs.
type logs struct {
	stores *jetstream.Stores
	after  map[string]uint64 // heads when the run began
}

func (c *crowd) openLogs(ctx context.Context) (*logs, error) {
	nc, err := c.c.NATS()
	if err != nil {
		return nil, err
	}
	l := &logs{after: make(map[string]uint64)}
	if l.stores, err = jetstream.NewStores(nc, 1); err != nil {
		return nil, err
	}
	for _, name := range []string{cohostLog, battleLog} {
		head, exists, err := l.stores.Stat(ctx, name)
		if err != nil || !exists {
			return nil, fmt.Errorf("log %s: exists %t: %w", name, exists, err)
		}
		l.after[name] = head
	}
	return l, nil
}

// timeouts are the invitations that have timed out, by id.
func (l *logs) timeouts(ctx context.Context) (map[string]recorded, error) {
	all := make(map[string]recorded)
	return all, follow(ctx, l, cohostLog, new(cohostv1.Entry), func(at time.Time, e *cohostv1.Entry) {
		if i := e.GetInvitationEnded(); i.GetEnding() == cohostv1.Entry_InvitationEnded_TIMED_OUT {
			r := all[i.GetInvitationId()]
			r.ending = append(r.ending, at)
			all[i.GetInvitationId()] = r
		}
	})
}

// ends are the battles whose time was over, by id.
func (l *logs) ends(ctx context.Context) (map[string]recorded, error) {
	all := make(map[string]recorded)
	return all, follow(ctx, l, battleLog, new(battlev1.Entry), func(at time.Time, e *battlev1.Entry) {
		if b := e.GetBattleEnding(); b.GetReason() == battlev1.Battle_TIME_OVER {
			r := all[b.GetBattleId()]
			r.ending = append(r.ending, at)
			all[b.GetBattleId()] = r
		}
		if b := e.GetBattleEnded(); b != nil {
			r := all[b.GetBattleId()]
			r.settled = append(r.settled, at)
			all[b.GetBattleId()] = r
		}
	})
}

// follow hands every entry that a log has got since the run began to handle, with its log time.
func follow[E proto.Message](ctx context.Context, l *logs, name string, kind E, handle func(time.Time, E)) error {
	feed := ledger.NewFeed(l.stores.Other(name), func(data []byte) (E, error) {
		e := kind.ProtoReflect().New().Interface().(E)
		return e, proto.Unmarshal(data, e)
	})
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- feed.Run(reading, l.after[name], func(_ context.Context, g ledger.Group[E]) error {
			for _, e := range g.Events {
				handle(e.At, e.Event)
			}
			return nil
		})
	}()
	for {
		err := feed.CatchUp(ctx) // 1 s at most
		switch {
		case err == nil:
			stop()
			<-done
			return nil
		case ctx.Err() != nil:
			stop()
			return errors.Join(fmt.Errorf("log %s: %w", name, err), <-done)
		}
	}
}
