package workload

import (
	"fmt"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// stage is what clients know of each other.
type stage struct {
	mu       sync.Mutex
	round    int // how often load was begun
	keys     int
	invited  []invitation
	fights   []string // battles in the order in which they were heard of
	fight    map[string]fight
	compared int                  // of these, the first so many have been compared
	gifts    []*scorev1.GiftEvent // of late
	done     []command            // of late, answered with ok

	// What nobody knows the outcome of.
	open      map[string]command            // by user and key
	openGifts map[string]*scorev1.GiftEvent // by live and event
	kept      map[string]bool               // gifts with a verdict that stays
}

// remembered is how much of what was done is kept to be done again.
const remembered = 2000

type invitation struct{ from, to string }

// fight is a battle as somebody has heard of it.
type fight struct {
	id      string
	lives   []string
	inviter string
	// By the local clock; zero if not known.
	expires, starts, ends time.Time
	ended                 bool
	over                  bool // and nothing follows: no punishment takes any longer, and no round is to come
}

// key makes an idempotency key.
func (s *stage) key(p int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys++
	return fmt.Sprintf("%d-%d", p, s.keys)
}

// decided notes what has become of a command.
func (s *stage) decided(m command, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := m.By + "/" + m.key
	if s.open == nil {
		s.open = map[string]command{}
	}
	delete(s.open, id)
	switch a.kind {
	case history.OK:
		s.done = last(append(s.done, m))
		if m.kind == check.Invite {
			for _, target := range a.Accepted {
				s.invited = last(append(s.invited, invitation{m.Live, target}))
			}
		}
	case history.Fail:
	default:
		s.open[id] = m
	}
}

// heard takes note of a battle.
func (s *stage) heard(b *battlev1.Battle) {
	if b.GetBattleId() == "" {
		return
	}
	local := func(t interface{ AsTime() time.Time }) time.Time {
		return time.Now().Add(t.AsTime().Sub(b.GetServerNow().AsTime()))
	}
	x := fight{id: b.GetBattleId(), inviter: b.GetInviterLiveId(), ended: b.GetStatus() == battlev1.Battle_ENDED, over: over(b)}
	for _, u := range b.GetUsers() {
		x.lives = append(x.lives, u.GetLiveId())
	}
	if b.GetExpiresAt() != nil {
		x.expires = local(b.GetExpiresAt())
	}
	if b.GetStartsAt() != nil {
		x.starts, x.ends = local(b.GetStartsAt()), local(b.GetEndsAt())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fight == nil {
		s.fight = map[string]fight{}
	}
	before := s.fight[x.id]
	x.ended, x.over = x.ended || before.ended, x.over || before.over
	if x.starts.IsZero() {
		x.starts, x.ends = before.starts, before.ends
	}
	s.note(x)
	if next := b.GetSeries().GetNextBattleId(); next != "" && s.fight[next].id == "" {
		s.note(fight{id: next, lives: x.lives, inviter: x.inviter})
	}
}

// note keeps what is known of a battle.
func (s *stage) note(x fight) {
	if _, known := s.fight[x.id]; !known {
		s.fights = append(s.fights, x.id)
	}
	s.fight[x.id] = x
}

// over reports whether a battle has ended, with what follows of it but the next round.
func over(b *battlev1.Battle) bool {
	punished := b.GetPunishmentEndsAt().AsTime().After(b.GetServerNow().AsTime())
	awaits := b.GetSeries() != nil && !b.GetSeries().GetDecided() && b.GetSeries().GetNextBattleId() == ""
	return b.GetStatus() == battlev1.Battle_ENDED && !punished && !awaits
}

// recent returns one of the last n battles.
func (c *client) recent(n int) (fight, bool) {
	s := &c.stage
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fights) == 0 {
		return fight{}, false
	}
	return s.fight[s.fights[len(s.fights)-1-c.rng.IntN(min(n, len(s.fights)))]], true
}

// running are the battles that start, run, or have just ended.
func (c *client) running() (all []fight) {
	s := &c.stage
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.fights[max(0, len(s.fights)-lives):] {
		if f := s.fight[id]; !f.ended && time.Until(f.ends) > -100*time.Millisecond {
			all = append(all, f)
		}
	}
	return all
}

// last keeps the end of a list.
func last[T any](list []T) []T {
	if len(list) > 2*remembered {
		return append([]T(nil), list[len(list)-remembered:]...)
	}
	return list
}

// one returns one of the last n of a list of the stage.
func one[T any](c *client, list *[]T, n int) (x T, ok bool) {
	c.stage.mu.Lock()
	defer c.stage.mu.Unlock()
	if len(*list) == 0 {
		return x, false
	}
	return (*list)[len(*list)-1-c.rng.IntN(min(n, len(*list)))], true
}
