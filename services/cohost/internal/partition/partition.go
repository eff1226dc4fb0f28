// Package partition is the log COHOST_00 on this replica with everything that is folded from it: the domain's state, the
// active lives in order, and what each live is told, numbered.
package partition

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/watch"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

// Name of the log, which is also its stream's.
const Name = "COHOST_00"

// Subject of the log's stream.
const Subject = "log.cohost.00"

// Options of New.
type Options struct {
	Store ledger.Store
	Rules cohost.Rules
	// KeptNotices is how many of a live's last notices are kept for readers that come back.
	KeptNotices int
	// Presence holds the times of presence.
	Presence presence.Settings
	// Signs carries signs of life between replicas; nil if there is one replica only.
	Signs presence.Carrier
	// LeaveBattle has a live whose host is lost leave its battle, and returns when it has or cannot; cause names the loss, the same
	// whenever it is tried again. Nil if there is no battle service.
	LeaveBattle func(ctx context.Context, cause, live string)
	Logger      *slog.Logger
	Metrics     ledger.Metrics
	// Wall tells wall time; nil stands for time.Now.
	Wall func() time.Time
	// Project runs while this replica writes; nil for nothing.
	Project func(context.Context)
}

// Partition is the log on this replica. Its methods may be called from any goroutine; reads see committed state, and with
// it all that was submitted here before.
type Partition struct {
	ledger  *ledger.Ledger[cohost.Command, cohost.Event]
	state   *cohost.State
	active  activeLives
	notices *watch.Hub[cohost.Notice]
	ended   endedLives
	told    func(number int64, n cohost.Notice) // is given every notice; may be nil

	leases      *presence.Leases
	ear         *presence.Ear
	apart       atomic.Bool       // the log does not answer: this replica may be cut off with its server, and hear itself
	departing   map[string]string // by the lives that leave because their hosts are lost: Presence.Departs
	departs     chan struct{}     // tells of a new one
	log         *slog.Logger
	leaveBattle func(ctx context.Context, cause, live string)
}

// New makes a Partition; nothing runs yet.
func New(o Options) *Partition {
	p := fold(o)
	p.ledger = ledger.New(p.config(o))
	return p
}

// fold makes what is folded from the log.
func fold(o Options) *Partition {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Partition{
		state:   cohost.New(o.Rules),
		active:  newActiveLives(),
		notices: watch.New[cohost.Notice](o.KeptNotices),
		ended:   endedLives{keep: o.Rules.EndedKept},

		leases:      presence.NewLeases(o.Presence),
		departing:   make(map[string]string),
		departs:     make(chan struct{}, 1),
		leaveBattle: o.LeaveBattle,
		log:         o.Logger,
	}
	if o.Store.Lease != nil {
		p.ear = presence.NewEar(o.Signs, Name, o.Store.Lease.Self(), o.Presence)
	}
	return p
}

func (p *Partition) config(o Options) ledger.Config[cohost.Command, cohost.Event] {
	return ledger.Config[cohost.Command, cohost.Event]{
		Name:     Name,
		Store:    o.Store,
		Machine:  listening{State: p.state, leases: p.leases},
		Codec:    codec.Codec{},
		OnCommit: p.onCommit,
		State:    p.folded(),
		Grows:    cohost.Grows,
		Logger:   o.Logger,
		Metrics:  o.Metrics,
		Wall:     o.Wall,

		WhileWriting: func(ctx context.Context) { p.whileWriting(ctx, o.Project) },
	}
}

// Run follows the log, and writes it while this replica holds the lease; see ledger.Ledger. All the while it hears signs of
// life.
func (p *Partition) Run(ctx context.Context, ready func()) error {
	ctx, stop := context.WithCancel(ctx)
	if err := p.ear.Open(ctx); err != nil {
		stop()
		return err
	}
	var listens sync.WaitGroup
	listens.Go(func() { p.listen(ctx) })
	defer listens.Wait()
	defer stop()
	return p.ledger.Run(ctx, ready)
}

// Submit has a command decided; see ledger.Ledger.
func (p *Partition) Submit(ctx context.Context, c ledger.Command[cohost.Command]) (ledger.Result[cohost.Event], error) {
	return p.ledger.Submit(ctx, c)
}

// Answered reports whether a command has its answer already; see ledger.Ledger.
func (p *Partition) Answered(c ledger.Command[cohost.Command]) (bool, error) {
	return p.ledger.Answered(c)
}

// Now returns log time.
func (p *Partition) Now() time.Time { return p.ledger.Now() }

// onCommit takes a group into the read models. It runs with committed state locked against change.
func (p *Partition) onCommit(g ledger.Group[cohost.Event]) {
	for _, n := range p.state.Told() {
		number := p.notices.Publish(n.To, n)
		if p.told != nil {
			p.told(number, n)
		}
	}
	for _, e := range g.Events {
		switch event := e.Event.(type) {
		case cohost.LiveCreated:
			p.place(event.LiveID)
		case cohost.MemberJoined:
			p.place(event.LiveID)
		case cohost.MemberLeft:
			p.place(event.LiveID)
		case cohost.LiveEnding:
			p.place(event.LiveID)
			p.ended.add(event.LiveID, e.At)
		}
		p.followPresence(e.Event)
		for _, id := range p.ended.outdated(e.At) {
			if _, again := p.state.Live(id); !again {
				p.notices.Trim(id)
			}
		}
	}
}

// place has the active lives follow committed state.
func (p *Partition) place(id string) {
	live, _ := p.state.Live(id)
	p.active.place(live)
}
