package rpcserver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// tick is how late a transition may be: silence is looked at so often.
const tick = renew / 12

func (h *house) beat(live, session string) (*cohostv1.HeartbeatResponse, error) {
	return h.client.Heartbeat(h.host(live), &cohostv1.HeartbeatRequest{LiveId: live, SessionId: session})
}

// keep has hosts give their signs of life as often as they should, and returns how to stop them.
func (h *house) keep(lives ...string) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	for _, live := range lives {
		must(h.beat(live, ""))(h.t)
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-time.After(renew):
			case <-ctx.Done():
				return
			}
			for _, live := range lives {
				_, _ = h.beat(live, "")
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (h *house) stage(live string) cohostv1.Presence_State {
	l, _ := h.partition.Live(live)
	return cohostv1.Presence_State(l.Presence.Stage)
}

// within checks how long something took: not less than it should, and little more.
func within(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	if took < want || took > want+2*tick {
		t.Errorf("%s after %v, want %v", what, took, want)
	}
}

// TestHeartbeat: the answer says all that a host has to know, and the log takes the first one only.
func TestHeartbeat(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		if live := must(h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"}))(t).GetLive(); live.GetPresence() != nil {
			t.Errorf("presence before the first sign of life: %v", live)
		}
		first := must(h.beat("a", "s1"))(t)
		want := &cohostv1.PresenceSettings{RenewMs: 3000, UnreachableAfterMs: 8000, GraceMs: 15000, EndAfterMs: 60000, RejoinWithinMs: 30000}
		if !proto.Equal(first.GetSettings(), want) || first.GetPresence().GetState() != cohostv1.Presence_PRESENT || first.GetPresence().GetFence() != 1 ||
			!first.GetServerNow().AsTime().Equal(h.partition.Now()) {
			t.Errorf("got %v", first)
		}
		if got := must(h.client.GetPresenceSettings(h.host("a"), &cohostv1.GetPresenceSettingsRequest{}))(t).GetSettings(); !proto.Equal(got, want) {
			t.Errorf("settings: %v", got)
		}
		head := must(h.log.Head(t.Context()))(t)
		for range 100 {
			pass(renew)
			must(h.beat("a", "s1"))(t)
		}
		if now := must(h.log.Head(t.Context()))(t); now != head {
			t.Errorf("100 heartbeats took %d groups of the log", now-head)
		}
		wantRefused(t, "of nobody", second(h.client.Heartbeat(h.service(), &cohostv1.HeartbeatRequest{LiveId: "none"})), "LIVE_NOT_FOUND")
		wantRefused(t, "with a bad session", second(h.beat("a", "s 1")), "INVALID_ARGUMENT")
	})
}

// TestSilence: a silent host becomes unreachable, then is lost, then its live ends, each at its time, once; the others are
// told each. Who was never heard is never lost.
func TestSilence(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "backend")
		h.connect("a", "b", "backend")
		stop := h.keep("b")
		defer stop()
		b, a := h.watch("b", -1), h.watch("a", -1)
		b.recv()
		a.recv()
		must(h.beat("a", ""))(t)
		last := time.Now()
		if e := b.event(); e.GetHostUnreachable().GetLiveId() != "a" || e.GetHostUnreachable().GetHost().GetUserId() != "u-a" {
			t.Errorf("got %v", e)
		}
		within(t, "unreachable", time.Since(last), unreachableAfter)
		if e := b.event(); e.GetHostLost().GetLiveId() != "a" {
			t.Errorf("got %v", e)
		}
		within(t, "lost", time.Since(last), unreachableAfter+grace)
		lost := time.Now()
		if e := b.event(); e.GetCoHostUserLeft().GetReason() != cohostv1.CoHostUserLeft_LOST || e.GetCoHostUserLeft().GetMember().GetLiveId() != "a" {
			t.Errorf("got %v", e)
		}
		if members(h.state("b")) != "b backend" && members(h.state("b")) != "backend b" {
			t.Errorf("still together: %v", h.state("b"))
		}
		wantEvents(t, a.events(3), "8 HostUnreachable", "9 HostLost", "10 CoHostUserLeft")
		if e := a.event(); e.GetLiveEnded().GetReason() != cohostv1.LiveEnded_HOST_LOST {
			t.Errorf("got %v", e)
		}
		within(t, "ended", time.Since(lost), endAfter)
		pass(time.Hour)
		if h.stage("b") != cohostv1.Presence_PRESENT || h.stage("backend") != cohostv1.Presence_STATE_UNSPECIFIED || members(h.state("b")) == "" {
			t.Errorf("b is %v, backend is %v, together %q", h.stage("b"), h.stage("backend"), members(h.state("b")))
		}
		if n := h.watch("b", -1).recv().GetSnapshot().GetNumber(); n != 4+4 {
			t.Errorf("b was told %d events", n)
		}
	})
}

