package view_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

const keep = time.Hour

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// story decides commands one after another, each as a group of its own, and folds them into a view.
type story struct {
	t       *testing.T
	machine *battle.State
	battles *view.Battles
	now     time.Time
	seq     uint64
	number  map[string]int64 // of the last event of a live that was read
}

func newStory(t *testing.T, lives ...string) *story {
	t.Helper()
	s := &story{
		t: t, now: t0, number: map[string]int64{},
		machine: battle.New(battle.Settings{
			MinDuration: time.Second, MaxDuration: time.Hour, DefaultDuration: time.Minute, DefaultTimeout: 30 * time.Second,
			MaxTimeout: 300 * time.Second, MaxTargets: 8, RequestsPerLive: 1000, RequestsPerUser: 1000, MaxPunishment: time.Minute, MaxBestOf: 9, RoundInterval: 5 * time.Second,
			StartDelay: 300 * time.Millisecond, OpenWithin: 5 * time.Second, ProposalTimeout: 10 * time.Second, KeepEnded: keep,
		}),
		battles: view.New(keep, 256),
	}
	for i, live := range lives {
		s.do(battle.ReadCohost{Sequence: uint64(i + 1), Facts: []battle.ConnectionFact{
			{ConnectionID: "x", Live: battle.Participant{LiveID: live, Host: battle.User{ID: "u" + live}}},
		}})
	}
	return s
}

func (s *story) do(c battle.Command) {
	s.t.Helper()
	if err := s.try(c); err != nil {
		s.t.Fatalf("%#v: %v", c, err)
	}
}

func (s *story) try(c battle.Command) error {
	events, err := s.machine.Decide(s.now, c)
	if err != nil {
		return err
	}
	s.seq++
	g := ledger.Group[battle.Event]{Seq: s.seq}
	for i, e := range events {
		place := es.Place{Seq: s.seq, Index: uint32(i), At: s.now}
		s.machine.Evolve(place, e)
		g.Events = append(g.Events, ledger.Placed[battle.Event]{Place: place, Event: e})
	}
	s.machine.Commit()
	s.battles.Apply(g)
	return nil
}

// after lets time pass and decides what is due then.
func (s *story) after(d time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(d)
	for _, c := range s.machine.Due(s.now) {
		s.do(c)
	}
}

func (s *story) request(id, inviter string, needResponse bool, targets ...string) {
	s.t.Helper()
	s.do(battle.RequestBattle{BattleID: id, Inviter: inviter, TargetLives: targets, Terms: battle.Terms{NeedResponse: needResponse}})
}

// run starts a battle that nobody need accept and has it opened.
func (s *story) run(id, inviter string, targets ...string) {
	s.t.Helper()
	s.request(id, inviter, false, targets...)
	s.open(id, append([]string{inviter}, targets...)...)
}

// open has all lives of a battle opened, and starts it.
func (s *story) open(id string, lives ...string) {
	s.t.Helper()
	for _, live := range lives {
		s.do(battle.ReportOpened{BattleID: id, LiveID: live})
	}
	s.after(300 * time.Millisecond)
}

func (s *story) close(id string, lives ...string) {
	s.t.Helper()
	for i, live := range lives {
		s.do(battle.ReportClosed{BattleID: id, LiveID: live, Closing: battle.Closing{Total: int64(i)}})
	}
}

// told reads what the lives were told since the last time, as "live: Event", live by live.
func (s *story) told(lives ...string) []string {
	s.t.Helper()
	var all []string
	for _, live := range lives {
		sub, recovered := s.battles.Subscribe(live, s.number[live])
		if !recovered {
			s.t.Fatalf("events of %s after %d are not kept", live, s.number[live])
		}
		end, _ := s.battles.Subscribe(live, -1)
		for sub.After() < end.After() {
			n, e, err := sub.Next(s.t.Context())
			if err != nil {
				s.t.Fatal(err)
			}
			if e.GetNumber() != n || n != s.number[live]+1 || e.GetAt().AsTime() != s.now {
				s.t.Errorf("event %d of %s after %d: %v", n, live, s.number[live], e)
			}
			s.number[live] = n
			all = append(all, live+": "+describe(e))
		}
	}
	return all
}

