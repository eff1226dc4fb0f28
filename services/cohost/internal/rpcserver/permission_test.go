package rpcserver_test

import (
	"context"
	"testing"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// Every call by everybody: allowed means that it gets past the door, whatever the domain says then.
func TestWhoMayDoWhat(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		callers := map[string]context.Context{
			"host":              h.host("a"),
			"another host":      h.host("b"),
			"audience":          h.as(auth.Audience, "fan", "a"),
			"another audience":  h.as(auth.Audience, "fan", "b"),
			"service":           h.service(),
			"admin":             h.as(auth.Admin, "root", "*"),
			"without a token":   t.Context(),
			"host, other user":  h.as(auth.Host, "somebody", "a"),
			"a token of theirs": h.as(auth.Audience, "u-a", "a"),
		}
		act := []string{"host", "host, other user", "service", "admin"}
		see := append([]string{"audience", "a token of theirs"}, act...)
		c := h.client
		for _, call := range []struct {
			name    string
			allowed []string
			do      func(context.Context) error
		}{
			{"CreateLive", []string{"host", "service", "admin"}, func(ctx context.Context) error { return second(c.CreateLive(ctx, createRequest("a"))) }},
			{"GetLive", see, func(ctx context.Context) error {
				return second(c.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: "a"}))
			}},
			{"GetCoHostState", see, func(ctx context.Context) error {
				return second(c.GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: "a"}))
			}},
			{"ListCandidates", see, func(ctx context.Context) error {
				return second(c.ListCandidates(ctx, &cohostv1.ListCandidatesRequest{LiveId: "a"}))
			}},
			{"ListLives, candidates", see, func(ctx context.Context) error {
				return second(c.ListLives(ctx, &cohostv1.ListLivesRequest{CandidatesFor: "a"}))
			}},
			{"Heartbeat", act, func(ctx context.Context) error {
				return second(c.Heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: "a"}))
			}},
			{"GetPresenceSettings", append([]string{"another host", "another audience"}, see...), func(ctx context.Context) error {
				return second(c.GetPresenceSettings(ctx, &cohostv1.GetPresenceSettingsRequest{}))
			}},
			{"UpdateLive", act, func(ctx context.Context) error {
				return second(c.UpdateLive(ctx, &cohostv1.UpdateLiveRequest{LiveId: "a", Host: &cohostv1.UpdateLiveRequest_HostProfile{}}))
			}},
			{"SetLayoutTemplate", act, func(ctx context.Context) error {
				return second(c.SetLayoutTemplate(ctx, &cohostv1.SetLayoutTemplateRequest{LiveId: "a", LayoutTemplate: "hostDynamicGrid"}))
			}},
			{"MuteRemoteHostAudio", act, func(ctx context.Context) error {
				return second(c.MuteRemoteHostAudio(ctx, &cohostv1.MuteRemoteHostAudioRequest{LiveId: "a", TargetLiveId: "b", Muted: true}))
			}},
			{"ListLives", append([]string{"another host", "another audience"}, see...), func(ctx context.Context) error {
				return second(c.ListLives(ctx, &cohostv1.ListLivesRequest{}))
			}},
			{"RequestHostConnection", act, func(ctx context.Context) error {
				return second(c.RequestHostConnection(ctx, &cohostv1.RequestHostConnectionRequest{LiveId: "a", TargetLiveIds: []string{"none"}}))
			}},
			{"CancelHostConnection", act, func(ctx context.Context) error {
				return second(c.CancelHostConnection(ctx, &cohostv1.CancelHostConnectionRequest{LiveId: "a", ToLiveId: "b"}))
			}},
			{"AcceptHostConnection", act, func(ctx context.Context) error {
				return second(c.AcceptHostConnection(ctx, &cohostv1.AcceptHostConnectionRequest{LiveId: "a", FromLiveId: "b"}))
			}},
			{"RejectHostConnection", act, func(ctx context.Context) error {
				return second(c.RejectHostConnection(ctx, &cohostv1.RejectHostConnectionRequest{LiveId: "a", FromLiveId: "b"}))
			}},
			{"ExitHostConnection", act, func(ctx context.Context) error {
				return second(c.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: "a"}))
			}},
			{"RejoinHostConnection", act, func(ctx context.Context) error {
				return second(c.RejoinHostConnection(ctx, &cohostv1.RejoinHostConnectionRequest{LiveId: "a"}))
			}},
			{"WatchLive", see, func(ctx context.Context) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				stream, err := c.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: "a", AfterNumber: -1})
				if err != nil {
					return err
				}
				return second(stream.Recv())
			}},
			{"EndLive", act, func(ctx context.Context) error {
				return second(c.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: "a"}))
			}},
		} {
			for caller, ctx := range callers {
				want := "PERMISSION_DENIED"
				if caller == "without a token" {
					want = "UNAUTHENTICATED"
				}
				for _, a := range call.allowed {
					if a == caller {
						want = ""
					}
				}
				err := call.do(ctx)
				refusal, _ := rpc.Refusal(err)
				kept := refusal != nil && (refusal.Reason == "PERMISSION_DENIED" || refusal.Reason == "UNAUTHENTICATED")
				if kept != (want != "") || kept && refusal.Reason != want {
					t.Errorf("%s by %s: got %v, want %q", call.name, caller, err, want)
				}
			}
		}
	})
}
