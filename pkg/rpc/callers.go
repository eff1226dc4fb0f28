package rpc

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
)

// CallerLimit bounds the calls of each caller to one server. A caller is the user of a token for a host or the audience:
// such tokens are in the hands of anybody, and even a refused command takes room in a log. Backends, whose tokens are for
// an admin or a service, speak for many and are not limited.
type CallerLimit struct {
	// PerSecond is how many calls a second a caller may make all the time; 0: there is no limit.
	PerSecond int
	// Burst is how many it may make at once after a rest.
	Burst int
}

// PerSecond is the limit that a setting in calls a second stands for: a caller may save up ten seconds of it.
func PerSecond(calls int) CallerLimit { return CallerLimit{PerSecond: calls, Burst: 10 * calls} }

// DefaultCallsPerSecond suits an app in the hands of a person, with room for reconnecting and for tests.
const DefaultCallsPerSecond = 50

// callers knows who has called how often of late.
type callers struct {
	limit CallerLimit

	mu    sync.Mutex
	known map[caller]*rate.Limiter
	sweep int // how many are known when those are forgotten that have rested
}

type caller struct{ key, user string }

// minSweep callers are known before any is looked at again.
const minSweep = 1024

func newCallers(limit CallerLimit) *callers {
	return &callers{limit: limit, known: make(map[caller]*rate.Limiter), sweep: minSweep}
}

// admit counts a call. It refuses one too many with RATE_LIMITED.
func (c *callers) admit(p auth.Principal, now time.Time) error {
	if c.limit.PerSecond == 0 || p.Role == auth.Admin || p.Role == auth.Service {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	who := caller{p.Key, p.User}
	l, ok := c.known[who]
	if !ok {
		c.forget(now)
		l = rate.NewLimiter(rate.Limit(c.limit.PerSecond), c.limit.Burst)
		c.known[who] = l
	}
	if !l.AllowN(now, 1) {
		wait := time.Duration((1 - l.TokensAt(now)) / float64(c.limit.PerSecond) * float64(time.Second))
		return es.Refuse(es.ReasonRateLimited, "user %s makes more than %d calls a second", p.User, c.limit.PerSecond).After(wait)
	}
	return nil
}

// forget lets go of callers that have rested long enough to be as good as new. It looks at all of them only when they
// have doubled, so that a call costs the same however many there are.
func (c *callers) forget(now time.Time) {
	if len(c.known) < c.sweep {
		return
	}
	for who, l := range c.known {
		if l.TokensAt(now) >= float64(c.limit.Burst) {
			delete(c.known, who)
		}
	}
	c.sweep = max(minSweep, 2*len(c.known))
}
