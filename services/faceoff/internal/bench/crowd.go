package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

const (
	// others is how many pairs call commands while lateness is measured.
	others = 32
	// watchersPerConnection stays below what the gateway lets run on one connection.
	watchersPerConnection = 100
	// atOnce is how many calls that are not measured are on their way at once.
	atOnce = 32
	// patience is how long anything may take that should happen at once.
	patience = 30 * time.Second
)

// live is a live with its host.
type live struct{ id, token string }

// pair is two lives. The first asks the second for everything; the second is watched.
type pair struct {
	a, b    *live
	told    *told
	invited int // invitations that were sent and not answered
}

// crowd is everybody that a run needs.
type crowd struct {
	c       *client.Client
	service string // token of a platform's backend
	// fighters are connected, inviters and others are not; others are not watched.
	fighters, inviters, others []*pair

	watching []*client.Client
	stop     context.CancelFunc
	watchers sync.WaitGroup
}

// gather opens the lives, connects those that battle, and watches.
func gather(ctx context.Context, o Options) (_ *crowd, err error) {
	c := new(crowd)
	if c.c, err = client.New(o.Stack); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(ctx)
	c.stop = stop
	defer func() {
		if err != nil {
			err = errors.Join(err, c.part())
		}
	}()
	if c.service, err = c.c.Token("bench-backend", auth.EveryLive, auth.Service); err != nil {
		return nil, err
	}
	run := ids.New()[:10]
	for _, group := range []struct {
		name  string
		pairs *[]*pair
		many  int
	}{{"fighter", &c.fighters, o.Pairs}, {"inviter", &c.inviters, o.Pairs}, {"other", &c.others, others}} {
		for i := range group.many {
			p := new(pair)
			for name, l := range map[string]**live{"a": &p.a, "b": &p.b} {
				id := fmt.Sprintf("bench-%s-%s-%d-%s", run, group.name, i, name)
				token, err := c.c.Token("host-"+id, id, auth.Host)
				if err != nil {
					return nil, err
				}
				*l = &live{id: id, token: token}
			}
			*group.pairs = append(*group.pairs, p)
		}
	}
	if err := each(c.all(), func(p *pair) error { return c.open(ctx, p) }); err != nil {
		return nil, err
	}
	if err := each(c.fighters, func(p *pair) error { return c.connect(ctx, p) }); err != nil {
		return nil, err
	}
	for i, p := range append(c.fighters[:len(c.fighters):len(c.fighters)], c.inviters...) {
		if i%watchersPerConnection == 0 {
			own, err := client.New(o.Stack)
			if err != nil {
				return nil, err
			}
			c.watching = append(c.watching, own)
		}
		p.told = newTold()
		own := c.watching[len(c.watching)-1]
		c.watchers.Go(func() { p.told.watch(watching, own, p.b) })
	}
	return c, each(append(c.fighters[:len(c.fighters):len(c.fighters)], c.inviters...), func(p *pair) error {
		_, err := p.told.await(ctx, connected)
		return err
	})
}

func (c *crowd) all() []*pair {
	all := append(c.fighters[:len(c.fighters):len(c.fighters)], c.inviters...)
	return append(all, c.others...)
}

// part ends the lives, as far as it can within a while, and lets everything go.
func (c *crowd) part() error {
	c.stop()
	c.watchers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := each(c.all(), func(p *pair) error {
		for _, l := range []*live{p.a, p.b} {
			if _, err := c.c.Cohost.EndLive(client.As(ctx, c.service, ids.New()), &cohostv1.EndLiveRequest{LiveId: l.id}); err != nil {
				return fmt.Errorf("end live %s: %w", l.id, err)
			}
		}
		return nil
	})
	for _, own := range c.watching {
		err = errors.Join(err, own.Close())
	}
	return errors.Join(err, c.c.Close())
}

// each does something for all, a few at once. Once it has failed it does no more.
func each(pairs []*pair, do func(*pair) error) error {
	next := make(chan *pair)
	failed := make(chan error, atOnce)
	var running sync.WaitGroup
	for range atOnce {
		running.Go(func() {
			for p := range next {
				if err := do(p); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	var err error
	for _, p := range pairs {
		if err == nil {
			select {
			case next <- p:
			case err = <-failed:
			}
		}
	}
	close(next)
	running.Wait()
	close(failed)
	for more := range failed {
		err = errors.Join(err, more)
	}
	return err
}

func (c *crowd) open(ctx context.Context, p *pair) error {
	for _, l := range []*live{p.a, p.b} {
		if _, err := called(ctx, c.service, c.c.Cohost.CreateLive, &cohostv1.CreateLiveRequest{
			LiveId: l.id, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "host-" + l.id, UserName: l.id},
		}); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) connect(ctx context.Context, p *pair) error {
	if _, err := called(ctx, p.a.token, c.c.Cohost.RequestHostConnection, p.invitation(patience)); err != nil {
		return err
	}
	_, err := called(ctx, p.b.token, c.c.Cohost.AcceptHostConnection, p.yes())
	return err
}

func (p *pair) invitation(timeout time.Duration) *cohostv1.RequestHostConnectionRequest {
	return &cohostv1.RequestHostConnectionRequest{LiveId: p.a.id, TargetLiveIds: []string{p.b.id}, TimeoutSeconds: int32(timeout / time.Second)}
}

func (p *pair) yes() *cohostv1.AcceptHostConnectionRequest {
	return &cohostv1.AcceptHostConnectionRequest{LiveId: p.b.id, FromLiveId: p.a.id}
}

func (p *pair) leave() *cohostv1.ExitHostConnectionRequest {
	return &cohostv1.ExitHostConnectionRequest{LiveId: p.a.id}
}

func (p *pair) challenge(duration time.Duration, needResponse bool) *battlev1.RequestBattleRequest {
	return &battlev1.RequestBattleRequest{
		InviterLiveId: p.a.id, TargetLiveIds: []string{p.b.id},
		Config: &battlev1.BattleConfig{DurationSeconds: int32(duration / time.Second), NeedResponse: needResponse},
	}
}
