package sim

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/cohost"
	"github.com/faceoff-live/faceoff/services/score"
)

// Services, each with its replicas in slots of their own.
const (
	cohostService = iota
	battleService
	scoreService
	services
)

const (
	replicas   = 2
	slots      = services * replicas
	partitions = 3 // of score
)

var names = [services]string{"cohost", "battle", "score"}

// service is what the three have in common.
type service interface {
	RegisterGRPC(grpc.ServiceRegistrar)
	Components() []lifecycle.Component
}

// replica is one life of a replica: after a crash its slot gets another one.
type replica struct {
	world  *world
	slot   int
	id     string
	whole  bool // it folds whole logs
	gone   atomic.Bool
	paused atomic.Pointer[time.Time] // until when
	ready  chan struct{}
	ctx    context.Context
	stop   context.CancelFunc
	ended  sync.WaitGroup

	mouth   *mouth
	methods methods
	streams streams
	calls   sync.WaitGroup
}

// await lets a pause of the replica pass. Whatever goes in or out waits for it, whoever else loses patience meanwhile.
func (r *replica) await() {
	for {
		until := r.paused.Load()
		if until == nil || !time.Now().Before(*until) {
			return
		}
		<-time.After(time.Until(*until))
	}
}

func (r *replica) dead() bool { return r.gone.Load() }

// machine that a slot is on.
func machine(slot int) string { return fmt.Sprintf("%s-%d", names[slot/replicas], slot%replicas) }

// launch starts a replica with nothing but the logs, and snapshots of them unless it is to fold whole ones.
func (w *world) launch(slot, life int, whole bool) (*replica, error) {
	r := &replica{world: w, slot: slot, whole: whole, id: fmt.Sprintf("%s-%d", machine(slot), life), ready: make(chan struct{}), methods: methods{}, streams: streams{}}
	r.mouth = &mouth{r: r}
	s, err := r.service()
	if err != nil {
		return nil, err
	}
	w.journal.note(r.id, "starts")
	r.ctx, r.stop = context.WithCancel(context.Background())
	s.RegisterGRPC(r)
	ready := sync.OnceFunc(func() {
		w.journal.note(r.id, "is ready")
		close(r.ready)
	})
	r.ended.Go(func() {
		if err := s.Components()[0].Run(r.ctx, ready); err != nil && r.ctx.Err() == nil {
			w.found("replica %s stopped: %v", r.id, err)
		}
	})
	return r, nil
}

func (r *replica) service() (service, error) {
	w := r.world
	log := slog.New(&logger{w: w, who: r.id})
	st := stores{r, w.stores.Replica(r.id)}
	wall := func() time.Time { return w.wall(r.slot) }
	switch r.slot / replicas {
	case cohostService:
		cfg := cohost.DefaultConfig()
		l := w.shape.limits
		cfg.MaxMembers, cfg.MaxInvitations, cfg.InvitationsPerLive, cfg.InvitationsPerUser = l.Members, l.Pending, l.LiveRate, l.UserRate
		cfg.EventsKept = 4096 // all
		cfg.SessionsPerLive = l.Sessions
		cfg.PresenceRenew, cfg.PresenceUnreachableAfter, cfg.PresenceGrace = milliseconds(l.Renew), milliseconds(l.Unreachable), milliseconds(l.Grace)
		cfg.PresenceEndAfter, cfg.PresenceRejoinWithin = milliseconds(l.EndAfter), milliseconds(l.Rejoin)
		return cohost.New(cfg, cohost.Deps{Stores: st, Signs: r.mouth, Battle: &door{world: w, caller: r, service: battleService}, Log: log, Wall: wall})
	case battleService:
		cfg := battle.DefaultConfig()
		l := w.shape.limits
		cfg.MinDuration, cfg.RoundInterval = time.Second, time.Second
		cfg.DefaultDuration, cfg.MaxDuration, cfg.ProposalTimeout = 2*time.Second, milliseconds(l.LongestBattle), milliseconds(l.Proposal)
		cfg.RequestsPerLive, cfg.RequestsPerUser = l.BattleLiveRate, l.BattleUserRate
		return battle.New(cfg, battle.Deps{Stores: st, Log: log, Wall: wall})
	default:
		cfg := score.DefaultConfig()
		cfg.Partitions = partitions
		return score.New(cfg, score.Deps{Stores: st, Battle: &door{world: w, caller: r, service: battleService}, Log: log, Wall: wall})
	}
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// end ends the replica. A crash lets it do nothing more.
func (r *replica) end(crash bool) {
	r.gone.Store(crash)
	r.stop()
	r.calls.Wait()
	r.ended.Wait()
}
