package gateway_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/faceoff-live/faceoff/pkg/auth"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/gateway/internal/fakes"
)

// as is a context for gRPC calls with a token.
func as(t *testing.T, user, live string, role auth.Role, more ...string) context.Context {
	t.Helper()
	pairs := append([]string{"authorization", "Bearer " + fakes.Token(t, user, live, role)}, more...)
	return metadata.AppendToOutgoingContext(t.Context(), pairs...)
}

func live(id string) *cohostv1.CreateLiveRequest {
	return &cohostv1.CreateLiveRequest{LiveId: id, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "anna"}}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	e := start(t)
	client := cohostv1.NewCohostServiceClient(e.grpc)

	answer, err := client.CreateLive(as(t, "anna", "a", auth.Host, "idempotency-key", "k1", "x-user-id", "somebody"), live("a"))
	if err != nil || answer.GetLive().GetHost().GetUserId() != "anna" {
		t.Fatalf("%v %v", answer, err)
	}
	if got := e.cohost.CommandIDs(); len(got) != 1 || got[0] != "k1" {
		t.Errorf("command ids %q", got)
	}
	// A field that the gateway's protos do not know is the service's matter.
	var unknown emptypb.Empty
	fields := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "a")
	unknown.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(fields, 15, protowire.BytesType), "hi"))
	if err := e.grpc.Invoke(as(t, "anna", "a", auth.Host), cohostv1.CohostService_GetLive_FullMethodName, &unknown, &cohostv1.GetLiveResponse{}); err != nil {
		t.Errorf("unknown field: %v", err)
	}
}

func TestProxyRefusals(t *testing.T) {
	t.Parallel()
	e := start(t)
	client := cohostv1.NewCohostServiceClient(e.grpc)
	if _, err := client.CreateLive(as(t, "anna", "a", auth.Host), live("a")); err != nil {
		t.Fatal(err)
	}

	_, err := client.CreateLive(as(t, "anna", "a", auth.Host), live("a"))
	st := status.Convert(err)
	if st.Code() != codes.AlreadyExists || len(st.Details()) != 1 {
		t.Fatalf("%v %v", err, st.Details())
	}
	if why, ok := st.Details()[0].(*errdetails.ErrorInfo); !ok || why.GetReason() != "LIVE_EXISTS" || why.GetMetadata()["code"] != "100003" {
		t.Errorf("details %v", st.Details())
	}
	_, err = client.CreateLive(as(t, "anna", "a", auth.Host), &cohostv1.CreateLiveRequest{LiveId: "a.b"})
	if bad := violations(err); status.Code(err) != codes.InvalidArgument || len(bad) == 0 || bad[0].GetField() != "live_id" {
		t.Errorf("%v %v", err, bad)
	}
	for _, row := range []struct {
		name string
		call func(context.Context) error
		ctx  context.Context
		want codes.Code
	}{
		{"no token", func(ctx context.Context) error {
			_, err := client.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: "a"})
			return err
		}, t.Context(), codes.Unauthenticated},
		{"another's live", func(ctx context.Context) error {
			_, err := client.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: "a"})
			return err
		}, as(t, "bob", "b", auth.Host), codes.PermissionDenied},
		{"not for outside", func(ctx context.Context) error {
			_, err := battlev1.NewBattleCoordinationServiceClient(e.grpc).LeaveBattle(ctx, &battlev1.LeaveBattleRequest{LiveId: "a"})
			return err
		}, as(t, "backend", auth.EveryLive, auth.Service), codes.Unimplemented},
		{"unknown service", func(ctx context.Context) error {
			return e.grpc.Invoke(ctx, "/faceoff.x.v1.X/Y", &emptypb.Empty{}, &emptypb.Empty{})
		}, as(t, "backend", auth.EveryLive, auth.Service), codes.Unimplemented},
		{"unknown call", func(ctx context.Context) error {
			return e.grpc.Invoke(ctx, "/faceoff.cohost.v1.CohostService/Y", &emptypb.Empty{}, &emptypb.Empty{})
		}, as(t, "backend", auth.EveryLive, auth.Service), codes.Unimplemented},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.call(row.ctx); status.Code(err) != row.want {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
	e.cohost.Stop()
	_, err = client.GetLive(as(t, "anna", "a", auth.Host), &cohostv1.GetLiveRequest{LiveId: "a"})
	if st := status.Convert(err); st.Code() != codes.Unavailable || len(st.Details()) != 1 {
		t.Errorf("stopped service: %v", err)
	}
	if _, err := client.GetLive(t.Context(), &cohostv1.GetLiveRequest{LiveId: "a"}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("the gateway leaves tokens to the services: %v", err)
	}
}

func violations(err error) []*errdetails.BadRequest_FieldViolation {
	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			return bad.GetFieldViolations()
		}
	}
	return nil
}

func TestProxyStreams(t *testing.T) {
	t.Parallel()
	e := start(t)
	ctx := as(t, "backend", auth.EveryLive, auth.Service)
	gifts, err := scorev1.NewScoreServiceClient(e.grpc).StreamGifts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		if err := gifts.Send(&scorev1.StreamGiftsRequest{Gifts: []*scorev1.GiftEvent{{EventId: "e", LiveId: "a", UnitValue: i}}}); err != nil {
			t.Fatal(err)
		}
		answer, err := gifts.Recv()
		if err != nil || answer.GetVerdicts()[0].GetPoints() != i {
			t.Fatalf("%v %v", answer, err)
		}
	}
	if err := gifts.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := gifts.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("end: %v", err)
	}

	ctx, leave := context.WithCancel(ctx)
	var lives grpc.ServerStreamingClient[cohostv1.WatchLiveResponse]
	if lives, err = cohostv1.NewCohostServiceClient(e.grpc).WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: "a", AfterNumber: -1}); err != nil {
		t.Fatal(err)
	}
	if m, err := lives.Recv(); err != nil || m.GetSnapshot() == nil {
		t.Errorf("%v %v", m, err)
	}
	e.cohost.Happen("a", 1)
	if m, err := lives.Recv(); err != nil || m.GetEvent().GetNumber() != 1 {
		t.Errorf("%v %v", m, err)
	}
	leave()
	if _, err := lives.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("left: %v", err)
	}
}
