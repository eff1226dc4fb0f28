// Package demo plays hosts and their audiences against a running Faceoff, keeps its own count of everything, and
// compares: each fact that it checks is one that a platform relies on.
package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// Names of the scenarios.
const (
	// PK is a battle of two hosts.
	PK = "pk"
	// Nine is all that nine hosts can do.
	Nine = "nine"
)

// Options of Run.
type Options struct {
	Stack client.Stack
	// Scenario is PK or Nine.
	Scenario string
	// Own tells that the stack was started for this run.
	Own bool
	// Redis is the URL of the Redis that score writes to; empty: the scores in Redis are not looked at.
	Redis string
	// Duration of every battle that ends when its time is over: whole seconds.
	Duration time.Duration
	// Show is told every moment of the play as it happens; it may be nil.
	Show func(Moment)
}

// Battles is how long the battles take together whose time runs out.
func (o Options) Battles() time.Duration {
	if o.Scenario == Nine {
		return 5 * o.Duration
	}
	return o.Duration
}

// act is a part of a scenario; if it cannot go on, the play ends.
type act struct {
	name string
	play func(context.Context) error
}

// Run plays a scenario. The report tells whether every fact was right. An error means that the play could not be played at
// all.
func Run(ctx context.Context, o Options) (*Report, error) {
	c, err := client.New(o.Stack)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	s, err := newStage(c, o)
	if err != nil {
		return nil, err
	}
	if o.Redis != "" {
		address, err := redis.ParseURL(o.Redis)
		if err != nil {
			return nil, fmt.Errorf("--redis-url: %w", err)
		}
		s.redis = redis.NewClient(address)
		defer func() { _ = s.redis.Close() }()
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var acts []act
	switch o.Scenario {
	case PK:
		acts, err = newPlay(s, watching)
	case Nine:
		acts, err = newNine(s, watching)
	default:
		err = fmt.Errorf("there is no scenario %q", o.Scenario)
	}
	if err != nil {
		return nil, err
	}
	return s.perform(ctx, stop, acts), nil
}
