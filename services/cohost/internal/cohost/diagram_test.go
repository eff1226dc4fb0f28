package cohost_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// edges are the transitions of a state diagram, as "from --> to: label".
type edges map[string]bool

func (e edges) add(from, to, label string) { e[from+" --> "+to+": "+label] = true }

func (e edges) sorted() []string {
	var all []string
	for edge := range e {
		all = append(all, edge)
	}
	slices.Sort(all)
	return all
}

// drawn reads the state diagram under a heading of docs/architecture/cohost.md.
func drawn(t *testing.T, heading string) edges {
	t.Helper()
	page, err := os.ReadFile("../../../../docs/architecture/cohost.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "\n## "+heading+"\n")
	if section, _, _ = strings.Cut(section, "\n## "); !ok {
		t.Fatalf("the page has no section %q", heading)
	}
	_, diagram, ok := strings.Cut(section, "```mermaid\nstateDiagram-v2\n")
	if diagram, _, _ = strings.Cut(diagram, "```"); !ok {
		t.Fatalf("the section %q has no state diagram", heading)
	}
	edge := regexp.MustCompile(`^  (\S+) --> (\S+): (.+)$`)
	all := edges{}
	for line := range strings.Lines(diagram) {
		m := edge.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("no transition: %q", line)
		}
		all.add(m[1], m[2], m[3])
	}
	return all
}

// follow folds events and returns what a command makes of them, nothing if it is refused.
func follow(t *testing.T, given []cohost.Event, now time.Time, c cohost.Command) []cohost.Event {
	t.Helper()
	s := cohost.New(rules)
	estest.Fold(s, estest.T0, given...)
	events, err := s.Decide(now, c)
	if err != nil && !errors.As(err, new(*es.Refusal)) {
		t.Fatal(err)
	}
	return events
}

// everyCommand has each command in each way that could concern the invitation of b by a, by the words of the diagram.
// Those without words are to change nothing.
func everyCommand(invitation string) map[cohost.Command]string {
	name := "New"
	return map[cohost.Command]string{
		request("a", "b"): "RequestHostConnection",
		request("b", "a"): "RequestHostConnection back",
		request("b", "c"): "RequestHostConnection back to another",
		request("c", "b"): "",
		request("a", "c"): "",
		accept("b", "a"):  "AcceptHostConnection",
		accept("b", "c"):  "AcceptHostConnection of another",
		accept("a", "b"):  "",
		accept("d", "a"):  "",
		cohost.RejectHostConnection{LiveID: "b", From: "a"}:                              "RejectHostConnection",
		cohost.RejectHostConnection{LiveID: "b", From: "c"}:                              "",
		cohost.RejectHostConnection{LiveID: "a", From: "b"}:                              "",
		cohost.CancelHostConnection{LiveID: "a", To: "b"}:                                "CancelHostConnection",
		cohost.CancelHostConnection{LiveID: "c", To: "b"}:                                "",
		cohost.CancelHostConnection{LiveID: "b", To: "a"}:                                "",
		cohost.EndLive{LiveID: "a"}:                                                      "EndLive of either",
		cohost.EndLive{LiveID: "b"}:                                                      "EndLive of either",
		cohost.EndLive{LiveID: "c"}:                                                      "",
		cohost.ExitHostConnection{LiveID: "a"}:                                           "",
		cohost.ExitHostConnection{LiveID: "b"}:                                           "",
		cohost.ExpireInvitation{InvitationID: invitation}:                                "ExpireInvitation",
		cohost.CreateLive{LiveID: "a", Kind: cohost.Video}:                               "",
		cohost.HearHost{LiveID: "a", Session: "s"}:                                       "",
		cohost.MissHost{LiveID: "a", Stage: cohost.Present}:                              "",
		cohost.MissHost{LiveID: "a", Stage: cohost.Unreachable}:                          "a host is lost",
		cohost.MissHost{LiveID: "b", Stage: cohost.Unreachable}:                          "a host is lost",
		cohost.LeaveLost{LiveID: "a"}:                                                    "",
		cohost.RejoinHostConnection{LiveID: "a"}:                                         "",
		cohost.AsHost{LiveID: "a", Command: cohost.UpdateLive{LiveID: "a", Name: &name}}: "",
		cohost.UpdateLive{LiveID: "a", Name: &name}:                                      "",
		cohost.SetLayoutTemplate{LiveID: "a", Layout: "hostDynamic1v6"}:                  "",
		cohost.MuteRemoteHostAudio{LiveID: "a", Target: "b", Muted: true}:                "",
	}
}

// TestInvitationDiagram: an invitation takes exactly the ways that the page draws, whatever comes in whichever state.
func TestInvitationDiagram(t *testing.T) {
	t.Parallel()
	names := map[cohost.Ending]string{
		cohost.Accepted: "accepted", cohost.Rejected: "rejected", cohost.Cancelled: "cancelled",
		cohost.TimedOut: "timed_out", cohost.Withdrawn: "withdrawn", cohost.EndedWithLive: "live_ended",
	}
	// c has invited b as well, and a invites d; both can still be answered when the invitation of b by a cannot.
	base := given(lives("a", "b", "c", "d", "e"), []cohost.Event{lateInvitation("c", "b"), lateInvitation("a", "d")}, silent("a"), silent("b"))
	states := map[string][]cohost.Event{"[*]": nil, "pending": {sent("a", "b")}}
	for ending, name := range names {
		states[name] = []cohost.Event{sent("a", "b"), ended("a", "b", ending)}
	}
	// An inviter in a connection and one in none are the same to an invitation.
	places := [][]cohost.Event{nil, connected("x", "a", "e")}
	got := edges{}
	for state, is := range states {
		for _, place := range places {
			for _, now := range []time.Time{estest.T0, estest.T0.Add(half)} {
				for c, label := range everyCommand("a>b") {
					if r, ok := c.(cohost.RequestHostConnection); ok && state != "[*]" {
						r.NewInvitationID = "another" // every request is an invitation of its own
						c = r
					}
					if !now.Equal(estest.T0) && state == "pending" {
						label = "expires_at" // is all that counts from then on
					}
					for _, e := range follow(t, given(base, place, is), now, c) {
						switch e := e.(type) {
						case cohost.InvitationSent:
							if e.InvitationID == "a>b" {
								got.add(state, "pending", label)
							}
						case cohost.InvitationEnded:
							if e.InvitationID == "a>b" {
								got.add(state, names[e.Ending], label)
							}
						}
					}
				}
			}
		}
	}
	if diff := cmp.Diff(drawn(t, "An invitation").sorted(), got.sorted()); diff != "" {
		t.Errorf("(-drawn +decided):\n%s", diff)
	}
}

