package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"

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
	world *world
	slot  int
	id    string
	gone  atomic.Bool
	ready chan struct{}
	stop  context.CancelFunc
	ended sync.WaitGroup

	server   *rpc.Server
	listener *bufconn.Listener
}

func (r *replica) dead() bool { return r.gone.Load() }

// launch starts a replica with nothing but the logs.
func (w *world) launch(slot, life int) (*replica, error) {
	r := &replica{world: w, slot: slot, id: fmt.Sprintf("%s-%d-%d", names[slot/replicas], slot%replicas, life), ready: make(chan struct{})}
	s, err := r.service()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.server = rpc.NewServer(rpc.ServerOptions{Keys: keys, Log: w.log})
	s.RegisterGRPC(r.server)
	r.listener = bufconn.Listen(64 << 10)
	r.ended.Go(func() { _ = r.server.Serve(r.listener) })
	ready := sync.OnceFunc(func() { close(r.ready) })
	r.ended.Go(func() {
		if err := s.Components()[0].Run(ctx, ready); err != nil && ctx.Err() == nil {
			w.found("replica %s stopped: %v", r.id, err)
		}
	})
	return r, nil
}

func (r *replica) service() (service, error) {
	w := r.world
	st := stores{r, w.stores.Replica(r.id)}
	wall := func() time.Time { return w.wall(r.slot) }
	switch r.slot / replicas {
	case cohostService:
		return cohost.New(cohost.DefaultConfig(), cohost.Deps{Stores: st, Battle: &door{world: w, caller: r, service: battleService}, Log: w.log, Wall: wall})
	case battleService:
		cfg := battle.DefaultConfig()
		cfg.MinDuration = time.Second
		return battle.New(cfg, battle.Deps{Stores: st, Log: w.log, Wall: wall})
	default:
		cfg := score.DefaultConfig()
		cfg.Partitions = partitions
		return score.New(cfg, score.Deps{Stores: st, Battle: &door{world: w, caller: r, service: battleService}, Log: w.log, Wall: wall})
	}
}

// end ends the replica. A crash lets it do nothing more.
func (r *replica) end(crash bool) {
	r.gone.Store(crash)
	r.stop()
	r.server.Stop()
	_ = r.listener.Close()
	r.ended.Wait()
}

// dial reaches the replica that is in a slot at the time.
func (w *world) dial(slot int) (*grpc.ClientConn, error) {
	return rpc.Dial("passthrough:///"+names[slot/replicas], rpc.DialOptions{Key: "sim", Secret: keys["sim"], Service: "sim"},
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			r := w.replica(slot)
			if r == nil {
				return nil, errGone
			}
			return r.listener.DialContext(ctx)
		}))
}
