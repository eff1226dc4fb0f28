package battle

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// asker is a live or a user whose requests are counted.
type asker struct{ live, user string }

// askers are those that a request counts for.
func askers(inviter Participant) []asker {
	return []asker{{live: inviter.LiveID}, {user: inviter.Host.ID}}
}

// ratePeriod is what the number of requests is counted over, and requestsKept how many of them are known: the greatest limit
// that can be set, so that what is folded does not depend on settings.
const (
	ratePeriod   = time.Minute
	requestsKept = 600
)

// tooMany returns the refusal if the inviter has requested as many battles as it may.
func (s *State) tooMany(inviter Participant, now time.Time) *es.Refusal {
	for _, a := range askers(inviter) {
		most := s.settings.RequestsPerLive
		if a.user != "" {
			most = s.settings.RequestsPerUser
		}
		times := s.requests.Times(a, now)
		if n := len(times) - most; n >= 0 {
			wait := times[n].Add(ratePeriod).Sub(now)
			return es.RefusePassing(ReasonBattleRateLimited, "%d battles a minute may be requested; the next one in %s", most, wait).After(wait)
		}
	}
	return nil
}

// countRequest counts a request. The rounds of a series after the first are nobody's request.
func (s *State) countRequest(e BattleRequested, now time.Time) {
	if e.Series.Round > 1 {
		return
	}
	for _, a := range askers(e.Inviter) {
		s.requests.Add(a, now)
	}
}
