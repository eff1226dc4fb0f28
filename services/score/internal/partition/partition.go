package partition

import (
	"context"
	"log/slog"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Config of a partition.
type Config struct {
	// Name of its log, SCORE_00.
	Name     string
	Settings score.Settings
	// MaxParked is how many calls may wait for lives to close.
	MaxParked int
	Log       *slog.Logger
	Metrics   ledger.Metrics
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
}

// Effect is what a partition does to others while this replica writes it.
type Effect interface {
	// Committed is told every group on every replica; see ledger.Config.OnCommit.
	Committed(ledger.Group[score.Event])
	// Run returns when ctx ends.
	Run(ctx context.Context)
}

// Partition is one score partition on this replica.
type Partition struct {
	cfg     Config
	parked  *parked
	hub     *hub
	effects []Effect

	mu     sync.RWMutex // guards ledger while it is not bound
	ledger *ledger.Ledger[score.Command, score.Event]
	feed   *ledger.Feed[*battlev1.Entry]
	fault  func(error) // stops the partition

	// Changed by commits only, with committed state locked.
	state *score.State
	at    Place
}

// Place of the last event that committed state holds.
type Place struct {
	Seq   uint64
	Index uint32
}

func newPartition(cfg Config, h *hub) *Partition {
	return &Partition{cfg: cfg, parked: newParked(cfg.MaxParked), hub: h, state: score.New(cfg.Settings)}
}

// Number of the partition.
func (p *Partition) Number() int { return p.cfg.Settings.Partition }

// Add gives the partition an effect; before Bind.
func (p *Partition) Add(e Effect) { p.effects = append(p.effects, e) }

// Bind gives the partition its store and the battle service's log; once, before Run. Before it, the partition looks empty and decides nothing.
func (p *Partition) Bind(s ledger.Store, battle ledger.Log) {
	feed := ledger.NewFeed(battle, codec.DecodeBattle)
	l := ledger.New(ledger.Config[score.Command, score.Event]{
		Name: p.cfg.Name, Store: s, Machine: p.state, Codec: codec.Codec{},
		OnCommit: p.committed, State: p.folded(), WhileWriting: p.whileWriting, Admit: p.admit, Grows: p.state.Grows,
		Logger: p.cfg.Log, Metrics: p.cfg.Metrics,
		Wall: p.cfg.Wall,
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ledger, p.feed = l, feed
}

func (p *Partition) bound() *ledger.Ledger[score.Command, score.Event] {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.ledger
}

// Run follows and writes the partition's log until ctx ends; see ledger.Ledger.Run.
func (p *Partition) Run(ctx context.Context, ready func()) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.fault = stop
	err := p.bound().Run(ctx, ready)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// View calls read with committed state locked against change. read must be short.
func (p *Partition) View(read func(*score.State, Place)) {
	if l := p.bound(); l != nil {
		l.View(func() { read(p.state, p.at) })
		return
	}
	read(score.New(p.cfg.Settings), Place{})
}

// whileWriting runs what this replica does while it writes the partition.
func (p *Partition) whileWriting(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.followBattle(ctx); err != nil && ctx.Err() == nil {
			p.fault(err)
		}
	})
	for _, e := range p.effects {
		running.Go(func() { e.Run(ctx) })
	}
	running.Wait()
}

// admit has a command wait for the battle service's log when its answer rests on it.
func (p *Partition) admit(ctx context.Context, c score.Command) error {
	gifts, ok := c.(score.CountGifts)
	if !ok || !gifts.Fresh {
		return nil
	}
	if err := p.feed.CatchUp(ctx); err != nil {
		p.cfg.Log.Warn("battle's log cannot be read to its head", "log", p.cfg.Name, "error", err)
		return es.Refuse(es.ReasonUnavailable, "the battle service's log cannot be read now, so it is not known whether the live is in a battle")
	}
	return nil
}

// committed tells everybody who waits for it what has happened. It runs with committed state locked.
func (p *Partition) committed(g ledger.Group[score.Event]) {
	p.at = Place{Seq: g.Seq}
	if n := len(g.Events); n > 0 {
		p.at.Index = g.Events[n-1].Index
	}
	for _, e := range g.Events {
		if live, ok := moved(e.Event); ok {
			p.parked.wake(live)
		}
	}
	for _, e := range p.effects {
		e.Committed(g)
	}
	p.hub.committed(p.state, g)
}

// moved returns the live whose gifts may be decided differently after an event.
func moved(event score.Event) (live string, ok bool) {
	switch e := event.(type) {
	case score.LiveOpened:
		return e.LiveID, true
	case score.LiveExtended:
		return e.LiveID, true
	case score.LiveClosed:
		return e.LiveID, true
	case score.LiveVoided:
		return e.LiveID, true
	default:
		return "", false
	}
}
