//go:build linux

package hosts

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/presence"
)

// release lets groups have a live.
func (s *stage) release(live string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over[live] {
		s.free = append(s.free, live)
	}
}

// give says that a live has no future.
func (s *stage) give(live string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over[live] = true
	s.free = slices.DeleteFunc(s.free, func(l string) bool { return l == live })
}

// take takes up to n lives that are free, or none if there are not even two.
func (s *stage) take(rng *rand.Rand, n int) (lives []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rng.Shuffle(len(s.free), func(i, j int) { s.free[i], s.free[j] = s.free[j], s.free[i] })
	if len(s.free) < 2 {
		return nil
	}
	n = min(n, len(s.free))
	lives, s.free = slices.Clone(s.free[:n]), slices.Clone(s.free[n:])
	return lives
}

// groups connects two to nine lives, has them battle, and parts them, again and again. That some are lost meanwhile is not its concern.
func (s *stage) groups(ctx context.Context, rng *rand.Rand) {
	for wait(ctx, s.beats(rng, 0.2, 2)) {
		lives := s.take(rng, 2+rng.IntN(8))
		if lives == nil {
			continue
		}
		_ = s.p.connect(ctx, lives[0], lives[1:])
		lasts := s.beats(rng, 15, 60)
		_ = s.p.battle(ctx, lives[0], lives[1:], 1+int(lasts/time.Second))
		if !wait(ctx, lasts+s.beats(rng, 0, 3)) {
			return
		}
		for _, live := range lives {
			s.record(presence.Parted, live, nil)
			_ = s.p.exit(ctx, live)
			s.release(live)
		}
	}
}

// ask records what is said of every live at the end. Then it parts those that are left, and has them connected once more, two by two.
func (s *stage) ask(ctx context.Context) error {
	var left []string
	for _, live := range s.created {
		last, err := s.p.last(ctx, live)
		if err != nil {
			return err
		}
		s.record(presence.Final, live, last)
		if last.Active {
			left = append(left, live)
		}
	}
	for _, live := range left {
		_ = s.p.exit(ctx, live) // it may be in no connection
	}
	for pair := range slices.Chunk(left, 2) {
		if len(pair) < 2 {
			break
		}
		err := s.p.connect(ctx, pair[0], pair[1:])
		if err == nil {
			err = s.p.exit(ctx, pair[0])
		}
		r := history.Record{F: presence.Booked, Type: history.Info, ID: strings.Join(pair, " ")}
		if err != nil {
			r.Err = err.Error()
		}
		s.h.Append(r)
	}
	return ctx.Err()
}