// describe names an event and what matters of it.
func describe(e *battlev1.Event) string {
	m := e.ProtoReflect()
	f := m.WhichOneof(m.Descriptor().Oneofs().ByName("event"))
	text := string(f.Message().Name())
	body := m.Get(f).Message()
	add := func(name protoreflect.Name, show func(protoreflect.Value) string) {
		if f := body.Descriptor().Fields().ByName(name); f != nil && body.Has(f) {
			text += " " + show(body.Get(f))
		}
	}
	add("inviter", func(v protoreflect.Value) string {
		return "by " + v.Message().Interface().(*battlev1.BattleUser).GetLiveId()
	})
	user := func(v protoreflect.Value) string {
		u := v.Message().Interface().(*battlev1.BattleUser)
		return u.GetLiveId() + " " + u.GetState().String()
	}
	add("invitee", user)
	add("user", user)
	add("invitees", func(v protoreflect.Value) string {
		var lives []string
		for i := range v.List().Len() {
			lives = append(lives, user(v.List().Get(i)))
		}
		return strings.Join(lives, ", ")
	})
	add("reason", func(v protoreflect.Value) string {
		if f := body.Descriptor().Fields().ByName("reason"); f.Enum() != nil {
			return string(f.Enum().Values().ByNumber(v.Enum()).Name())
		}
		return fmt.Sprintf("%q", v.String())
	})
	add("battle", func(v protoreflect.Value) string {
		return v.Message().Interface().(*battlev1.Battle).GetStatus().String()
	})
	add("change", func(v protoreflect.Value) string { return battlev1.BattleProposal_Change(v.Enum()).String() })
	add("proposal", func(v protoreflect.Value) string {
		p := v.Message().Interface().(*battlev1.Proposal)
		return fmt.Sprintf("%s %d by %s", p.GetKind(), p.GetExtendSeconds(), strings.Join(p.GetConsentedLiveIds(), ","))
	})
	add("extend_seconds", func(v protoreflect.Value) string { return "by " + v.String() })
	add("detail", func(v protoreflect.Value) string { return fmt.Sprintf("%q", v.String()) })
	add("result", func(v protoreflect.Value) string {
		return "winners " + strings.Join(v.Message().Interface().(*battlev1.BattleResult).GetWinnerLiveIds(), ",")
	})
	return text
}

func (s *story) expect(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.told("a", "b", "c", "z")); diff != "" {
		s.t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestTold(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "z")
	s.expect()

	s.request("b1", "a", true, "b", "c")
	s.expect(
		"a: BattleRequestSent REQUESTED",
		"b: BattleRequestReceived by a b INVITED REQUESTED",
		"c: BattleRequestReceived by a c INVITED REQUESTED",
	)
	s.do(battle.AcceptBattle{BattleID: "b1", LiveID: "b"})
	s.expect(
		"a: BattleRequestAccept by a b JOINED", "a: UserJoinBattle b JOINED", "b: UserJoinBattle b JOINED", "c: UserJoinBattle b JOINED",
	)
	s.do(battle.RejectBattle{BattleID: "b1", LiveID: "c", Reason: "later"})
	s.expect(
		`a: BattleRequestReject by a c REJECTED "later"`, "a: BattleStarting STARTING",
		`b: BattleRequestReject by a c REJECTED "later"`, "b: BattleStarting STARTING",
		`c: BattleRequestReject by a c REJECTED "later"`,
	)

	s.do(battle.ReportOpened{BattleID: "b1", LiveID: "a"})
	s.do(battle.ReportOpened{BattleID: "b1", LiveID: "b"})
	s.after(300 * time.Millisecond)
	s.expect("a: BattleStarted by a b JOINED RUNNING", "b: BattleStarted by a b JOINED RUNNING")

	s.after(time.Minute)
	s.expect("a: BattleSettling TIME_OVER SETTLING", "b: BattleSettling TIME_OVER SETTLING")
	s.close("b1", "a", "b")
	s.expect(
		"a: BattleEnded TIME_OVER ENDED winners b", "b: BattleEnded TIME_OVER ENDED winners b", "c: BattleEnded TIME_OVER ENDED winners b",
	)

	s.request("b2", "a", false, "b", "c")
	s.expect("a: BattleStarting STARTING", "b: BattleStarting STARTING", "c: BattleStarting STARTING")
	s.open("b2", "a", "b", "c")
	s.expect(
		"a: BattleStarted by a b JOINED, c JOINED RUNNING", "b: BattleStarted by a b JOINED, c JOINED RUNNING",
		"c: BattleStarted by a b JOINED, c JOINED RUNNING",
	)
	s.do(battle.ExitBattle{BattleID: "b2", LiveID: "c"})
	s.expect("a: UserExitBattle c EXITED EXITED", "b: UserExitBattle c EXITED EXITED", "c: UserExitBattle c EXITED EXITED")
	s.do(battle.LeaveBattle{LiveID: "a"})
	s.expect("a: UserExitBattle a EXITED LEFT_CONNECTION", "b: UserExitBattle a EXITED LEFT_CONNECTION", "b: BattleSettling FORFEIT SETTLING")
	s.close("b2", "a", "b", "c")
	s.expect(
		"a: BattleEnded FORFEIT ENDED winners b", "b: BattleEnded FORFEIT ENDED winners b", "c: BattleEnded FORFEIT ENDED winners b",
	)
}

