package partition

import (
	"sync"
	"sync/atomic"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// hub tells watchers of a live that the scores of its battle may have changed. What they are is for the watchers to read:
// a change that is overtaken by the next is nothing that anybody misses.
type hub struct {
	watchers atomic.Int64

	mu    sync.Mutex
	lives map[string]map[chan struct{}]struct{}
}

func newHub() *hub {
	return &hub{lives: make(map[string]map[chan struct{}]struct{})}
}

// Watch returns a channel that receives after the scores of the live's battle may have changed; stop ends it.
func (s *Set) Watch(liveID string) (changed <-chan struct{}, stop func()) {
	h := s.hub
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lives[liveID] == nil {
		h.lives[liveID] = make(map[chan struct{}]struct{})
	}
	h.lives[liveID][c] = struct{}{}
	h.watchers.Add(1)
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if delete(h.lives[liveID], c); len(h.lives[liveID]) == 0 {
			delete(h.lives, liveID)
		}
		h.watchers.Add(-1)
	}
}

// committed wakes the watchers of all lives that share a battle with a live that something happened to.
func (h *hub) committed(s *score.State, g ledger.Group[score.Event]) {
	if h.watchers.Load() == 0 {
		return
	}
	battles := make(map[string]*score.Opening)
	for _, e := range g.Events {
		battle, live, ok := Concerns(e.Event)
		if !ok || battles[battle] != nil {
			continue
		}
		if r := s.Battle(battle).Room(live); r != nil {
			battles[battle] = r.Opening
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range battles {
		for _, p := range o.Participants {
			for c := range h.lives[p.LiveID] {
				select {
				case c <- struct{}{}:
				default:
				}
			}
		}
	}
}

// Concerns returns the battle and the live whose scores or status an event changes.
func Concerns(event score.Event) (battle, live string, ok bool) {
	switch e := event.(type) {
	case score.GiftDecided:
		return e.BattleID, e.LiveID, e.Verdict == score.Counted
	case score.LiveOpened:
		return e.BattleID, e.LiveID, true
	case score.BattleStarted:
		return e.BattleID, e.LiveID, true
	case score.LiveExtended:
		return e.BattleID, e.LiveID, true
	case score.LiveReopened:
		return e.BattleID, e.LiveID, true
	case score.CloseScheduled:
		return e.BattleID, e.LiveID, true
	case score.LiveClosed:
		return e.BattleID, e.LiveID, true
	case score.LiveVoided:
		return e.BattleID, e.LiveID, true
	default:
		return "", "", false
	}
}
