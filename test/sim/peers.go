package sim

import (
	"context"
	"errors"
	"sync"
	"time"
)

// served is who answers forwarded commands.
type served struct {
	r        *replica
	ctx      context.Context
	handle   func(context.Context, []byte) []byte
	handling sync.WaitGroup
}

// exchange carries forwarded commands between replicas.
type exchange struct {
	mu     sync.Mutex
	served map[string]*served
}

// peers is the exchange as one replica reaches it.
type peers struct{ r *replica }

func (p peers) Serve(ctx context.Context, name, id string, handle func(context.Context, []byte) []byte) error {
	x := &p.r.world.exchange
	s := &served{r: p.r, ctx: ctx, handle: handle}
	x.mu.Lock()
	x.served[name+"/"+id] = s
	x.mu.Unlock()
	<-ctx.Done()
	x.mu.Lock()
	delete(x.served, name+"/"+id)
	x.mu.Unlock()
	s.handling.Wait()
	return ctx.Err()
}

func (p peers) Forward(ctx context.Context, name, id string, request []byte) ([]byte, error) {
	p.r.await()
	in := p.r.world.faults
	if p.r.dead() {
		return nil, errGone
	}
	if in.hits(peerLost, p.r.slot) {
		return nil, in.silence(ctx)
	}
	late, twice := in.hits(peerLate, p.r.slot), in.hits(peerTwice, p.r.slot)
	if late || twice {
		p.r.world.later(in.between(time.Millisecond, 6*time.Second), func() { p.deliver(name, id, request) })
		if late {
			return nil, in.silence(ctx)
		}
	}
	if err := wait(ctx, in.between(50*time.Microsecond, 2*time.Millisecond)); err != nil {
		return nil, err
	}
	reply := p.deliver(name, id, request)
	if reply == nil {
		return nil, errors.New("no responders")
	}
	select {
	case b := <-reply:
		if b == nil || p.r.dead() || in.hits(peerAnswerLost, p.r.slot) {
			return nil, in.silence(ctx)
		}
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deliver hands a request to its receiver; nil if there is none. A dead receiver answers with nil.
func (p peers) deliver(name, id string, request []byte) <-chan []byte {
	x := &p.r.world.exchange
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.served[name+"/"+id]
	if s == nil || s.r.dead() {
		return nil
	}
	reply := make(chan []byte, 1)
	s.handling.Go(func() {
		s.r.await()
		b := s.handle(s.ctx, request)
		s.r.await()
		if s.r.dead() {
			b = nil
		}
		reply <- b
	})
	return reply
}
