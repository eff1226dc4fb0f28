package cohost_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

func timeoutRows() []row {
	expire := cohost.ExpireInvitation{InvitationID: "a>b"}
	a2b := given(lives("a", "b"), invited("a", "b"))
	return []row{
		{Name: "timeout", Given: a2b, Now: estest.T0.Add(half), When: expire, Then: []cohost.Event{ended("a", "b", cohost.TimedOut)}},
		{Name: "timer a hair early", Given: a2b, Now: estest.T0.Add(half - time.Millisecond), When: expire},
		{Name: "stale timer", Given: given(a2b, []cohost.Event{ended("a", "b", cohost.Rejected)}), Now: estest.T0.Add(half), When: expire},
	}
}

func TestInvitationsFallDue(t *testing.T) {
	t.Parallel()
	s := cohost.New(rules)
	if at, ok := s.NextDue(); ok {
		t.Fatalf("due at %v without an invitation", at)
	}
	estest.Fold(s, estest.T0, given(lives("a", "b", "c"), invited("a", "b"), []cohost.Event{lateInvitation("a", "c")})...)
	if at, ok := s.NextDue(); !ok || !at.Equal(estest.T0.Add(half)) {
		t.Fatalf("next due %v, %v", at, ok)
	}
	if due := s.Due(estest.T0.Add(half - 1)); len(due) > 0 {
		t.Fatalf("due early: %v", due)
	}
	now := estest.T0.Add(half)
	due := s.Due(now)
	if diff := cmp.Diff([]cohost.Command{cohost.ExpireInvitation{InvitationID: "a>b"}}, due); diff != "" {
		t.Fatalf("due (-want +got):\n%s", diff)
	}
	events, err := s.Decide(now, due[0])
	if err != nil {
		t.Fatal(err)
	}
	estest.Fold(s, now, events...)
	if due := s.Due(now); len(due) > 0 {
		t.Errorf("still due after the decision: %v", due)
	}
	if at, _ := s.NextDue(); !at.Equal(estest.T0.Add(2 * half)) {
		t.Errorf("next due %v", at)
	}
}
