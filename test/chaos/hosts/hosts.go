//go:build linux

// Package hosts is many hosts, each with a client process of its own, who are connected and battle while they, and the replicas of
// cohost, are harmed at random. What is done is recorded for package presence to judge.
package hosts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/host"
	"github.com/faceoff-live/faceoff/test/chaos/presence"
)

// Config says how many hosts there are and for how long they are harmed.
type Config struct {
	Hosts int
	For   time.Duration
	Seed  uint64
	Dir   string // for what the clients write
}

const (
	// backends is how many lives there are for each one that a backend drives alone.
	backends = 10
	// group is how many lives there are for each group, about.
	group = 6
	// afterwards is how long everything may take besides what the settings say, once nothing is harmed any more.
	afterwards = 10 * time.Second
)

// stage is what goes on.
type stage struct {
	Config
	c     *cluster.Cluster
	h     *history.Writer
	p     *platform
	times presence.Times
	doors []cluster.Doors // by host

	mu      sync.Mutex
	created []string        // all lives
	free    []string        // that are in no group
	over    map[string]bool // that have ended, or will
	actors  []*actor
}

// Run has the hosts live for as long as the config says, leaves them alone until all that is silent must have been found, and asks
// what has become of them. An error says that the harness could not do its work.
func Run(ctx context.Context, c *cluster.Cluster, cfg Config, h *history.Writer) error {
	s := &stage{Config: cfg, c: c, h: h, over: make(map[string]bool)}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, presence.Clients), 0o755); err != nil {
		return err
	}
	var err error
	if s.p, err = newPlatform(c.Doors()); err != nil {
		return err
	}
	defer func() { _ = s.p.close() }()
	if s.times, err = s.p.settings(ctx); err != nil {
		return err
	}
	for i := range cfg.Hosts {
		doors, err := c.OwnDoors(fmt.Sprintf("host-%03d", i), i)
		if err != nil {
			return err
		}
		s.doors = append(s.doors, doors)
	}
	s.record(presence.Load, "", presence.Scene{Seed: cfg.Seed, Began: time.Now().Add(-h.Now()).UnixNano(), Hosts: cfg.Hosts, Times: s.times})
	defer s.end()
	if err := s.live(ctx); err != nil {
		return err
	}
	s.record(presence.Calm, "", nil)
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := c.Ready(ready); err != nil {
		return err
	}
	stages := time.Duration(s.times.Unreachable+s.times.Grace+s.times.End) * time.Millisecond
	if !wait(ctx, stages+afterwards) {
		return ctx.Err()
	}
	return s.ask(ctx)
}

// live is all that goes on while hosts and replicas are harmed.
func (s *stage) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var all sync.WaitGroup
	errs := make(chan error, s.Hosts+1)
	for i := range s.Hosts {
		rng := s.rng(i)
		all.Go(func() {
			if err := s.host(ctx, i, rng); err != nil && ctx.Err() == nil {
				errs <- fmt.Errorf("host %d: %w", i, err)
				cancel()
			}
		})
	}
	for i := range max(1, s.Hosts/group) {
		rng := s.rng(s.Hosts + i)
		all.Go(func() { s.groups(ctx, rng) })
	}
	all.Go(func() { s.standstills(ctx) })
	all.Go(func() {
		if _, err := s.plan(s.rng(-1)).Run(ctx, s.c, s.h); err != nil {
			errs <- err
		}
	})
	all.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

func (s *stage) rng(i int) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, uint64(i))) }

// beats is a random time of least to most renewals.
func (s *stage) beats(rng *rand.Rand, least, most float64) time.Duration {
	renew := float64(s.times.Renew) * float64(time.Millisecond)
	return time.Duration(renew * (least + rng.Float64()*(most-least)))
}

// standstills records when the harness, and with it the machine, was held up for longer than the half of what makes a replica doubt what it has heard.
func (s *stage) standstills(ctx context.Context) {
	longest := time.Duration(s.times.Renew) * time.Millisecond / 6
	for last := time.Now(); wait(ctx, 20*time.Millisecond); last = time.Now() {
		if held := time.Since(last); held > longest {
			s.record(presence.Standing, "", presence.Standstill{For: held.Milliseconds()})
		}
	}
}

func (s *stage) record(f, id string, val any) {
	raw, err := json.Marshal(val)
	if err != nil {
		panic(err) // it is text and numbers
	}
	s.h.Append(history.Record{F: f, Type: history.Info, ID: id, Val: raw})
}

// orders are those of a client of a live of the i-th host.
func (s *stage) orders(i int, live, session, door string) (host.Orders, error) {
	token, err := s.p.hostToken(live)
	d := s.doors[i]
	return host.Orders{
		REST: d.REST[0], GRPC: d.GRPC[0], NATS: d.NATS[0], Door: door, Token: token, Live: live, Session: session,
		Renew: time.Duration(s.times.Renew) * time.Millisecond,
	}, err
}

// wait returns after d, or sooner with false when ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
