package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// shape is who there is in a run, and how much they may. It is drawn from the seed.
type shape struct {
	lives  []string // those of a kind behind each other
	limits check.Limits
	// crowd: callers would rather have one connection grow than found others.
	crowd bool
	// hosted are the lives whose hosts show presence; the others are driven by backends alone.
	hosted []string
}

func newShape(seed uint64) shape {
	rng := rand.New(rand.NewPCG(seed, 3))
	s := shape{limits: check.Limits{Members: 9, Pending: 100, LiveRate: 120, UserRate: 120}, crowd: seed%3 == 0}
	video, voice := 4+rng.IntN(5), 2+rng.IntN(3)
	switch {
	case s.crowd:
		video, voice = 10+rng.IntN(5), 2
	case rng.IntN(2) == 0:
		s.limits.Members = 2 + rng.IntN(3)
	}
	if !s.crowd && rng.IntN(3) == 0 {
		s.limits.Pending = 1 + rng.IntN(3)
	}
	if !s.crowd && rng.IntN(3) == 0 {
		s.limits.LiveRate = 2 + rng.IntN(6)
		s.limits.UserRate = s.limits.LiveRate + rng.IntN(6)
	}
	s.limits.BattleLiveRate, s.limits.BattleUserRate = 120, 120
	s.limits.LongestBattle, s.limits.Proposal = 8000, 1000+500*rng.Int64N(5)
	if rng.IntN(4) == 0 {
		s.limits.BattleLiveRate = 1 + rng.IntN(4)
		s.limits.BattleUserRate = s.limits.BattleLiveRate + 1 + rng.IntN(3)
	}
	s.limits.Renew, s.limits.Unreachable, s.limits.Grace, s.limits.EndAfter, s.limits.Rejoin = 3000, 8000, 15_000, 60_000, 60_000
	if rng.IntN(2) == 0 { // for more of it to happen in a run
		s.limits.Renew, s.limits.Unreachable, s.limits.Grace, s.limits.EndAfter, s.limits.Rejoin = 900, 2500, 3000, 7000, 5000
		s.limits.LongestBattle = 40_000
	}
	if s.limits.Sessions = 30; rng.IntN(4) == 0 {
		s.limits.Sessions = 2 + rng.IntN(3)
	}
	for i := range video {
		s.lives = append(s.lives, fmt.Sprintf("live%d", i))
	}
	for i := range voice {
		s.lives = append(s.lives, fmt.Sprintf("voice%d", i))
	}
	for _, live := range s.lives {
		if rng.IntN(5) < 2 {
			s.hosted = append(s.hosted, live)
		}
	}
	return s
}

// pairs are any two lives of a kind.
func (s shape) pairs() (all [][2]string) {
	for i := 0; i+1 < len(s.lives); i += 2 {
		if kind(s.lives[i]) != kind(s.lives[i+1]) {
			i++
		}
		if i+1 < len(s.lives) {
			all = append(all, [2]string{s.lives[i], s.lives[i+1]})
		}
	}
	return all
}

// kind of a live.
func kind(live string) cohostv1.Live_Kind {
	if strings.HasPrefix(live, "voice") {
		return cohostv1.Live_VOICE
	}
	return cohostv1.Live_VIDEO
}

// user is the host of a live. Each voice live has one that hosts a video live as well.
func user(live string) *userv1.User {
	return &userv1.User{UserId: "host-of-" + strings.Replace(live, "voice", "live", 1)}
}