// TestBackInTime: a host that is back within the grace stays where it was.
func TestBackInTime(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		h.connect("a", "b")
		must(h.beat("a", ""))(t)
		b := h.watch("b", -1)
		b.recv()
		wantEvents(t, b.events(1), "5 HostUnreachable")
		pass(grace - 2*tick)
		if got := must(h.beat("a", ""))(t).GetPresence().GetState(); got != cohostv1.Presence_PRESENT {
			t.Errorf("is %v", got)
		}
		if e := b.event(); e.GetHostRecovered().GetLiveId() != "a" || e.GetHostRecovered().GetWasLost() {
			t.Errorf("got %v", e)
		}
		if got := members(h.state("a")); got != "a b" {
			t.Errorf("together are %q", got)
		}
	})
}

// TestLostHostActsNot: not until it is back.
func TestLostHostActsNot(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		must(h.beat("a", ""))(t)
		pass(unreachableAfter + grace + 2*tick)
		invite := func() error {
			return second(h.client.RequestHostConnection(h.host("a"), &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: []string{"b"}}))
		}
		wantRefused(t, "lost", invite(), "HOST_LOST")
		must(h.beat("a", ""))(t)
		if err := invite(); err != nil {
			t.Errorf("back: %v", err)
		}
	})
}

// TestLostLeavesBattleFirst: whatever battle answers, and however long that takes; and again by a replica that takes over.
func TestLostLeavesBattleFirst(t *testing.T) {
	t.Parallel()
	for answer, battle := range map[string]func(context.Context) error{
		"lets go": func(context.Context) error { return nil },
		"fails":   func(context.Context) error { return errors.New("no") },
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(answer, func(t *testing.T) {
			door := &lostDoor{}
			inHouse(t, door, func(t *testing.T, h *house) {
				door.leave = func(ctx context.Context) error {
					if members(h.state("a")) != "a b" {
						t.Errorf("battle is asked when the connection is %v", h.state("a"))
					}
					return battle(ctx)
				}
				h.create("a", "b")
				h.connect("a", "b")
				must(h.beat("a", ""))(t)
				b := h.watch("b", -1)
				b.recv()
				wantEvents(t, b.events(2), "5 HostUnreachable", "6 HostLost")
				lost := time.Now()
				wantEvents(t, b.events(2), "7 CoHostUserLeft", "8 CoHostUserLeft")
				if took := time.Since(lost); took > time.Second+50*time.Millisecond {
					t.Errorf("left after %v", took)
				}
				if want := []string{"a LOST"}; !slices.Equal(door.asked, want) {
					t.Errorf("battle was asked for %v", door.asked)
				}
			})
		})
	}
}

// TestDepartureIsDrivenAgain: a replica that finds a departure in the log that is still to come does it, under the same id.
func TestDepartureIsDrivenAgain(t *testing.T) {
	door := &lostDoor{}
	inHouse(t, door, func(t *testing.T, h *house) {
		asked := make(chan struct{})
		door.leave = func(ctx context.Context) error {
			if len(door.asked) == 1 {
				close(asked)
				<-ctx.Done() // the replica ends meanwhile
				return ctx.Err()
			}
			return nil
		}
		h.create("a", "b")
		h.connect("a", "b")
		must(h.beat("a", ""))(t)
		<-asked
		h.close()
		h.open()
		if got := members(h.state("b")); got == "a b" {
			pass(2 * time.Second)
		}
		if got := members(h.state("b")); got != "" {
			t.Errorf("together are %q", got)
		}
		if want := []string{"a LOST", "a LOST"}; !slices.Equal(door.asked, want) || door.ids[0] != door.ids[1] {
			t.Errorf("battle was asked for %v, with ids %v", door.asked, door.ids)
		}
	})
}

// lostDoor is a connection to a battle service that remembers who left.
type lostDoor struct {
	grpc.ClientConnInterface
	leave      func(context.Context) error
	asked, ids []string
}

