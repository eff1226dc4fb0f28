package cohost_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// world drives a State with random commands and checks after every group what must always hold.
type world struct {
	state   *cohost.State
	ids     []string // of all lives there may be
	now     time.Time
	seq     uint64
	made    int
	endings map[string]int  // by invitation id
	started map[string]bool // connection ids
	// pictures of lives that were once looked at, and heard of since
	pictures map[string]*picture
}

const maxMembers = 4

func newWorld() *world {
	return &world{
		state:   cohost.New(cohost.Rules{MaxMembers: maxMembers, MaxPending: 3, LiveRate: 600, UserRate: 600, SessionRate: 600, EndedKept: time.Minute}),
		ids:     numbered(7),
		now:     estest.T0,
		endings: map[string]int{},
		started: map[string]bool{}, pictures: map[string]*picture{},
	}
}

func TestInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for _, id := range w.ids {
			kind := cohost.Video
			if id == "l7" {
				kind = cohost.Voice
			}
			w.group(t, []cohost.Command{cohost.CreateLive{LiveID: id, Kind: kind, Host: user(id)}})
		}
		t.Repeat(map[string]func(*rapid.T){
			"group": func(t *rapid.T) {
				commands := make([]cohost.Command, rapid.IntRange(1, 4).Draw(t, "commands"))
				for i := range commands {
					commands[i] = w.command(t)
				}
				w.group(t, commands)
			},
			"thrown away": func(t *rapid.T) {
				before := w.committed()
				events, _ := w.state.Decide(w.now, w.command(t))
				for i, e := range events {
					w.state.Evolve(es.Place{Seq: w.seq + 1, Index: uint32(i), At: w.now}, e)
				}
				w.state.Discard()
				w.group(t, nil)
				if diff := cmp.Diff(before, w.committed()); diff != "" {
					t.Fatalf("Discard left something (-before +after):\n%s", diff)
				}
			},
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "ms")) * time.Millisecond)
				if due := w.state.Due(w.now); rapid.Bool().Draw(t, "writer runs") {
					w.group(t, due)
					if again := w.state.Due(w.now); len(again) > 0 {
						t.Fatalf("still due after being decided: %v", again)
					}
				}
			},
			"": func(t *rapid.T) { w.check(t) },
		})
	})
}

func (w *world) command(t *rapid.T) cohost.Command {
	live := rapid.SampledFrom(w.ids)
	a, b := live.Draw(t, "a"), live.Draw(t, "b")
	w.made++
	id := fmt.Sprintf("n%d", w.made)
	switch rapid.IntRange(0, 30).Draw(t, "kind") {
	case 0:
		return cohost.CreateLive{LiveID: a, Kind: cohost.Video, Host: user(a)}
	case 1:
		return cohost.EndLive{LiveID: a}
	case 2, 3:
		return cohost.CancelHostConnection{LiveID: a, To: b}
	case 4:
		return cohost.RejectHostConnection{LiveID: a, From: b}
	case 5, 6:
		return cohost.ExitHostConnection{LiveID: a}
	case 7, 8, 9, 10:
		return cohost.AcceptHostConnection{LiveID: a, From: b, NewConnectionID: id}
	case 16, 17:
		layouts := []string{"hostDynamicGrid", "hostDynamicFloat", "HostVideoLandscapeFixed2Seats", "hostVoiceConnection"}
		return cohost.SetLayoutTemplate{LiveID: a, Layout: rapid.SampledFrom(layouts).Draw(t, "layout")}
	case 18, 19:
		return cohost.MuteRemoteHostAudio{LiveID: a, Target: b, Muted: rapid.Bool().Draw(t, "muted")}
	case 20:
		return cohost.UpdateLive{LiveID: a, Name: &id}
	case 21, 22:
		return cohost.HearHost{LiveID: a, Session: rapid.SampledFrom([]string{"", "s1", "s2", id}).Draw(t, "session")}
	case 23, 24, 25, 26:
		return cohost.MissHost{LiveID: a, Stage: cohost.Stage(rapid.IntRange(1, 3).Draw(t, "stage"))}
	case 27:
		return cohost.LeaveLost{LiveID: a}
	case 28:
		return cohost.AsHost{LiveID: a, Session: rapid.SampledFrom([]string{"", "s1", "s2"}).Draw(t, "session"), Command: cohost.ExitHostConnection{LiveID: a}}
	case 29, 30:
		return cohost.RejoinHostConnection{LiveID: a}
	default:
		timeout := time.Duration(rapid.IntRange(1, 60_000).Draw(t, "timeout")) * time.Millisecond
		return cohost.RequestHostConnection{LiveID: a, Target: b, Timeout: timeout, NewInvitationID: id, NewConnectionID: id}
	}
}

// group decides commands as one group and commits it.
func (w *world) group(t *rapid.T, commands []cohost.Command) {
	w.seq++
	index := uint32(0)
	for _, c := range commands {
		events, err := w.state.Decide(w.now, c)
		var refusal *es.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("%+v: %v is no refusal", c, err)
		}
		for _, e := range events {
			w.note(t, e)
			w.state.Evolve(es.Place{Seq: w.seq, Index: index, At: w.now}, e)
			index++
		}
	}
	w.state.Commit()
	w.hear(t)
}

