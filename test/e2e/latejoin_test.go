package e2e

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/auth"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// liveState asks for all that is to know of a live.
func liveState(t testing.TB, a actor, live string) *gatewayv1.GetLiveStateResponse {
	t.Helper()
	r, err := a.s.gateway.GetLiveState(a.ctx(t), &gatewayv1.GetLiveStateRequest{LiveId: live})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// joiner is somebody who asked for the state at some moment, and is told what happens from there on.
type joiner struct {
	state *picture
	view  *view
}

// join begins to watch a live from a state on.
func join(t testing.TB, a actor, live string, r *gatewayv1.GetLiveStateResponse) joiner {
	t.Helper()
	return joiner{pictureOf(r), watch(t, a, live, r.GetOffset())}
}

// Some join a live at any moment while it is invited, connected, asked to battles, and sent gifts. What they are told makes of
// their state what one has who was there from the start, and what a fresh state is.
func TestLateJoiners(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	fan := s.actor(t, "fan", ann.live, auth.Audience)
	joiners := []joiner{join(t, fan, ann.live, liveState(t, fan, ann.live))}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(rand.N(100 * time.Millisecond)):
			}
			r, err := s.gateway.GetLiveState(fan.ctx(t), &gatewayv1.GetLiveStateRequest{LiveId: ann.live})
			if err != nil {
				t.Error(err)
				return
			}
			joiners = append(joiners, join(t, fan, ann.live, r))
		}
	}()
	end := sync.OnceFunc(func() { close(stop); <-stopped })
	defer end()
	b := liveALife(t, s, ann, ben)
	end()

	// At rest: in a battle that runs, with gifts that have counted.
	atRest := liveState(t, fan, ann.live)
	want := pictureOf(atRest)
	if want.battle.GetBattleId() != b.GetBattleId() || want.current()[ann.user] != 2*giftPoints || want.current()[ben.user] != giftPoints {
		t.Errorf("the state at rest: %v", atRest)
	}
	joiners = append(joiners, join(t, fan, ann.live, atRest))
	for i, j := range joiners {
		j.follow(t, atRest)
		if got := j.state.String(); got != want.String() {
			t.Errorf("joiner %d of %d, who joined at %s, has\n%s\nwant\n%s", i, len(joiners), j.state.joined, got, want)
		}
	}
	t.Logf("%d joined, events up to %s", len(joiners), atRest.GetOffset())
}

// liveALife has ann's live go through all that an audience can follow, and ends in a running battle.
func liveALife(t *testing.T, s *stack, ann, ben *side) *battlev1.Battle {
	t.Helper()
	cal := createLive(t, s, "cal", cohostv1.Live_VIDEO)
	invite(t, s, ben, ann, 1) // times out
	invite(t, s, cal, ann, 0)
	done := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	done(s.cohost.CancelHostConnection(cal.host.ctx(t), &cohostv1.CancelHostConnectionRequest{LiveId: cal.live, ToLiveId: ann.live}))
	await(t, ann.view, "CoHostRequestTimeout", func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostRequestTimeout() != nil
	})
	accept := func(from *side) {
		t.Helper()
		invite(t, s, from, ann, 0)
		done(s.cohost.AcceptHostConnection(ann.host.ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: ann.live, FromLiveId: from.live}))
	}
	accept(cal)
	done(s.cohost.ExitHostConnection(cal.host.ctx(t), &cohostv1.ExitHostConnectionRequest{LiveId: cal.live}))
	accept(ben)
	done(s.cohost.SetLayoutTemplate(ben.host.ctx(t), &cohostv1.SetLayoutTemplateRequest{LiveId: ben.live, LayoutTemplate: "hostDynamic1v6"}))
	name := "Ben"
	done(s.cohost.UpdateLive(ben.host.ctx(t), &cohostv1.UpdateLiveRequest{LiveId: ben.live, Host: &cohostv1.UpdateLiveRequest_HostProfile{UserName: &name}}))
	done(s.cohost.MuteRemoteHostAudio(ann.host.ctx(t), &cohostv1.MuteRemoteHostAudioRequest{LiveId: ann.live, TargetLiveId: ben.live, Muted: true}))

	cancelled := request(t, s, ben, ann, 0, &battlev1.BattleConfig{NeedResponse: true})
	done(s.battle.CancelBattleRequest(ben.host.ctx(t), &battlev1.CancelBattleRequestRequest{BattleId: cancelled.GetBattleId(), LiveId: ben.live}))
	short := fight(t, s, ben, ann, 1)
	give(t, s, gift(ann.live), gift(ben.live))
	ended(t, ann, short.GetBattleId())

	b := request(t, s, ben, ann, 0, &battlev1.BattleConfig{NeedResponse: true, DurationSeconds: long})
	done(s.battle.AcceptBattle(ann.host.ctx(t), &battlev1.AcceptBattleRequest{BattleId: b.GetBattleId(), LiveId: ann.live}))
	started(t, ann, b.GetBattleId())
	for _, v := range give(t, s, gift(ann.live), gift(ann.live), gift(ben.live)) {
		if v.GetVerdict() != scorev1.GiftVerdict_COUNTED {
			t.Errorf("a gift is %v", v)
		}
	}
	return b
}

