// Package partition is the log BATTLE_00 on this replica: it decides battles, reads COHOST_00 while it writes, and keeps
// the view that is read.
package partition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
	"github.com/faceoff-live/faceoff/services/battle/internal/cohostfeed"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

// Log is the name of the log.
const Log = "BATTLE_00"

// Subject that the log's stream has.
const Subject = "log.battle.00"

// Options of New.
type Options struct {
	Settings battle.Settings
	// KeptEvents is how many of a live's last events are kept for readers that come back.
	KeptEvents int
	// Stores holds the log, and that of cohost.
	Stores ledger.Stores
	// Events is where others are told what has happened; nil if they are not.
	Events  func(log, context string) (events.Stream, ledger.Heads)
	Log     *slog.Logger
	Metrics Metrics
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
}

// Metrics are told what the log and its projector do.
type Metrics interface {
	ledger.Metrics
	events.Metrics
}

// Partition decides battles and is read; before its component is ready it answers ledger.ErrUnavailable.
type Partition struct {
	o       Options
	state   *battle.State
	battles *view.Battles
	running atomic.Pointer[running]
}

// running are the parts that exist once the stores are open.
type running struct {
	ledger *ledger.Ledger[battle.Command, battle.Event]
	cohost *ledger.Feed[*cohostv1.Entry]
}

// New makes a Partition; nothing runs yet.
func New(o Options) *Partition {
	return &Partition{o: o, state: battle.New(o.Settings), battles: view.New(o.Settings.KeepEnded, o.KeptEvents)}
}

// Component runs the partition.
func (p *Partition) Component() lifecycle.Component {
	return lifecycle.Component{Name: "battle partition", Run: p.run}
}

func (p *Partition) run(ctx context.Context, ready func()) error {
	store, err := p.o.Stores.Open(ctx, Log, Subject)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &running{cohost: ledger.NewFeed(p.o.Stores.Other(cohostfeed.Log), cohostfeed.Decode)}
	cfg := p.config(store)
	project := p.projection(store)
	cfg.WhileWriting = func(ctx context.Context) {
		var projecting sync.WaitGroup
		projecting.Go(func() { project(ctx) })
		defer projecting.Wait()
		if err := p.whileWriting(ctx, r); err != nil && ctx.Err() == nil {
			stop(fmt.Errorf("reading %s: %w", cohostfeed.Log, err))
		}
	}
	cfg.Admit = r.admit
	r.ledger = ledger.New(cfg)
	p.running.Store(r)
	defer p.running.Store(nil)
	return r.ledger.Run(ctx, ready)
}

// config is how the log is folded.
func (p *Partition) config(store ledger.Store) ledger.Config[battle.Command, battle.Event] {
	return ledger.Config[battle.Command, battle.Event]{
		Name:     Log,
		Store:    store,
		Machine:  p.state,
		Codec:    codec.Codec{},
		OnCommit: p.battles.Apply,
		State:    p.folded(),
		Grows:    battle.Grows,
		Logger:   p.o.Log,
		Metrics:  p.o.Metrics,
		Wall:     p.o.Wall,
	}
}

// admit lets commands wait whose answer rests on who is connected now, or on which session acts for a host.
func (r *running) admit(ctx context.Context, c battle.Command) error {
	switch c.(type) {
	case battle.RequestBattle, battle.Rematch, battle.AcceptBattle, battle.RejoinBattle, battle.AsHost:
		return r.cohost.CatchUp(ctx)
	}
	return nil
}

// Groups of COHOST_00 without facts leave no trace in this log, but for the position once it is so many groups behind, at
// most that often: whoever writes next reads on from there.
const (
	recordBehind = 256
	recordEvery  = time.Second
)

// whileWriting reads COHOST_00 on from where this log has recorded that it was read.
func (p *Partition) whileWriting(ctx context.Context, r *running) error {
	var after uint64
	r.ledger.View(func() { after = p.state.CohostRead() })
	late := p.watchSettling(ctx, r)
	defer late()
	recorded, at := after, time.Now()
	return r.cohost.Run(ctx, after, func(ctx context.Context, g ledger.Group[*cohostv1.Entry]) error {
		commands := []battle.ReadCohost{{Sequence: g.Seq}} // its position alone
		if c, ok := cohostfeed.Facts(g); ok {
			commands = []battle.ReadCohost{c, commands[0]}
		}
		for _, c := range commands {
			if len(c.Facts)+len(c.Sessions) == 0 && (g.Seq < recorded+recordBehind || time.Since(at) < recordEvery) {
				continue
			}
			result, err := r.ledger.Submit(ctx, ledger.Command[battle.Command]{Body: c})
			if err != nil {
				if ctx.Err() == nil {
					p.o.Log.Warn("group not recorded yet", "log", cohostfeed.Log, "seq", g.Seq, "error", err)
				}
				return err
			}
			if len(result.Events) > 0 { // the end of a live that had no session tells nothing
				recorded, at = g.Seq, time.Now()
			}
		}
		return nil
	})
}

// Submit has a command decided. id and payload are those of ledger.Command.
func (p *Partition) Submit(ctx context.Context, id string, payload []byte, c battle.Command) (ledger.Result[battle.Event], error) {
	r := p.running.Load()
	if r == nil {
		return ledger.Result[battle.Event]{}, errNotOpen
	}
	return r.ledger.Submit(ctx, ledger.Command[battle.Command]{ID: id, Payload: payload, Body: c})
}

// Read calls read with the committed battles locked against change, and log time. read must be short.
func (p *Partition) Read(read func(battles *view.Battles, now time.Time)) error {
	r := p.running.Load()
	if r == nil {
		return errNotOpen
	}
	now := r.ledger.Now()
	r.ledger.View(func() { read(p.battles, now) })
	return nil
}

var errNotOpen = errors.Join(ledger.ErrUnavailable, errors.New("the log "+Log+" is not open"))
