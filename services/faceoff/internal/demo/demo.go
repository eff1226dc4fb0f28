// Package demo plays two hosts and their audiences against a running Faceoff, keeps its own count of everything, and
// compares: each fact that it checks is one that a platform relies on.
package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// Options of Run.
type Options struct {
	Stack client.Stack
	// Own tells that the stack was started for this run.
	Own bool
	// Redis is the URL of the Redis that score writes to; empty: the scores in Redis are not looked at.
	Redis string
	// Duration of the battle: whole seconds.
	Duration time.Duration
	// Show is told every moment of the play as it happens; it may be nil.
	Show func(Moment)
}

// Run plays the scenario pk. The report tells whether every fact was right. An error means that the play could not be
// played at all.
func Run(ctx context.Context, o Options) (*Report, error) {
	c, err := client.New(o.Stack)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	p, err := newPlay(c, o)
	if err != nil {
		return nil, err
	}
	if o.Redis != "" {
		address, err := redis.ParseURL(o.Redis)
		if err != nil {
			return nil, fmt.Errorf("--redis-url: %w", err)
		}
		p.redis = redis.NewClient(address)
		defer func() { _ = p.redis.Close() }()
	}
	return p.perform(ctx), nil
}

// play is one run of the scenario.
type play struct {
	*notes
	c        *client.Client
	redis    *redis.Client
	duration time.Duration

	service string // token of the platform's backend
	ann     *host  // invites
	ben     *host  // is invited
	battle  string
	endsAt  time.Time
	tally   *tally
}

// host is one side: a host, its live, and who watches it.
type host struct {
	user, live string
	token      string
	viewer     *viewer
}

func newPlay(c *client.Client, o Options) (*play, error) {
	run := ids.New()[:10]
	p := &play{
		notes:    newNotes(o),
		c:        c,
		duration: o.Duration,
		tally:    newTally(),
	}
	var err error
	if p.service, err = c.Token("demo-backend", auth.EveryLive, auth.Service); err != nil {
		return nil, err
	}
	if p.ann, err = p.newHost("ann", run, auth.Host); err != nil {
		return nil, err
	}
	if p.ben, err = p.newHost("ben", run, auth.Audience); err != nil {
		return nil, err
	}
	p.report.Lives = []string{p.ann.live, p.ben.live}
	return p, nil
}

func (p *play) newHost(name, run string, watcher auth.Role) (*host, error) {
	h := &host{user: name + "-" + run, live: "live-" + name + "-" + run}
	var err error
	if h.token, err = p.c.Token(h.user, h.live, auth.Host); err != nil {
		return nil, err
	}
	watching := h.token
	if watcher == auth.Audience {
		if watching, err = p.c.Token("viewer-"+run, h.live, auth.Audience); err != nil {
			return nil, err
		}
	}
	h.viewer = newViewer(p.c, h.live, watching)
	return h, nil
}

// sides are both hosts.
func (p *play) sides() []*host { return []*host{p.ann, p.ben} }

// perform plays act after act; the first that cannot go on ends the play.
func (p *play) perform(ctx context.Context) *Report {
	watching, stop := context.WithCancel(ctx)
	for _, act := range []struct {
		name string
		play func(context.Context) error
	}{
		{"open the lives", func(ctx context.Context) error { return p.openLives(ctx, watching) }},
		{"send a gift before the battle", p.giveBefore},
		{"connect", p.connect},
		{"request the battle", p.requestBattle},
		{"send gifts", p.giveDuring},
		{"await the end", p.awaitEnd},
		{"send gifts after the end", p.giveAfter},
		{"compare the scores", p.compareScores},
		{"look up the receipts", p.compareReceipts},
		{"replay the log", p.replay},
		{"part", p.part},
		{"end the lives", p.endLives},
	} {
		if err := act.play(ctx); err != nil {
			p.check("the play goes on: "+act.name, false, "%v", err)
			break
		}
	}
	stop()
	for _, h := range p.sides() {
		h.viewer.wait()
		gap := h.viewer.gap()
		p.check("the events of "+h.live+" are numbered without a gap", gap == "", "%s", gap)
	}
	return p.finish()
}
