//go:build linux

package hosts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/host"
	"github.com/faceoff-live/faceoff/test/chaos/presence"
)

// actor is the client of a live in a process of its own.
type actor struct {
	s             *stage
	live, session string
	cmd           *exec.Cmd
	ended         chan struct{} // closed when the process has
}

// start starts a client of a live. What it writes goes to its file without passing through anybody.
func (s *stage) start(i int, live, session, door string) (*actor, error) {
	orders, err := s.orders(i, live, session, door)
	if err != nil {
		return nil, err
	}
	cmd, err := host.Command(orders)
	if err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(s.Dir, presence.Clients, presence.ClientFile(live, session)))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stdout = file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	a := &actor{s: s, live: live, session: session, cmd: cmd, ended: make(chan struct{})}
	a.record(presence.Started)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended is for what it wrote to say
		a.record(presence.Exited)
		close(a.ended)
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors = append(s.actors, a)
	return a, nil
}

func (a *actor) record(f string) { a.s.record(f, a.live, presence.Client{Session: a.session}) }

// kill ends it as a crash does.
func (a *actor) kill() {
	a.record(presence.Killed)
	_ = a.cmd.Process.Kill()
	<-a.ended
}

// freeze has it stand still for a while.
func (a *actor) freeze(ctx context.Context, d time.Duration) {
	a.record(presence.Frozen)
	_ = a.cmd.Process.Signal(syscall.SIGSTOP)
	wait(ctx, d)
	_ = a.cmd.Process.Signal(syscall.SIGCONT)
	a.record(presence.Thawed)
}

// cut loses for a while what it and everybody else send each other.
func (a *actor) cut(ctx context.Context, name string, d time.Duration) error {
	a.record(presence.CutOff)
	var heals []func() error
	for _, to := range []string{cluster.Gateway, cluster.NATS} {
		for _, l := range a.s.c.Links(name, to) {
			heal, err := l.Drop()
			if err != nil {
				return err
			}
			heals = append(heals, heal)
		}
	}
	wait(ctx, d)
	for _, heal := range heals {
		if err := heal(); err != nil {
			return err
		}
	}
	a.record(presence.Healed)
	return nil
}

// host is one host until ctx ends: it has a live, its client is harmed now and then, and when the live has ended it has another.
func (s *stage) host(ctx context.Context, i int, rng *rand.Rand) error {
	if !wait(ctx, s.beats(rng, 0, 3)) {
		return nil
	}
	backend := i%backends == backends-1
	for n := 1; ctx.Err() == nil; n++ {
		live := fmt.Sprintf("live-%03d-%d", i, n)
		if err := s.p.create(context.WithoutCancel(ctx), live); err != nil {
			return err
		}
		s.record(presence.Created, live, presence.Live{Host: i, Backend: backend})
		s.mu.Lock()
		s.created, s.free = append(s.created, live), append(s.free, live)
		s.mu.Unlock()
		if backend {
			<-ctx.Done()
			return nil
		}
		if err := s.act(ctx, i, live, rng); err != nil {
			return err
		}
		s.give(live)
	}
	return nil
}

// act is the life of a live's host: it returns when the live has ended.
func (s *stage) act(ctx context.Context, i int, live string, rng *rand.Rand) error {
	name, session := fmt.Sprintf("host-%03d", i), 1
	begin := func() (*actor, error) {
		a, err := s.start(i, live, fmt.Sprintf("s%d", session), presence.Doors[rng.IntN(len(presence.Doors))])
		session++
		return a, err
	}
	a, err := begin()
	if err != nil {
		return err
	}
	for {
		select {
		case <-time.After(s.beats(rng, 3, 20)):
		case <-a.ended:
			return nil // its live has
		case <-ctx.Done():
			return nil
		}
		switch n := rng.IntN(100); {
		case n < 40:
			a.kill()
			if n < 8 {
				s.give(live)
				wait(ctx, s.beats(rng, 25, 45)) // it never comes back
				return nil
			}
			if !wait(ctx, s.beats(rng, 0, 33)) {
				return nil
			}
			a, err = begin()
		case n < 65:
			a.freeze(ctx, s.beats(rng, 1./3, 40./3))
		case n < 90:
			err = a.cut(ctx, name, s.beats(rng, 1./3, 40./3))
		default:
			a, err = begin() // another device: the one before ends when it hears of it
		}
		if err != nil {
			return err
		}
	}
}

// end ends all clients.
func (s *stage) end() {
	s.record(presence.Over, "", nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	var ending sync.WaitGroup
	for _, a := range s.actors {
		ending.Go(a.kill)
	}
	ending.Wait()
}