// note checks what must hold over the whole log.
func (w *world) note(t *rapid.T, event cohost.Event) {
	switch e := event.(type) {
	case cohost.InvitationSent:
		w.endings[e.InvitationID] = 0
	case cohost.InvitationEnded:
		n, sent := w.endings[e.InvitationID]
		if !sent || n > 0 {
			t.Fatalf("invitation %s: sent %v, ended %d times before", e.InvitationID, sent, n)
		}
		w.endings[e.InvitationID]++
	case cohost.ConnectionStarted:
		if w.started[e.ConnectionID] {
			t.Fatalf("connection %s started twice", e.ConnectionID)
		}
		w.started[e.ConnectionID] = true
	}
}

func (w *world) check(t *rapid.T) {
	pending := map[string]bool{}
	members := map[string][]string{}
	for _, id := range w.ids {
		live, ok := w.state.Live(id)
		if !ok {
			continue
		}
		if !live.Active() && (live.ConnectionID != "" || len(live.Sent)+len(live.Received) > 0) {
			t.Fatalf("an ended live still takes part: %+v", live)
		}
		if live.ConnectionID != "" {
			members[live.ConnectionID] = append(members[live.ConnectionID], id)
			if len(live.Received) > 0 {
				t.Fatalf("a connected live has received invitations pending: %+v", live)
			}
		}
		if len(live.Sent) > 3 || len(live.Received) > 3 {
			t.Fatalf("too many pending: %+v", live)
		}
		w.checkMuted(t, live)
		w.checkPresence(t, live)
		for _, i := range w.checkInvitations(t, live) {
			pending[i] = true
		}
	}
	for id, n := range w.endings {
		if pending[id] == (n > 0) {
			t.Fatalf("invitation %s: pending %v, ended %d times", id, pending[id], n)
		}
	}
	for id := range w.started {
		w.checkConnection(t, id, members[id])
	}
}

// checkInvitations checks both sides of every invitation that live has sent and returns their ids.
func (w *world) checkInvitations(t *rapid.T, live cohost.Live) []string {
	sent := w.state.Invitations(live.Sent)
	if len(sent) != len(live.Sent) || len(w.state.Invitations(live.Received)) != len(live.Received) {
		t.Fatalf("invitations of %+v are not all pending", live)
	}
	for _, i := range sent {
		other, _ := w.state.Live(i.Invitee.LiveID)
		if i.Inviter.LiveID != live.ID || !other.Active() || other.Kind != live.Kind || !slices.Contains(other.Received, i.ID) {
			t.Fatalf("invitation %+v does not fit its invitee %+v", i, other)
		}
		if i.Inviter.Host != live.Host || i.Invitee.Host != other.Host {
			t.Fatalf("invitation %+v shows other hosts than %+v and %+v", i, live.Host, other.Host)
		}
		for _, back := range w.state.Invitations(other.Sent) {
			if back.Invitee.LiveID == live.ID && w.now.Before(i.ExpiresAt) && w.now.Before(back.ExpiresAt) {
				t.Fatalf("pending in both directions: %+v, %+v", i, back)
			}
		}
	}
	return live.Sent
}

func (w *world) checkConnection(t *rapid.T, id string, members []string) {
	c, ok := w.state.Connection(id)
	if !ok {
		if len(members) > 0 {
			t.Fatalf("connection %s has ended, and %v are in it", id, members)
		}
		return
	}
	var listed []string
	for _, m := range c.Members {
		listed = append(listed, m.LiveID)
		first, _ := w.state.Live(c.Members[0].LiveID)
		l, _ := w.state.Live(m.LiveID)
		if l.Kind != first.Kind || (l.Kind == cohost.Voice) != (c.Layout == "hostVoiceConnection") {
			t.Fatalf("connection of two kinds, or with a layout of the other: %+v", c)
		}
		if l.Host != m.Host {
			t.Fatalf("host of %s: %+v, as a member %+v", l.ID, l.Host, m.Host)
		}
	}
	slices.Sort(listed)
	slices.Sort(members)
	if c.Layout == "HostVideoLandscapeFixed2Seats" && len(listed) > 2 {
		t.Fatalf("connection %+v has two seats", c)
	}
	if !slices.Equal(listed, members) || len(listed) < 2 || len(listed) > maxMembers {
		t.Fatalf("connection %s lists %v; in it are %v", id, listed, members)
	}
}

// checkMuted: only members of the same connection are muted.
func (w *world) checkMuted(t *rapid.T, live cohost.Live) {
	for _, id := range live.Muted {
		other, _ := w.state.Live(id)
		if live.ConnectionID == "" || other.ConnectionID != live.ConnectionID || id == live.ID {
			t.Fatalf("%+v has muted %+v", live, other)
		}
	}
}

// checkPresence: a lost host is in a connection only until it departs, which is as good as decided, and in no invitation.
func (w *world) checkPresence(t *rapid.T, live cohost.Live) {
	p := live.Presence
	if p.Stage == cohost.Lost && live.Active() && (live.ConnectionID != "" && p.Departs == "" || len(live.Sent)+len(live.Received) > 0) {
		t.Fatalf("lost, and takes part: %+v", live)
	}
	if p.Departs != "" && live.ConnectionID == "" {
		t.Fatalf("departs from no connection: %+v", live)
	}
	if (p.Sessions.Fence == 0) != (p.Sessions.Current == "") || p.Superseded(p.Sessions.Current) {
		t.Fatalf("sessions: %+v", p)
	}
}

// committed is all that readers can see.
func (w *world) committed() []any {
	var seen []any
	for _, id := range w.ids {
		live, _ := w.state.Live(id)
		c, _ := w.state.Connection(live.ConnectionID)
		ended, _ := w.state.EndedLive(id)
		seen = append(seen, live, c, w.state.Invitations(live.Sent), ended)
	}
	next, ok := w.state.NextDue()
	return append(seen, next, ok)
}