func (d *lostDoor) Invoke(ctx context.Context, _ string, request, _ any, _ ...grpc.CallOption) error {
	r := request.(*battlev1.LeaveBattleRequest)
	out, _ := metadata.FromOutgoingContext(ctx)
	d.asked = append(d.asked, r.GetLiveId()+" "+r.GetReason().String())
	d.ids = append(d.ids, fmt.Sprint(out.Get("idempotency-key")))
	return d.leave(ctx)
}

// TestTakeoverStartsAnew: whoever takes over has heard nobody, and gives everybody the time of its stage.
func TestTakeoverStartsAnew(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		must(h.beat("a", ""))(t)
		for range 10 {
			pass(unreachableAfter - tick)
			h.close()
			h.open()
		}
		if got := h.stage("a"); got != cohostv1.Presence_PRESENT {
			t.Errorf("a is %v", got)
		}
		pass(unreachableAfter + 2*tick)
		for range 10 {
			pass(grace - 4*tick)
			h.close()
			h.open()
		}
		if got := h.stage("a"); got != cohostv1.Presence_UNREACHABLE {
			t.Errorf("a is %v", got)
		}
	})
}

// TestLogGap: while the log does not answer nobody is silent.
func TestLogGap(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		must(h.beat("a", ""))(t)
		pass(unreachableAfter - 2*tick)
		h.log.gap.Store(true)
		pass(time.Hour)
		h.log.gap.Store(false)
		pass(unreachableAfter - 2*tick)
		if got := h.stage("a"); got != cohostv1.Presence_PRESENT {
			t.Errorf("a is %v", got)
		}
		pass(4 * tick)
		if got := h.stage("a"); got != cohostv1.Presence_UNREACHABLE {
			t.Errorf("a is %v", got)
		}
	})
}

// TestSessions: the newer session wins, is fenced by a greater number, and the older one is told.
func TestSessions(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		h.connect("a", "b")
		a := h.watch("a", -1)
		a.recv()
		fences := []int64{
			must(h.beat("a", "phone"))(t).GetPresence().GetFence(),
			must(h.beat("a", "phone"))(t).GetPresence().GetFence(),
			must(h.beat("a", "desk"))(t).GetPresence().GetFence(),
			must(h.beat("a", ""))(t).GetPresence().GetFence(),
		}
		if diff := cmp.Diff([]int64{1, 1, 2, 2}, fences); diff != "" {
			t.Errorf("fences (-want +got):\n%s", diff)
		}
		if e := a.event().GetSessionSuperseded(); e.GetSessionId() != "phone" || e.GetFence() != 2 {
			t.Errorf("told %v", e)
		}
		wantRefused(t, "heartbeat of the older", second(h.beat("a", "phone")), "SUPERSEDED")
		exit := func(ctx context.Context) error {
			return second(h.client.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: "a"}))
		}
		in := func(session string) context.Context {
			return metadata.AppendToOutgoingContext(h.host("a"), "faceoff-session", session)
		}
		wantRefused(t, "command of the older", exit(in("phone")), "SUPERSEDED")
		wantRefused(t, "bad session", exit(in("not one")), "INVALID_ARGUMENT")
		if got := members(h.state("a")); got != "a b" {
			t.Errorf("together are %q", got)
		}
		if err := exit(in("desk")); err != nil {
			t.Error(err)
		}
	})
}

// TestSessionOfHeartbeat: it may be named in either way; not in both ways differently.
func TestSessionOfHeartbeat(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		beat := func(header, field string) (*cohostv1.HeartbeatResponse, error) {
			ctx := metadata.AppendToOutgoingContext(h.host("a"), "faceoff-session", header)
			return h.client.Heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: "a", SessionId: field})
		}
		fences := []int64{
			must(beat("phone", ""))(t).GetPresence().GetFence(),
			must(beat("phone", "phone"))(t).GetPresence().GetFence(),
			must(h.beat("a", "phone"))(t).GetPresence().GetFence(),
			must(beat("desk", ""))(t).GetPresence().GetFence(),
		}
		if diff := cmp.Diff([]int64{1, 1, 1, 2}, fences); diff != "" {
			t.Errorf("fences (-want +got):\n%s", diff)
		}
		wantRefused(t, "older", second(beat("phone", "")), "SUPERSEDED")
		wantRefused(t, "two at once", second(beat("desk", "phone")), "INVALID_ARGUMENT")
		wantRefused(t, "bad session", second(beat("not one", "")), "INVALID_ARGUMENT")
	})
}