func TestToldOfRequestsThatEnd(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "z")
	request := func(id string) {
		s.request(id, "a", true, "b", "c")
		s.told("a", "b", "c")
	}
	request("cancelled")
	s.do(battle.RejectBattle{BattleID: "cancelled", LiveID: "c"})
	s.told("a", "b", "c")
	s.do(battle.CancelBattleRequest{BattleID: "cancelled", LiveID: "a"})
	s.expect(
		"a: BattleEnded NEVER_STARTED ENDED",
		"b: BattleRequestCancelled by a b INVITED", "b: BattleEnded NEVER_STARTED ENDED",
		"c: BattleEnded NEVER_STARTED ENDED",
	)
	request("cancelled for one")
	s.do(battle.CancelBattleRequest{BattleID: "cancelled for one", LiveID: "a", TargetLives: []string{"b"}})
	s.expect("a: BattleRequestCancelled by a b CANCELLED", "b: BattleRequestCancelled by a b CANCELLED", "c: BattleRequestCancelled by a b CANCELLED")
	s.do(battle.CancelBattleRequest{BattleID: "cancelled for one", LiveID: "a"})
	s.told("a", "b", "c")
	request("timed out")
	s.after(30 * time.Second)
	s.expect(
		"a: BattleRequestTimeout by a b TIMED_OUT", "a: BattleRequestTimeout by a c TIMED_OUT", "a: BattleEnded NEVER_STARTED ENDED",
		"b: BattleRequestTimeout by a b TIMED_OUT", "b: BattleEnded NEVER_STARTED ENDED",
		"c: BattleRequestTimeout by a c TIMED_OUT", "c: BattleEnded NEVER_STARTED ENDED",
	)
	request("left by one")
	s.do(battle.LeaveBattle{LiveID: "b"})
	s.expect(
		"a: UserExitBattle b EXITED LEFT_CONNECTION",
		"b: BattleRequestCancelled by a b INVITED", "b: UserExitBattle b EXITED LEFT_CONNECTION",
		"c: UserExitBattle b EXITED LEFT_CONNECTION",
	)
}

