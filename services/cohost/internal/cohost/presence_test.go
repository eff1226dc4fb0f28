package cohost_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// present, silent and gone are what brings a live to a stage.
func present(id string) []cohost.Event { return []cohost.Event{cohost.PresenceBegan{LiveID: id}} }

func silent(id string) []cohost.Event {
	return given(present(id), []cohost.Event{cohost.HostUnreachable{LiveID: id}})
}

func gone(id string) []cohost.Event {
	return given(silent(id), []cohost.Event{cohost.HostLost{LiveID: id}})
}

func hear(id, session string) cohost.HearHost {
	return cohost.HearHost{LiveID: id, Session: session}
}

func miss(id string, stage cohost.Stage) cohost.MissHost {
	return cohost.MissHost{LiveID: id, Stage: stage}
}

func taken(id, session string, fence int64) cohost.SessionTaken {
	return cohost.SessionTaken{LiveID: id, Session: session, Fence: fence}
}

func presenceRows() []row {
	two := given(lives("a", "b"), connected("x", "a", "b"))
	three := given(lives("a", "b", "c"), connected("x", "a", "b", "c"))
	recovered := []cohost.Event{cohost.HostRecovered{LiveID: "a"}}
	return []row{
		{Name: "first sign of life", Given: lives("a"), When: hear("a", ""), Then: present("a")},
		{Name: "another sign of life", Given: given(lives("a"), present("a")), When: hear("a", "")},
		{Name: "sign of life of nobody", When: hear("a", ""), Reason: "LIVE_NOT_FOUND"},
		{Name: "sign of life of an ended live", Given: given(lives("a"), []cohost.Event{cohost.LiveEnding{LiveID: "a"}}), When: hear("a", ""), Reason: "LIVE_NOT_FOUND"},
		{Name: "silence of who was never heard", Given: lives("a"), When: miss("a", cohost.Present)},
		{Name: "silence of no stage", Given: lives("a"), When: miss("a", 0)},
		{Name: "silence of nobody", When: miss("a", cohost.Present)},

		{Name: "unreachable", Given: given(two, present("a")), When: miss("a", cohost.Present), Then: []cohost.Event{cohost.HostUnreachable{LiveID: "a"}}},
		{Name: "unreachable, once", Given: given(two, silent("a")), When: miss("a", cohost.Present)},
		{Name: "back in time", Given: given(two, silent("a")), When: hear("a", ""), Then: recovered},
		{Name: "back before it was decided", Given: given(two, silent("a"), recovered), When: miss("a", cohost.Unreachable)},

		{Name: "lost", Given: given(two, silent("a")), When: miss("a", cohost.Unreachable), Then: []cohost.Event{cohost.HostLost{LiveID: "a"}}},
		{Name: "lost, once", Given: given(two, gone("a")), When: miss("a", cohost.Unreachable)},
		{
			Name: "lost: nobody waits for its answer, or on its behalf", Given: given(lives("a", "b", "c"), silent("a"), invited("a", "b"), invited("c", "a")),
			When: miss("a", cohost.Unreachable),
			Then: []cohost.Event{cohost.HostLost{LiveID: "a"}, ended("a", "b", cohost.Withdrawn), ended("c", "a", cohost.Withdrawn)},
		},
		{Name: "lost: cannot be invited", Given: given(lives("a", "b"), gone("a")), When: request("b", "a"), Reason: "HOST_LOST"},
		{Name: "lost: invites nobody", Given: given(lives("a", "b"), gone("a")), When: request("a", "b"), Reason: "HOST_LOST"},
		{Name: "lost: gives no command", Given: given(two, gone("a")), When: cohost.AsHost{LiveID: "a", Command: cohost.EndLive{LiveID: "a"}}, Reason: "HOST_LOST"},
		{
			Name: "lost: a backend may end its live", Given: given(lives("a"), gone("a")), When: cohost.EndLive{LiveID: "a"},
			Then: []cohost.Event{cohost.LiveEnding{LiveID: "a"}},
		},
		{
			Name: "departs: of two", Given: given(two, gone("a")), When: cohost.LeaveLost{LiveID: "a"},
			Then: []cohost.Event{left("x", "a", cohost.LeftLost), left("x", "b", cohost.LeftDissolved), cohost.ConnectionEnded{ConnectionID: "x"}},
		},
		{
			Name: "departs: of three", Given: given(three, gone("a")), When: cohost.LeaveLost{LiveID: "a"},
			Then: []cohost.Event{left("x", "a", cohost.LeftLost)},
		},
		{
			Name: "departs although it is back since", Given: given(three, gone("a"), recovered), When: cohost.LeaveLost{LiveID: "a"},
			Then: []cohost.Event{left("x", "a", cohost.LeftLost)},
		},
		{Name: "departs once", Given: given(three, gone("a"), []cohost.Event{left("x", "a", cohost.LeftLost)}), When: cohost.LeaveLost{LiveID: "a"}},
		{
			Name:  "departs from that connection only",
			Given: given(three, gone("a"), []cohost.Event{left("x", "a", cohost.LeftLost)}, recovered, lives("d"), connected("y", "a", "d")),
			When:  cohost.LeaveLost{LiveID: "a"},
		},
		{Name: "departs only if lost", Given: given(three, silent("a")), When: cohost.LeaveLost{LiveID: "a"}},
		{Name: "back after it was lost", Given: given(lives("a"), gone("a")), When: hear("a", ""), Then: recovered},
		{
			Name: "the live ends", Given: given(lives("a"), gone("a")), When: miss("a", cohost.Lost),
			Then: []cohost.Event{cohost.LiveEnding{LiveID: "a", Lost: true}},
		},
		{
			Name: "the live ends before it has departed", Given: given(three, gone("a")), When: miss("a", cohost.Lost),
			Then: []cohost.Event{left("x", "a", cohost.LeftLost), cohost.LiveEnding{LiveID: "a", Lost: true}},
		},
		{Name: "a live of that id that is back", Given: given(lives("a"), gone("a"), []cohost.Event{cohost.LiveEnding{LiveID: "a", Lost: true}}, lives("a")), When: miss("a", cohost.Lost)},
	}
}

