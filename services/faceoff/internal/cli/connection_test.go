package cli

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/auth"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// Two hosts connect by REST; an operator looks at who is free, changes the layout, mutes and renames.
func TestConnectionCalls(t *testing.T) {
	t.Parallel()
	a := stack(t)
	c, err := client.New(client.Stack{HTTP: a.HTTP, GRPC: a.GRPC, Key: a.Key, Secret: a.Secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	token, err := c.Token("backend", auth.EveryLive, auth.Service)
	if err != nil {
		t.Fatal(err)
	}
	rest := func(method, path string, in, out proto.Message) {
		t.Helper()
		if err := c.REST(t.Context(), token, "", method, path, in, out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	run := func(want int, line string, words ...string) {
		t.Helper()
		code, out, complaints := execute(append(strings.Fields(line), "--grpc", a.GRPC)...)
		if code != want {
			t.Fatalf("%s: exit code %d: %s%s", line, code, out, complaints)
		}
		for _, word := range words {
			if !strings.Contains(out+complaints, word) {
				t.Errorf("%s: %q is missing in: %s%s", line, word, out, complaints)
			}
		}
	}
	for _, live := range []string{"red", "blue", "green"} {
		run(0, "live create "+live+" --host u-"+live)
	}
	run(0, "connection candidates red --page-size 1", "blue", "more: --page-token blue")
	run(0, "connection candidates red --page-size 1 --page-token blue", "green")

	rest(http.MethodPost, "/v1/lives/red/cohost:request", &cohostv1.RequestHostConnectionRequest{TargetLiveIds: []string{"blue", "green"}}, nil)
	rest(http.MethodPost, "/v1/lives/blue/cohost:accept", &cohostv1.AcceptHostConnectionRequest{FromLiveId: "red", ExtensionInfo: "hi"}, nil)
	rest(http.MethodPost, "/v1/lives/green/cohost:reject", &cohostv1.RejectHostConnectionRequest{
		FromLiveId: "red", ReasonCode: cohostv1.CoHostRequestRejected_BUSY,
	}, nil)

	run(0, "connection layout blue HostVideoLandscapeFixed2Seats", "member", "blue")
	run(0, "connection get red --json", `"layout": "HostVideoLandscapeFixed2Seats"`)
	run(1, "connection layout red hostVoiceConnection", "LIVE_KIND_MISMATCH")
	var state cohostv1.SetLayoutTemplateResponse
	rest(http.MethodPost, "/v1/lives/red/cohost:layout", &cohostv1.SetLayoutTemplateRequest{LayoutTemplate: "hostDynamicFloat"}, &state)
	if state.GetState().GetLayout() != "hostDynamicFloat" {
		t.Errorf("layout: %v", &state)
	}

	run(1, "connection rejoin red", "CONNECTED_WITH_OTHERS") // it was lost from none
	run(0, "connection mute red blue", "muted")
	run(0, "connection mute red blue --off", "member")
	var muted cohostv1.MuteRemoteHostAudioResponse
	rest(http.MethodPost, "/v1/lives/red/cohost:mute", &cohostv1.MuteRemoteHostAudioRequest{TargetLiveId: "blue", Muted: true}, &muted)
	if got := muted.GetState().GetMutedLiveIds(); len(got) != 1 || got[0] != "blue" {
		t.Errorf("muted: %v", &muted)
	}
	run(1, "connection mute red green", "CONNECTION_NOT_FOUND")

	rest(http.MethodPost, "/v1/lives/red/cohost:request", &cohostv1.RequestHostConnectionRequest{TargetLiveIds: []string{"green"}}, nil)
	rest(http.MethodPost, "/v1/battles", &battlev1.RequestBattleRequest{
		InviterLiveId: "blue", TargetLiveIds: []string{"red"}, Config: &battlev1.BattleConfig{NeedResponse: true},
	}, nil)
	run(0, "live state red", "UNTIL", "u-red", "connected", "blue", "invited", "green", "REQUESTED", "INVITED")
	run(0, "live state green", "invited by", "red")
	run(0, "live state red --json", `"offset": "c`, `"connection_id": "`, `"expires_at": "`, `"server_now": "`)
	run(1, "live state never-was", "LIVE_NOT_FOUND")
	rest(http.MethodPost, "/v1/lives/red/cohost:cancel", &cohostv1.CancelHostConnectionRequest{ToLiveId: "green"}, nil)

	run(0, "live update red --host-name Ann", "red")
	var updated cohostv1.UpdateLiveResponse
	rest(http.MethodPatch, "/v1/lives/red", &cohostv1.UpdateLiveRequest{
		Host: &cohostv1.UpdateLiveRequest_HostProfile{UserId: "u-red", AvatarUrl: proto.String("https://a/1.png")},
	}, &updated)
	if h := updated.GetLive().GetHost(); h.GetUserName() != "Ann" || h.GetAvatarUrl() != "https://a/1.png" {
		t.Errorf("updated: %v", &updated)
	}

	var candidates cohostv1.ListLivesResponse
	rest(http.MethodGet, "/v1/lives?candidates_for=green&page_size=5", nil, &candidates)
	if len(candidates.GetLives()) != 0 {
		t.Errorf("candidates of green, with the others connected: %v", &candidates)
	}
	run(0, "connection exit red")
	rest(http.MethodGet, "/v1/lives?candidates_for=green&page_size=5", nil, &candidates)
	if len(candidates.GetLives()) != 2 {
		t.Errorf("candidates of green, with the others free: %v", &candidates)
	}
}
