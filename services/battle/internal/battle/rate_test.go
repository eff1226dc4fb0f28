package battle_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// limited is a saga in which 3 battles a minute may be requested.
func limited(t *testing.T, names ...string) *saga {
	t.Helper()
	s := settings()
	s.RequestsPerLive, s.RequestsPerUser = 3, 3
	return newSaga(t, s, names...)
}

// ask requests a battle and takes the request back.
func (s *saga) ask(inviter, target string) error {
	s.seq++
	id := fmt.Sprint("ask", s.seq)
	err := s.try(battle.RequestBattle{BattleID: id, Inviter: inviter, TargetLives: []string{target}, Terms: terms(true)})
	if err == nil {
		s.do(battle.CancelBattleRequest{BattleID: id, LiveID: inviter})
	}
	return err
}

func (s *saga) allowed(inviter, target string, want bool) {
	s.t.Helper()
	err := s.ask(inviter, target)
	if want && err != nil || !want && reasonOf(err) != battle.ReasonBattleRateLimited {
		s.t.Errorf("request by %s: %v, want it allowed: %v", inviter, err, want)
	}
}

func TestRequestsPerMinute(t *testing.T) {
	t.Parallel()
	s := limited(t, "a", "b", "c")
	for range 3 {
		s.allowed("a", "b", true)
		s.now = s.now.Add(10 * time.Second)
	}
	s.allowed("a", "b", false) // at 30 s; the first was at 0 s
	s.allowed("b", "a", true)  // is counted for b
	s.now = t0.Add(time.Minute - time.Millisecond)
	s.allowed("a", "b", false) // and one that is refused does not count
	s.now = t0.Add(time.Minute)
	s.allowed("a", "b", true)
	s.allowed("a", "b", false)
	s.now = s.now.Add(10 * time.Second)
	s.allowed("a", "c", true)
	s.now = s.now.Add(time.Hour)
	for range 3 {
		s.allowed("a", "b", true)
	}
	s.allowed("a", "b", false)
}

// A host with many lives is one user, whatever each of them may.
func TestRequestsOfAUser(t *testing.T) {
	t.Parallel()
	limits := settings()
	limits.RequestsPerLive, limits.RequestsPerUser = 9, 3
	s := newSaga(t, limits, "a", "b")
	s.cohost++
	s.do(battle.ReadCohost{Sequence: s.cohost, Facts: []battle.ConnectionFact{{ConnectionID: "x", Live: battle.Participant{LiveID: "a2", Host: live("a").Host}}}})
	s.allowed("a", "b", true)
	s.allowed("a2", "b", true)
	s.allowed("a", "b", true)
	s.allowed("a2", "b", false)
}

// It speaks of the moment, so it is not what a repeat gets; and what cannot be anyway is refused for its own reason.
func TestRateLimitIsPassing(t *testing.T) {
	t.Parallel()
	s := limited(t, "a", "b")
	for range 3 {
		s.allowed("a", "b", true)
	}
	err := s.ask("a", "b")
	refusal := battleRefusal(t, err)
	if want := "3 battles a minute may be requested; the next one in 1m0s"; !refusal.Passing || refusal.Detail != want || refusal.RetryAfter != time.Minute {
		t.Errorf("%+v, want %q", refusal, want)
	}
	s.refused(battle.RequestBattle{Inviter: "a", TargetLives: []string{"z"}, Terms: terms(true)}, battle.ReasonNoValidTarget)
}

// A rematch is a request, the next round of a series is none.
func TestWhatIsARequest(t *testing.T) {
	t.Parallel()
	s := limited(t, "a", "b")
	s.request("s", bestOf(3, 0), "b")
	s.fight("s", "a2 b1")
	s.after(5 * time.Second)
	s.fight("s-2", "a2 b1")
	for _, id := range []string{"r1", "r2"} {
		s.do(battle.Rematch{BattleID: id, Of: "s", LiveID: "a"})
		s.do(battle.ExitBattle{BattleID: id, LiveID: "b"})
	}
	s.refused(battle.Rematch{BattleID: "r3", Of: "s", LiveID: "a"}, battle.ReasonBattleRateLimited)
}

// No more requests are kept than the greatest limit needs, whatever the limit is.
func TestRequestsKept(t *testing.T) {
	t.Parallel()
	limits := settings()
	limits.RequestsPerLive, limits.RequestsPerUser = 1000, 1000
	s := newSaga(t, limits, "a", "b")
	for range 605 {
		s.allowed("a", "b", true)
	}
	for piece := range s.machine.Freeze() {
		if r, ok := piece.(battle.KeptRequests); ok && len(r.Times) != 600 {
			t.Errorf("%d requests of %q %q are kept", len(r.Times), r.LiveID, r.UserID)
		}
	}
}