func TestCurrent(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	expect := func(want map[string]string) {
		t.Helper()
		got := map[string]string{}
		for _, live := range []string{"a", "b", "c"} {
			if b, ok := s.battles.Current(live); ok {
				got[live] = b.ID
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("current battles (-want +got):\n%s", diff)
		}
	}
	expect(map[string]string{})
	s.request("b1", "a", true, "b", "c")
	expect(map[string]string{"a": "b1", "b": "b1", "c": "b1"})
	s.do(battle.RejectBattle{BattleID: "b1", LiveID: "b"})
	expect(map[string]string{"a": "b1", "c": "b1"})
	s.do(battle.CancelBattleRequest{BattleID: "b1", LiveID: "a"})
	expect(map[string]string{})
	s.run("b2", "a", "b", "c")
	s.do(battle.ExitBattle{BattleID: "b2", LiveID: "a"})
	expect(map[string]string{"b": "b2", "c": "b2"})
	s.after(time.Minute)
	expect(map[string]string{"b": "b2", "c": "b2"}) // it settles
	s.close("b2", "a", "b", "c")
	expect(map[string]string{})
}

func list(t *testing.T, v *view.Battles, f view.Filter, size int) (pages []string) {
	t.Helper()
	token := ""
	for {
		l, err := view.NewListing(f, size, token)
		if err != nil {
			t.Fatal(err)
		}
		for !v.Step(l) {
		}
		page, next := l.Page()
		var ids []string
		for _, b := range page {
			ids = append(ids, b.ID)
		}
		pages = append(pages, strings.Join(ids, " "))
		if token = next; token == "" {
			return pages
		}
	}
}

// A listing that finds little looks at a thousand battles at a time.
func TestListInSteps(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d")
	s.run("rare", "c", "d")
	const battles = 2500
	for i := range battles {
		id := fmt.Sprint("b", i)
		s.request(id, "a", true, "b")
		s.do(battle.CancelBattleRequest{BattleID: id, LiveID: "a"})
	}
	for _, size := range []int{1, 2} { // one that is filled, one that is not
		l, err := view.NewListing(view.Filter{Phase: battle.PhaseRunning}, size, "")
		if err != nil {
			t.Fatal(err)
		}
		steps := 1
		for !s.battles.Step(l) {
			steps++
		}
		if page, token := l.Page(); len(page) != 1 || page[0].ID != "rare" || token != "" || steps != 3 {
			t.Errorf("after %d steps the page is %v, token %q", steps, page, token)
		}
	}
	if got := list(t, s.battles, view.Filter{Phase: battle.PhaseEnded}, 1000); len(got) != 3 || strings.Count(got[2], " ") != 499 {
		t.Errorf("%d pages", len(got))
	}
}

func TestListAndForget(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d")
	expect := func(f view.Filter, size int, want ...string) {
		t.Helper()
		if got := list(t, s.battles, f, size); !slices.Equal(got, want) {
			t.Errorf("%+v by %d: %q, want %q", f, size, got, want)
		}
	}
	expect(view.Filter{}, 2, "")
	s.run("b1", "a", "b")
	s.request("b2", "c", true, "d")
	s.do(battle.CancelBattleRequest{BattleID: "b2", LiveID: "c"})
	s.request("b3", "d", true, "c")

	expect(view.Filter{}, 10, "b3 b2 b1")
	expect(view.Filter{}, 2, "b3 b2", "b1")
	expect(view.Filter{}, 3, "b3 b2 b1")
	expect(view.Filter{LiveID: "c"}, 1, "b3", "b2")
	expect(view.Filter{LiveID: "a"}, 1, "b1")
	expect(view.Filter{LiveID: "z"}, 1, "")
	expect(view.Filter{Phase: battle.PhaseRunning}, 1, "b1")
	expect(view.Filter{LiveID: "c", Phase: battle.PhaseEnded}, 1, "b2")
	for _, bad := range []string{"x", "-1.0", "1.", "1.1.1", ".", "0.1"} {
		if _, err := view.NewListing(view.Filter{}, 1, bad); err == nil {
			t.Errorf("page token %q was taken", bad)
		}
	}

	s.after(keep + time.Millisecond) // b3 times out, b1 settles; b2 ended more than an hour ago
	s.close("b1", "a")
	expect(view.Filter{}, 10, "b3 b1")
	expect(view.Filter{LiveID: "c"}, 10, "b3")
	if _, ok := s.battles.Get("b2"); ok {
		t.Error("b2 is still known")
	}
	if b, ok := s.battles.Get("b1"); !ok || b.Phase != battle.PhaseSettling {
		t.Errorf("b1 %v, %v", b, ok)
	}
	if late := s.battles.Settling(s.now); len(late) != 0 {
		t.Errorf("late: %v", late)
	}
	if late := s.battles.Settling(s.now.Add(time.Millisecond)); !maps.Equal(late, map[string]time.Time{"b1": s.now}) {
		t.Errorf("late: %v", late)
	}
	s.after(2 * keep)
	s.close("b1", "b") // the last total
	expect(view.Filter{}, 10, "b1")
	s.after(2 * keep)
	s.request("b4", "a", true, "b")
	expect(view.Filter{}, 10, "b4")
	if _, recovered := s.battles.Subscribe("d", 1); recovered {
		t.Error("events of a live without a battle are kept")
	}
}
