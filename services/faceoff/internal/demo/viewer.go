package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// message is what a viewer is told.
type message = gatewayv1.WatchLiveResponse

// viewer watches a live over the gateway, and goes on from its offset when the stream breaks.
type viewer struct {
	c           *client.Client
	live, token string
	running     sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed with every message
	messages []*message
	offset   string
	cohost   int64 // last number in the context; -1 before the first snapshot
	battle   int64
	fault    string
	ended    bool // the live has
	refused  error
}

func newViewer(c *client.Client, live, token string) *viewer {
	return &viewer{c: c, live: live, token: token, changed: make(chan struct{}), cohost: -1, battle: -1}
}

// start watches until ctx ends or the live does.
func (v *viewer) start(ctx context.Context) { v.running.Go(func() { v.watch(ctx) }) }

func (v *viewer) watch(ctx context.Context) {
	for ctx.Err() == nil && !v.isOver() {
		_, err := client.Repeat(ctx, func(context.Context) error { return v.once(ctx) })
		if err != nil && ctx.Err() == nil {
			v.mu.Lock()
			v.refused = err
			close(v.changed)
			v.changed = make(chan struct{})
			v.mu.Unlock()
			return
		}
	}
}

// once watches until the stream breaks.
func (v *viewer) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.mu.Lock()
	offset := v.offset
	v.mu.Unlock()
	stream, err := v.c.Gateway.WatchLive(client.As(ctx, v.token, ""), &gatewayv1.WatchLiveRequest{LiveId: v.live, Offset: offset})
	if err != nil {
		return err
	}
	for !v.isOver() {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		v.take(m)
	}
	return nil
}

// take notes a message and whether it follows the one before in its context.
func (v *viewer) take(m *message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch p := m.GetPayload().(type) {
	case *gatewayv1.WatchLiveResponse_Connected_:
		if p.Connected.GetRecovered() {
			break
		}
		if v.cohost >= 0 || v.battle >= 0 {
			v.wrong("the stream started anew, from a snapshot, after cohost %d and battle %d", v.cohost, v.battle)
		}
		v.cohost, v.battle = p.Connected.GetCohost().GetNumber(), p.Connected.GetBattle().GetNumber()
	case *gatewayv1.WatchLiveResponse_Cohost:
		v.cohost = v.follow("cohost", v.cohost, p.Cohost.GetNumber())
		v.ended = v.ended || p.Cohost.GetLiveEnded() != nil
	case *gatewayv1.WatchLiveResponse_Battle:
		v.battle = v.follow("battle", v.battle, p.Battle.GetNumber())
	}
	v.offset = m.GetOffset()
	v.messages = append(v.messages, m)
	close(v.changed)
	v.changed = make(chan struct{})
}

func (v *viewer) follow(context string, last, number int64) int64 {
	if number != last+1 {
		v.wrong("%s event %d came after %d", context, number, last)
	}
	return number
}

func (v *viewer) wrong(format string, args ...any) {
	if v.fault == "" {
		v.fault = fmt.Sprintf(format, args...)
	}
}

func (v *viewer) isOver() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ended
}

// gap says what was wrong with the order of the events; empty if nothing.
func (v *viewer) gap() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.fault == "" && v.cohost < 0:
		return "the viewer was told nothing"
	case v.fault == "" && v.refused != nil:
		return v.refused.Error()
	}
	return v.fault
}

// wait returns when the viewer has stopped watching.
func (v *viewer) wait() { v.running.Wait() }

// patience is how long something that should happen at once may take, a restart of the stack included.
const patience = 30 * time.Second

// await returns what the first message holds that has what is looked for; it looks from the first message on.
func await[T any](ctx context.Context, v *viewer, what string, find func(*message) (T, bool)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var none T
	next := 0
	for {
		v.mu.Lock()
		messages, changed, refused := v.messages, v.changed, v.refused
		v.mu.Unlock()
		for ; next < len(messages); next++ {
			if found, ok := find(messages[next]); ok {
				return found, nil
			}
		}
		if refused != nil {
			return none, fmt.Errorf("watching %s: %w", v.live, refused)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return none, fmt.Errorf("the viewers of %s were not told: %s", v.live, what)
		}
	}
}
