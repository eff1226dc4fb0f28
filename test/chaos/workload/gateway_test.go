package workload

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

func TestRoute(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		method     string
		request    proto.Message
		verb, path string
		body       proto.Message
	}{
		{
			cohostv1.CohostService_AcceptHostConnection_FullMethodName, &cohostv1.AcceptHostConnectionRequest{LiveId: "a", FromLiveId: "b"},
			"POST", "/v1/lives/a/cohost:accept", &cohostv1.AcceptHostConnectionRequest{FromLiveId: "b"},
		},
		{cohostv1.CohostService_EndLive_FullMethodName, &cohostv1.EndLiveRequest{LiveId: "a"}, "DELETE", "/v1/lives/a", nil},
		{
			cohostv1.CohostService_UpdateLive_FullMethodName, &cohostv1.UpdateLiveRequest{LiveId: "a", Host: &cohostv1.UpdateLiveRequest_HostProfile{UserId: "b"}},
			"PATCH", "/v1/lives/a", &cohostv1.UpdateLiveRequest{Host: &cohostv1.UpdateLiveRequest_HostProfile{UserId: "b"}},
		},
		{
			scorev1.ScoreService_GetGift_FullMethodName, &scorev1.GetGiftRequest{LiveId: "a", EventId: "1:2"},
			"GET", "/v1/lives/a/gifts/1:2", nil,
		},
		{
			battlev1.BattleService_RequestBattle_FullMethodName, &battlev1.RequestBattleRequest{InviterLiveId: "a"},
			"POST", "/v1/battles", &battlev1.RequestBattleRequest{InviterLiveId: "a"},
		},
	} {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(x.method[1:], "/", ".")))
		if err != nil {
			t.Fatal(err)
		}
		verb, path, body := route(d.(protoreflect.MethodDescriptor), x.request)
		if verb != x.verb || path != x.path || (body == nil) != (x.body == nil) || body != nil && !proto.Equal(body, x.body) {
			t.Errorf("%s: %s %s %s", x.method, verb, path, prototext.Format(body))
		}
	}
}
