package cohost_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// TestRate: a live, and a user with all its lives, may send so many invitations in any minute; a refusal is passing.
func TestRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rules
		r.LiveRate, r.UserRate = rapid.IntRange(1, 4).Draw(t, "live rate"), rapid.IntRange(1, 6).Draw(t, "user rate")
		s := cohost.New(r)
		owner := map[string]string{"a": "ann", "b": "ann", "c": "cid"}
		for live, host := range owner {
			estest.Fold[cohost.Command, cohost.Event](s, estest.T0, cohost.LiveCreated{LiveID: live, Kind: cohost.Video, Host: cohost.User{ID: host}})
		}
		estest.Fold(s, estest.T0, lives("to")...)
		type sent struct {
			live string
			at   time.Time
		}
		var all []sent
		now := estest.T0
		for range 40 {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "s")) * time.Second)
			live := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "live")
			count := func(now time.Time) (byLive, byUser int) {
				for _, x := range all {
					if x.at.After(now.Add(-time.Minute)) && owner[x.live] == owner[live] {
						byUser++
						if x.live == live {
							byLive++
						}
					}
				}
				return byLive, byUser
			}
			byLive, byUser := count(now)
			events, err := s.Decide(now, request(live, "to"))
			var refusal *es.Refusal
			if byLive >= r.LiveRate || byUser >= r.UserRate {
				if !errors.As(err, &refusal) || refusal.Reason != "CONNECTION_RATE_LIMITED" || !refusal.Passing {
					t.Fatalf("%s has sent %d, its user %d: %v, %+v", live, byLive, byUser, events, err)
				}
				then := now.Add(refusal.RetryAfter)
				byLiveThen, byUserThen := count(then)
				byLiveBefore, byUserBefore := count(then.Add(-1))
				if stillLive, stillUser := byLiveBefore >= r.LiveRate, byUserBefore >= r.UserRate; !stillLive && !stillUser ||
					byLive >= r.LiveRate && byLiveThen >= r.LiveRate || byLive < r.LiveRate && byUserThen >= r.UserRate {
					t.Fatalf("%s is told to wait for %v", live, refusal.RetryAfter)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s has sent %d, its user %d: %v", live, byLive, byUser, err)
			}
			all = append(all, sent{live, now})
			for i, e := range append(events, ended(live, "to", cohost.Cancelled)) { // else the next one finds it pending
				s.Evolve(es.Place{Seq: uint64(len(all)), Index: uint32(i), At: now}, e)
			}
			s.Commit()
		}
	})
}

// An answer of yes is no invitation, so it does not count.
func TestMutualRequestIsNotCounted(t *testing.T) {
	t.Parallel()
	r := rules
	r.LiveRate = 1
	s := cohost.New(r)
	estest.Fold(s, estest.T0, given(lives("a", "b", "c"), invited("a", "b"), invited("c", "a"))...)
	if events, err := s.Decide(estest.T0, request("a", "c")); err != nil || len(events) == 0 {
		t.Errorf("a request that accepts: %v, %v", events, err)
	}
}
