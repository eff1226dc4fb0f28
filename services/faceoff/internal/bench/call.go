package bench

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/ids"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// called makes a call, under an id of its own, until its outcome is known.
func called[I, O any](ctx context.Context, token string, method func(context.Context, I, ...grpc.CallOption) (O, error), in I) (out O, err error) {
	id := ids.New()
	_, err = client.Repeat(ctx, func(ctx context.Context) (err error) {
		out, err = method(client.As(ctx, token, id), in)
		return err
	})
	return out, err
}

// The verbs of a turn.
const (
	request = "request"
	accept  = "accept"
	exit    = "exit"
)

// size is that of the messages of a call, in bytes.
type size struct{ request, response int }

// measured is told of each call that was answered, what it took, and how large its messages were.
type measured func(verb string, took time.Duration, s size)

// timed makes a call and measures it.
func timed[I, O proto.Message](ctx context.Context, token, verb string, method func(context.Context, I, ...grpc.CallOption) (O, error), in I, done measured) (O, error) {
	begun := time.Now()
	out, err := called(ctx, token, method, in)
	if err != nil {
		return out, fmt.Errorf("%s: %w", verb, err)
	}
	done(verb, time.Since(begun), size{proto.Size(in), proto.Size(out)})
	return out, nil
}

// turn is a whole life of a connection: the pair connects and parts again.
func (c *crowd) turn(ctx context.Context, p *pair, done measured) error {
	if _, err := timed(ctx, p.a.token, request, c.c.Cohost.RequestHostConnection, p.invitation(patience), done); err != nil {
		return err
	}
	if _, err := timed(ctx, p.b.token, accept, c.c.Cohost.AcceptHostConnection, p.yes(), done); err != nil {
		return err
	}
	_, err := timed(ctx, p.a.token, exit, c.c.Cohost.ExitHostConnection, p.leave(), done)
	return err
}

// What a battle does by itself.
const (
	start = "start"
	end   = "end"
)

// bout is a whole life of a battle: request, accept, start, exit, end. It holds a slot for each call, not while it waits.
func (c *crowd) bout(ctx context.Context, p *pair, slots chan struct{}, done measured, waited func(what string, took time.Duration)) error {
	slots <- struct{}{}
	r, err := timed(ctx, p.a.token, request, c.c.Battle.RequestBattle, p.challenge(longBattle, true), done)
	<-slots
	if err != nil {
		return err
	}
	id := r.GetBattle().GetBattleId()
	slots <- struct{}{}
	_, err = timed(ctx, p.b.token, accept, c.c.Battle.AcceptBattle, &battlev1.AcceptBattleRequest{BattleId: id, LiveId: p.b.id}, done)
	<-slots
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n, err := p.told.await(ctx, started+id)
	if err != nil {
		return err
	}
	waited(start, n.seen.Sub(n.battle.GetStartsAt().AsTime()))
	slots <- struct{}{}
	left := time.Now()
	_, err = timed(ctx, p.b.token, exit, c.c.Battle.ExitBattle, &battlev1.ExitBattleRequest{BattleId: id, LiveId: p.b.id}, done)
	<-slots
	if err != nil {
		return err
	}
	if n, err = p.told.await(ctx, ended+id); err != nil {
		return err
	}
	waited(end, n.seen.Sub(left))
	return nil
}