// follow takes what the joiner is told until it stands where a later state does, and has that state's scores.
func (j joiner) follow(t *testing.T, until *gatewayv1.GetLiveStateResponse) {
	t.Helper()
	next := 0
	await(t, j.view, "all that a later state has", func(m *message) (bool, bool) {
		if next++; m.GetConnected() != nil && !m.GetConnected().GetRecovered() {
			t.Errorf("who joined at %s was not taken on", j.state.joined)
		}
		j.state.take(t, m)
		return true, m.GetOffset() == until.GetOffset() && maps.Equal(j.state.current(), until.GetScores().GetScores())
	})
}

// The state shows what was answered a moment ago, and goes on being told of across a kill of the process that gave it.
func TestStateShowsWhatWasAnswered(t *testing.T) {
	t.Parallel()
	p := own(t)
	s := p.stack
	ann, ben := openLives(t, s)
	invite(t, s, ann, ben, 300)
	if i := liveState(t, ann.host, ann.live).GetCohost().GetState().GetInvitees(); len(i) != 1 || i[0].GetInvitee().GetLiveId() != ben.live || i[0].GetExpiresAt() == nil {
		t.Errorf("after the request: %v", i)
	}
	if i := liveState(t, ben.host, ben.live).GetCohost().GetState().GetApplicants(); len(i) != 1 || i[0].GetInviter().GetLiveId() != ann.live {
		t.Errorf("after the request: %v", i)
	}
	if _, err := s.cohost.AcceptHostConnection(ben.host.ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: ben.live, FromLiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	if c := liveState(t, ann.host, ann.live).GetCohost(); len(c.GetState().GetConnected()) != 2 || len(c.GetState().GetInvitees()) != 0 || c.GetLive().GetConnectionId() == "" {
		t.Errorf("after the acceptance: %v", c)
	}
	b := request(t, s, ann, ben, 0, &battlev1.BattleConfig{DurationSeconds: long})
	if got := liveState(t, ben.host, ben.live).GetBattle().GetBattle(); got.GetBattleId() != b.GetBattleId() {
		t.Errorf("after the request of a battle: %v", got)
	}
	started(t, ann, b.GetBattleId())
	for n := range int64(20) {
		give(t, s, gift(ben.live))
		if got := liveState(t, ann.host, ann.live).GetScores(); got.GetScores()[ben.user] != (n+1)*giftPoints || got.GetSeq() == "" || got.GetStatus() != scorev1.BattleScores_RUNNING {
			t.Fatalf("after %d gifts: %v", n+1, got)
		}
	}

	before := liveState(t, ben.host, ben.live)
	p.kill()
	if err := p.restart(); err != nil {
		t.Fatal(err)
	}
	late := join(t, ben.host, ben.live, before)
	await(t, late.view, "the connection", func(m *message) (bool, bool) { return true, m.GetConnected().GetRecovered() })
	if _, err := s.battle.ExitBattle(ann.host.ctx(t), &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	ended(t, &side{live: ben.live, view: late.view}, b.GetBattleId())
	after := liveState(t, ben.host, ben.live)
	if after.GetBattle().GetBattle() != nil || after.GetScores() != nil {
		t.Errorf("after the end: %v", after)
	}
	late.follow(t, after)
	if got, want := late.state.String(), pictureOf(after).String(); got != want {
		t.Errorf("told over the kill:\n%s\nwant\n%s", got, want)
	}
}

// Who may not watch a live is not told its state either.
func TestStateRefusals(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := openLives(t, s)
	for _, row := range []struct {
		name, live string
		who        actor
		status     int
		want       string
	}{
		{"the host", ann.live, ann.host, 200, `"offset":"c`},
		{"its audience", ann.live, s.actor(t, "fan", ann.live, auth.Audience), 200, `"offset":"c`},
		{"a service", ann.live, s.backend(t), 200, `"offset":"c`},
		{"another host", ann.live, ben.host, 403, "PERMISSION_DENIED"},
		{"another audience", ann.live, s.actor(t, "fan", ben.live, auth.Audience), 403, "PERMISSION_DENIED"},
		{"nobody", ann.live, actor{s: s}, 401, "UNAUTHENTICATED"},
		{"of what never was", "never-was", s.backend(t), 404, "LIVE_NOT_FOUND"},
		{"of what never was, its host", "never-was", s.actor(t, "eve", "never-was", auth.Host), 404, "LIVE_NOT_FOUND"},
		{"a malformed id", "a.b", s.backend(t), 400, `"field":"live_id"`},
	} {
		code, body := row.who.rest(t, http.MethodGet, "/v1/lives/"+row.live+"/state", "", "")
		if code != row.status || !strings.Contains(string(body), row.want) {
			t.Errorf("%s: %d %s", row.name, code, body)
		}
		if row.status == 403 || row.status == 404 {
			watchFails(t, row.who, row.live, row.want)
			_, err := s.gateway.GetLiveState(row.who.ctx(t), &gatewayv1.GetLiveStateRequest{LiveId: row.live})
			refused(t, err, row.want)
		}
	}
	code, body := ann.host.rest(t, http.MethodGet, "/v1/lives/"+ann.live+"/state", "", "")
	var byREST gatewayv1.GetLiveStateResponse
	if err := protojson.Unmarshal(body, &byREST); err != nil || code != 200 {
		t.Fatalf("%d %s: %v", code, body, err)
	}
	byGRPC := liveState(t, ann.host, ann.live)
	for _, r := range []*gatewayv1.GetLiveStateResponse{&byREST, byGRPC} {
		r.ServerNow, r.Cohost.State.ServerNow, r.Battle.ServerNow = nil, nil, nil
	}
	if !proto.Equal(&byREST, byGRPC) {
		t.Errorf("by REST %v, by gRPC %v", &byREST, byGRPC)
	}
}