func sessionRows() []row {
	one := given(lives("a"), present("a"), []cohost.Event{taken("a", "s1", 1)})
	both := given(one, []cohost.Event{taken("a", "s2", 2)})
	exit := func(session string) cohost.AsHost {
		return cohost.AsHost{LiveID: "a", Session: session, Command: cohost.ExitHostConnection{LiveID: "a"}}
	}
	three := given(both, []cohost.Event{taken("a", "s3", 3)})
	in := given(both, lives("b"), connected("x", "a", "b"))
	return []row{
		{Name: "first session", Given: lives("a"), When: hear("a", "s1"), Then: given([]cohost.Event{taken("a", "s1", 1)}, present("a"))},
		{Name: "the same session", Given: one, When: hear("a", "s1")},
		{Name: "no session", Given: one, When: hear("a", "")},
		{Name: "a newer session", Given: one, When: hear("a", "s2"), Then: []cohost.Event{taken("a", "s2", 2)}},
		{Name: "an older session", Given: both, When: hear("a", "s1"), Reason: "SUPERSEDED"},
		{
			Name: "a newer session of a lost host", Given: given(one, []cohost.Event{cohost.HostUnreachable{LiveID: "a"}, cohost.HostLost{LiveID: "a"}}), When: hear("a", "s2"),
			Then: []cohost.Event{taken("a", "s2", 2), cohost.HostRecovered{LiveID: "a"}},
		},
		{Name: "command of an older session", Given: in, When: exit("s1"), Reason: "SUPERSEDED"},
		{Name: "command of the session", Given: in, When: exit("s2"), Then: dissolved("x", "a", "b")},
		{Name: "command of no session", Given: in, When: exit(""), Then: dissolved("x", "a", "b")},
		{Name: "command of a newer session", Given: in, When: exit("s3"), Then: given([]cohost.Event{taken("a", "s3", 3)}, dissolved("x", "a", "b"))},
		{Name: "refused command of a newer session", Given: both, When: exit("s3"), Reason: "CONNECTION_NOT_FOUND"},
		{Name: "one session too many", Given: three, When: hear("a", "s4"), Reason: "RATE_LIMITED"},
		{Name: "one session too many, by a command", Given: three, When: exit("s4"), Reason: "RATE_LIMITED"},
		{Name: "as many sessions, one of them again", Given: three, When: hear("a", "s3")},
		{Name: "one session too many within a minute", Given: three, Now: estest.T0.Add(time.Minute - time.Millisecond), When: hear("a", "s4"), Reason: "RATE_LIMITED"},
		{Name: "another session after a minute", Given: three, Now: estest.T0.Add(time.Minute), When: hear("a", "s4"), Then: []cohost.Event{taken("a", "s4", 4)}},
		{
			Name: "command that creates the live", When: cohost.AsHost{LiveID: "a", Session: "s", Command: cohost.CreateLive{LiveID: "a", Kind: cohost.Video, Host: user("a")}},
			Then: lives("a"),
		},
	}
}

// TestPresenceDiagram: a host takes exactly the ways that the page draws, whatever comes at whichever stage.
func TestPresenceDiagram(t *testing.T) {
	t.Parallel()
	names := map[cohost.Stage]string{0: "[*]", cohost.Present: "present", cohost.Unreachable: "unreachable", cohost.Lost: "lost"}
	name := "New"
	commands := map[cohost.Command]string{
		hear("a", ""):                               "a sign of life",
		hear("a", "s"):                              "a sign of life",
		miss("a", cohost.Present):                   "unreachable_after of silence",
		miss("a", cohost.Unreachable):               "grace of silence",
		miss("a", cohost.Lost):                      "end_after of silence",
		cohost.EndLive{LiveID: "a"}:                 "EndLive",
		cohost.LeaveLost{LiveID: "a"}:               "",
		hear("b", ""):                               "",
		miss("b", cohost.Present):                   "",
		request("b", "a"):                           "",
		request("a", "c"):                           "",
		cohost.UpdateLive{LiveID: "a", Name: &name}: "",
		cohost.ExitHostConnection{LiveID: "a"}:      "",
		rejoin("a"):                                 "",
		cohost.AsHost{LiveID: "a", Session: "s", Command: cohost.ExitHostConnection{LiveID: "a"}}: "",
	}
	got := edges{}
	for _, place := range [][]cohost.Event{nil, connected("x", "a", "d")} {
		for stage, is := range map[cohost.Stage][]cohost.Event{0: nil, cohost.Present: present("a"), cohost.Unreachable: silent("a"), cohost.Lost: gone("a")} {
			history := given(lives("a", "b", "c", "d"), present("b"), place, is)
			for c, label := range commands {
				s := cohost.New(rules)
				estest.Fold(s, estest.T0, history...)
				estest.Fold(s, estest.T0, follow(t, history, estest.T0, c)...)
				switch live, _ := s.Live("a"); {
				case !live.Active():
					if stage != 0 {
						got.add(names[stage], "[*]", label)
					}
				case live.Presence.Stage != stage:
					got.add(names[stage], names[live.Presence.Stage], label)
				}
			}
		}
	}
	if diff := cmp.Diff(drawn(t, "Presence of a host").sorted(), got.sorted()); diff != "" {
		t.Errorf("(-drawn +decided):\n%s", diff)
	}
}