// TestTooManySessions: a client that makes up a session for every heartbeat takes the live over so many times in a minute, hears when
// to try again, and is there all the while.
func TestTooManySessions(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		began := h.partition.Now()
		for i := range 2 * rate {
			_, err := h.beat("a", fmt.Sprint("s", i))
			if i < rate && err != nil {
				t.Fatalf("session %d: %v", i, err)
			}
			if i < rate {
				continue
			}
			wantRefused(t, "one too many", err, "RATE_LIMITED")
			if r, _ := rpc.Refusal(err); r.RetryAfter <= 0 || h.partition.Now().Add(r.RetryAfter).Before(began.Add(time.Minute)) {
				t.Fatalf("session %d is to try again after %v", i, r.RetryAfter)
			}
			pass(renew / 100)
		}
		if live, _ := h.partition.Live("a"); live.Presence.Stage != cohost.Present || live.Presence.Sessions.Fence != rate {
			t.Errorf("%+v", live.Presence)
		}
		pass(unreachableAfter - 2*tick)
		if got := h.stage("a"); got != cohostv1.Presence_PRESENT {
			t.Errorf("after the last sign of life, although of a session that was refused: %v", got)
		}
		pass(time.Minute)
		if p := must(h.beat("a", "last"))(t).GetPresence(); p.GetFence() != rate+1 {
			t.Errorf("a minute later: %v", p)
		}
	})
}

// TestTooManySessionsOfALiveBefore: the host of a live that began anew is there, although the sessions of the live before leave none to its own.
func TestTooManySessionsOfALiveBefore(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		for i := range rate {
			must(h.beat("a", fmt.Sprint("s", i)))(t)
		}
		must(h.client.EndLive(h.host("a"), &cohostv1.EndLiveRequest{LiveId: "a"}))(t)
		h.create("a")
		for range 2 {
			wantRefused(t, "one too many", second(h.beat("a", "last")), "RATE_LIMITED")
			if live, _ := h.partition.Live("a"); live.Presence.Stage != cohost.Present || live.Presence.Sessions.Current != "" {
				t.Errorf("%+v", live.Presence)
			}
			pass(renew)
		}
		pass(unreachableAfter)
		if got := h.stage("a"); got != cohostv1.Presence_UNREACHABLE {
			t.Errorf("silent, it is %v", got)
		}
		wantRefused(t, "one too many, back", second(h.beat("a", "last")), "RATE_LIMITED")
		if got := h.stage("a"); got != cohostv1.Presence_PRESENT {
			t.Errorf("back, it is %v", got)
		}
		pass(time.Minute)
		if p := must(h.beat("a", "last"))(t).GetPresence(); p.GetFence() != 1 {
			t.Errorf("a minute later: %v", p)
		}
	})
}

// TestOldSessionKeepsNobodyPresent: its heartbeats are refused, and do not count.
func TestOldSessionKeepsNobodyPresent(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		must(h.beat("a", "phone"))(t)
		must(h.beat("a", "desk"))(t)
		for range 4 {
			pass(renew)
			wantRefused(t, "older", second(h.beat("a", "phone")), "SUPERSEDED")
		}
		synctest.Wait()
		if got := h.stage("a"); got != cohostv1.Presence_UNREACHABLE {
			t.Errorf("a is %v", got)
		}
	})
}

// TestTakenOverMeanwhile: two devices whose signs of life are decided together. The fence of the newer is not told to the older, which may be
// answered only when that has taken over.
func TestTakenOverMeanwhile(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		type answer struct {
			r   *cohostv1.HeartbeatResponse
			err error
		}
		answers := make(map[string]chan answer)
		h.log.gap.Store(true)
		for _, session := range []string{"first", "phone", "desk"} { // the first is stored alone
			answers[session] = make(chan answer, 1)
			go func() {
				r, err := h.beat("a", session)
				answers[session] <- answer{r, err}
			}()
			<-time.After(time.Millisecond)
		}
		h.log.gap.Store(false)
		wantRefused(t, "the older device", (<-answers["phone"]).err, "SUPERSEDED")
		if desk := <-answers["desk"]; desk.err != nil || desk.r.GetPresence().GetFence() != 3 {
			t.Errorf("the newer device: %v, %v", desk.r, desk.err)
		}
	})
}