// TestConnectionDiagram: the same for a connection, with every number of members.
func TestConnectionDiagram(t *testing.T) {
	t.Parallel()
	size := func(s *cohost.State, connection string) string {
		c, ok := s.Connection(connection)
		most := rules.MaxMembers
		if c.Layout == "hostDynamic1v6" {
			most = 7
		}
		switch n := len(c.Members); {
		case !ok:
			return "[*]"
		case n == 2:
			return "two"
		case n < most:
			return "more"
		default:
			return "full"
		}
	}
	const accepted = "an invitation is accepted"
	name := "New"
	commands := map[cohost.Command]string{
		accept("new", "l2"):                                                           accepted,
		accept("l2", "new"):                                                           accepted,
		request("new", "l2"):                                                          accepted, // which has invited it
		request("l1", "new"):                                                          "",
		cohost.ExitHostConnection{LiveID: "l1"}:                                       "ExitHostConnection",
		cohost.ExitHostConnection{LiveID: "l2"}:                                       "ExitHostConnection",
		cohost.ExitHostConnection{LiveID: "new"}:                                      "",
		cohost.EndLive{LiveID: "l1"}:                                                  "EndLive",
		cohost.EndLive{LiveID: "new"}:                                                 "",
		cohost.RejectHostConnection{LiveID: "new", From: "l2"}:                        "",
		cohost.CancelHostConnection{LiveID: "l2", To: "new"}:                          "",
		cohost.ExpireInvitation{InvitationID: "l2>new"}:                               "",
		cohost.CreateLive{LiveID: "more"}:                                             "",
		cohost.HearHost{LiveID: "l1", Session: "s"}:                                   "",
		cohost.MissHost{LiveID: "l1", Stage: cohost.Present}:                          "",
		cohost.LeaveLost{LiveID: "l1"}:                                                "a host is lost",
		cohost.RejoinHostConnection{LiveID: "l1"}:                                     "RejoinHostConnection",
		cohost.AsHost{LiveID: "l2", Command: cohost.ExitHostConnection{LiveID: "l2"}}: "ExitHostConnection",
		cohost.UpdateLive{LiveID: "l1", Name: &name}:                                  "",
		cohost.SetLayoutTemplate{LiveID: "l1", Layout: "hostDynamic1v6"}:              "SetLayoutTemplate",
		cohost.SetLayoutTemplate{LiveID: "l1", Layout: "hostDynamicGrid"}:             "SetLayoutTemplate",
		cohost.MuteRemoteHostAudio{LiveID: "l1", Target: "l2", Muted: true}:           "",
	}
	got := edges{}
	for _, layout := range []string{"hostDynamicGrid", "hostDynamic1v6"} {
		for n := range 10 {
			if n == 1 || n > 7 && layout == "hostDynamic1v6" {
				continue
			}
			history := given(lives("new"), lives(numbered(max(n, 2))...))
			if n > 0 {
				history = given(history, connected("new", numbered(n)...), []cohost.Event{cohost.LayoutSet{ConnectionID: "new", LiveID: "l1", Layout: layout}})
			}
			history = given(history, gone("l1"), invited("l2", "new"))
			histories := [][]cohost.Event{history}
			if n > 2 { // it has left, and is back
				histories = append(histories, given(history, []cohost.Event{left("new", "l1", cohost.LeftLost)}, back("l1")))
			}
			for _, history := range histories {
				for c, label := range commands {
					s := cohost.New(rules)
					estest.Fold(s, estest.T0, history...)
					from, before := size(s, "new"), members(s, "new")
					estest.Fold(s, estest.T0, follow(t, history, estest.T0, c)...)
					if to := size(s, "new"); from != to || members(s, "new") != before {
						got.add(from, to, label)
					}
				}
			}
		}
	}
	if diff := cmp.Diff(drawn(t, "A connection").sorted(), got.sorted()); diff != "" {
		t.Errorf("(-drawn +decided):\n%s", diff)
	}
}

func members(s *cohost.State, connection string) int {
	c, _ := s.Connection(connection)
	return len(c.Members)
}

// TestDiagramsKnowEveryCommand: whoever adds a command says above what it does to an invitation and a connection.
func TestDiagramsKnowEveryCommand(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("command.go")
	if err != nil {
		t.Fatal(err)
	}
	test, err := os.ReadFile("diagram_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`func \((\w+)\) isCommand\(\)`).FindAllStringSubmatch(string(source), -1) {
		helped := m[1] == "RequestHostConnection" || m[1] == "AcceptHostConnection" // by request and accept
		if n := strings.Count(string(test), "cohost."+m[1]+"{"); n < 2 && !helped {
			t.Errorf("%s is in %d of the two diagrams", m[1], n)
		}
	}
}
