package e2e

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/auth"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Only the host's token acts for the host; the audience sees its room and no other.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	audience := s.actor(t, "fan", ann.live, auth.Audience)
	strange := s.actor(t, "eve", "eves-room", auth.Host)
	for name, a := range map[string]actor{"the audience": audience, "the other host": ben.host, "a strange host": strange} {
		calls := map[string]error{}
		_, calls["EndLive"] = s.cohost.EndLive(a.ctx(t), &cohostv1.EndLiveRequest{LiveId: ann.live})
		_, calls["RequestHostConnection"] = s.cohost.RequestHostConnection(a.ctx(t), &cohostv1.RequestHostConnectionRequest{LiveId: ann.live, TargetLiveIds: []string{"x"}})
		_, calls["ExitHostConnection"] = s.cohost.ExitHostConnection(a.ctx(t), &cohostv1.ExitHostConnectionRequest{LiveId: ann.live})
		_, calls["RequestBattle"] = s.battle.RequestBattle(a.ctx(t), &battlev1.RequestBattleRequest{InviterLiveId: ann.live, TargetLiveIds: []string{ben.live}})
		_, calls["ExitBattle"] = s.battle.ExitBattle(a.ctx(t), &battlev1.ExitBattleRequest{BattleId: b.GetBattleId(), LiveId: ann.live})
		_, calls["SendGifts"] = s.score.SendGifts(a.ctx(t), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift(ann.live)}})
		for call, err := range calls {
			if status.Code(err) != codes.PermissionDenied {
				t.Errorf("%s by %s: %v", call, name, err)
			}
			refused(t, err, "PERMISSION_DENIED")
		}
	}
	if _, err := s.cohost.GetCoHostState(audience.ctx(t), &cohostv1.GetCoHostStateRequest{LiveId: ann.live}); err != nil {
		t.Errorf("the audience reads its room: %v", err)
	}
	watchFails(t, strange, ann.live, "PERMISSION_DENIED")
	_, err := s.battle.GetBattle(strange.ctx(t), &battlev1.GetBattleRequest{BattleId: b.GetBattleId()})
	refused(t, err, "PERMISSION_DENIED")
	_, err = s.cohost.CreateLive(strange.ctx(t), &cohostv1.CreateLiveRequest{LiveId: "not-eves-room", Kind: cohostv1.Live_VIDEO, Host: user("eve")})
	refused(t, err, "PERMISSION_DENIED")
	_, err = s.cohost.CreateLive(audience.ctx(t), &cohostv1.CreateLiveRequest{LiveId: "not-eves-room", Kind: cohostv1.Live_VIDEO, Host: user("fan")})
	refused(t, err, "PERMISSION_DENIED")
}

func watchFails(t *testing.T, a actor, live, reason string) {
	t.Helper()
	stream, err := a.s.gateway.WatchLive(a.ctx(t), &gatewayv1.WatchLiveRequest{LiveId: live})
	if err == nil {
		_, err = stream.Recv()
	}
	if errors.Is(err, io.EOF) {
		t.Fatalf("watching %s ended", live)
	}
	refused(t, err, reason)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := shared
	get := func(a actor) error {
		_, err := s.cohost.ListLives(a.ctx(t), &cohostv1.ListLivesRequest{})
		return err
	}
	good := s.backend(t)
	if err := get(good); err != nil {
		t.Fatal(err)
	}
	forged := &stack{Key: s.Key, Secret: "another-secret-that-is-long-enough-for-a-key"}
	other := &stack{Key: "no-such-key", Secret: s.Secret}
	for name, a := range map[string]actor{
		"no token":        {s: s},
		"no JWT":          {s: s, token: "abc"},
		"another secret":  {s: s, token: forged.backend(t).token},
		"an unknown key":  {s: s, token: other.backend(t).token},
		"a cut-off token": {s: s, token: good.token[:len(good.token)-4]},
	} {
		if err := get(a); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
		if code, body := a.rest(t, "GET", "/v1/lives", "", ""); code != 401 {
			t.Errorf("%s by REST: %d %s", name, code, body)
		}
	}
}
