package badinput

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// refused checks a refusal by gRPC: its code and reason, and the field that it names.
func refused(t *testing.T, err error, code codes.Code, reason, field string) {
	t.Helper()
	r, ok := rpc.Refusal(err)
	if status.Code(err) != code || !ok || r.Reason != reason || r.Detail == "" || field != "" && r.Field != field {
		t.Errorf("got %v (field %q), want %s %s of %q", err, r.Field, code, reason, field)
	}
}

// dial opens a connection without a token, for the length of the test.
func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// doors are where cohost can be called by gRPC.
func (s *stack) doors() map[string]string {
	return map[string]string{"gateway": s.grpc, "cohost": s.services["cohost"]}
}

// grpcRows are calls that are gRPC, but are not let in, or ask for what is not to be had.
func grpcRows() (all []row) {
	add := func(id, name string, writes bool, send func(t *testing.T, s *scene)) {
		all = append(all, row{id: id, name: name, writes: writes, send: send})
	}
	const invalid = "INVALID_ARGUMENT"

	// Who may call.
	for _, r := range []struct{ id, name, authorization string }{
		{"G34", "no token", ""},
		{"G35", "expired", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()})},
		{"G36", "alg none", forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil)},
		{"G36", "alg None", strings.Replace(forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil), "eyJhbGciOiJub25l", "eyJhbGciOiJOb25l", 1)},
		{"G36", "alg nOnE", strings.Replace(forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil), "eyJhbGciOiJub25l", "eyJhbGciOiJuT25F", 1)},
		{"G38", "for others", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"aud": "another-product"})},
		{"", "not valid yet", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})},
		{"", "valid for ever", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"exp": nil})},
		{"", "signed with another secret", forge(jwt.SigningMethodHS256, []byte(strings.Repeat("x", len(secret))), nil, nil)},
		{"", "of an unknown key", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"iss": "another"})},
		{"", "without a grant", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"live": nil})},
		{"", "a host of every live", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"live": map[string]any{"room": "*", "role": "host"}})},
		{"", "a role that there is not", forge(jwt.SigningMethodHS256, []byte(secret), nil, jwt.MapClaims{"live": map[string]any{"room": "*", "role": "root"}})},
	} {
		add(r.id, r.name, false, func(t *testing.T, s *scene) {
			for _, addr := range s.doors() {
				c := ctx(t)
				if _, value, ok := strings.Cut(r.authorization, ": "); ok {
					c = metadata.AppendToOutgoingContext(c, "authorization", value)
				}
				conn := dial(t, addr)
				_, err := cohostv1.NewCohostServiceClient(conn).GetLive(c, &cohostv1.GetLiveRequest{LiveId: "red"})
				refused(t, err, codes.Unauthenticated, "UNAUTHENTICATED", "")
				_ = conn.Close()
			}
			by := r.authorization
			if by == "" {
				by = "Authorization: "
			}
			call{method: http.MethodGet, path: "/v1/lives/red", headers: []string{by}}.send(t, s.stack).refused(t, http.StatusUnauthorized, "", "")
		})
	}
	add("G34", "two tokens", false, func(t *testing.T, s *scene) {
		_, err := s.cohost.GetLive(metadata.AppendToOutgoingContext(ctx(t), "authorization", "Bearer "+backend(t), "authorization", "Bearer "+backend(t)),
			&cohostv1.GetLiveRequest{LiveId: "red"})
		refused(t, err, codes.Unauthenticated, "UNAUTHENTICATED", "")
	})
	as := func(t *testing.T, user, live string, role auth.Role, more ...string) context.Context {
		return metadata.AppendToOutgoingContext(ctx(t), append(more, "authorization", "Bearer "+token(t, user, live, role))...)
	}
	add("G39", "the host of another live", false, func(t *testing.T, s *scene) {
		for _, addr := range s.doors() {
			conn := dial(t, addr)
			c := cohostv1.NewCohostServiceClient(conn)
			_, err := c.GetLive(as(t, "ben", "blue", auth.Host), &cohostv1.GetLiveRequest{LiveId: "red"})
			refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED", "")
			_, err = c.EndLive(as(t, "fan", "red", auth.Audience), &cohostv1.EndLiveRequest{LiveId: "red"})
			refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED", "")
			_ = conn.Close()
		}
	})
	add("G41", "an identity in the metadata", false, func(t *testing.T, s *scene) {
		for _, addr := range s.doors() {
			conn := dial(t, addr)
			_, err := cohostv1.NewCohostServiceClient(conn).EndLive(
				as(t, "ben", "blue", auth.Host, "x-user-id", "ann", "x-live-id", "red", "x-role", "admin"), &cohostv1.EndLiveRequest{LiveId: "red"})
			refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED", "")
			_ = conn.Close()
		}
	})
	add("", "a host sends gifts", false, func(t *testing.T, s *scene) {
		conn := dial(t, s.grpc)
		_, err := scorev1.NewScoreServiceClient(conn).SendGifts(as(t, "ann", "red", auth.Host), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift("red")}})
		refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED", "")
		_ = conn.Close()
	})
	for _, r := range []struct{ id, name, method string }{
		{"G20", "unknown service", "/faceoff.x.v1.X/Y"},
		{"G20", "unknown call", "/faceoff.cohost.v1.CohostService/Y"},
		{"G20", "a service not for outside", "/faceoff.battle.v1.BattleCoordinationService/LeaveBattle"},
		{"G91", "reflection", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"},
	} {
		add(r.id, r.name, false, func(t *testing.T, s *scene) {
			for _, addr := range s.doors() {
				conn := dial(t, addr)
				if err := conn.Invoke(as(t, "backend", auth.EveryLive, auth.Service), r.method, &emptypb.Empty{}, &emptypb.Empty{}); status.Code(err) != codes.Unimplemented {
					t.Errorf("%s: %v", addr, err)
				}
				_ = conn.Close()
			}
		})
	}

	// Ids. Every one of them is refused wherever an id can stand.
	for _, r := range []struct{ id, name, value string }{
		{"G47", "a dot", "a.b"},
		{"G50", "a blank", "a b"},
		{"G52", "NUL", "a\x00b"},
		{"G53", "a path", "../../etc/passwd"},
		{"G55", "U+202E", "a\u202eb"},
		{"G56", "U+200B", "a\u200bb"},
		{"G57", "an accent", "é"},
		{"G57", "the same accent, composed", "e\u0301"},
		{"", "a star", "*"},
		{"", "a greater-than sign", ">"},
		{"", "49 characters", strings.Repeat("a", 49)},
		{"", "5 000 characters", strings.Repeat("a", 5_000)},
		{"", "nothing", ""},
	} {
		add(r.id, "an id with "+r.name, false, func(t *testing.T, s *scene) {
			_, err := s.cohost.GetLive(ctx(t), &cohostv1.GetLiveRequest{LiveId: r.value})
			refused(t, err, codes.InvalidArgument, invalid, "live_id")
			_, err = s.cohost.CreateLive(ctx(t), &cohostv1.CreateLiveRequest{LiveId: r.value, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "u"}})
			refused(t, err, codes.InvalidArgument, invalid, "live_id")
			if len(r.value) > 64 || r.value != "a.b" && len(r.value) != 49 { // what a live_id does not take, a user_id may
				_, err = s.cohost.CreateLive(ctx(t), &cohostv1.CreateLiveRequest{LiveId: "new", Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: r.value}})
				refused(t, err, codes.InvalidArgument, invalid, "host.user_id")
			}
			_, err = s.cohost.RequestHostConnection(ctx(t), &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"red", r.value}})
			refused(t, err, codes.InvalidArgument, invalid, "target_live_ids[1]")
			_, err = s.battle.GetBattle(ctx(t), &battlev1.GetBattleRequest{BattleId: r.value})
			refused(t, err, codes.InvalidArgument, invalid, "battle_id")
			_, err = s.score.GetBattleScores(ctx(t), &scorev1.GetBattleScoresRequest{BattleId: r.value})
			refused(t, err, codes.InvalidArgument, invalid, "battle_id")
			g := gift("red")
			g.LiveId = r.value
			_, err = s.score.SendGifts(ctx(t), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift("red"), g}})
			refused(t, err, codes.InvalidArgument, invalid, "gifts[1].live_id")
			watched(t, s, &gatewayv1.WatchLiveRequest{LiveId: r.value}, "live_id")
		})
	}
	for _, offset := range []string{"c-1.b0", "c1.b", "c01.b0", "c1.b1.", "9223372036854775807", "c9223372036854775807.b0", strings.Repeat("c", 200), "c1\x00.b1"} {
		add("", "offset "+strings.ToValidUTF8(offset, "?"), false, func(t *testing.T, s *scene) {
			watched(t, s, &gatewayv1.WatchLiveRequest{LiveId: "red", Offset: offset}, "offset")
		})
	}

	// Requests.
	request := func(id, name, field string, r *cohostv1.RequestHostConnectionRequest) {
		add(id, name, false, func(t *testing.T, s *scene) {
			_, err := s.cohost.RequestHostConnection(ctx(t), r)
			refused(t, err, codes.InvalidArgument, invalid, field)
		})
	}
	many := make([]string, 9)
	for i := range many {
		many[i] = strings.Repeat("m", i+1)
	}
	request("G45", "its own live", "target_live_ids", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"green"}})
	request("G69", "no target", "target_live_ids", &cohostv1.RequestHostConnectionRequest{LiveId: "green"})
	request("G71", "a target twice", "target_live_ids", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"red", "red"}})
	request("", "nine targets", "target_live_ids", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: many})
	request("G62", "unknown layout", "layout_template", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"red"}, LayoutTemplate: "999"})
	request("", "a timeout of a week", "timeout_seconds", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"red"}, TimeoutSeconds: 604_800})
	request("", "a timeout before now", "timeout_seconds", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"red"}, TimeoutSeconds: -1})
	request("", "2049 bytes of extension", "extension_info", &cohostv1.RequestHostConnectionRequest{LiveId: "green", TargetLiveIds: []string{"red"}, ExtensionInfo: strings.Repeat("x", 2049)})
	add("G62", "unknown kind", false, func(t *testing.T, s *scene) {
		_, err := s.cohost.CreateLive(ctx(t), &cohostv1.CreateLiveRequest{LiveId: "new", Kind: 999, Host: &userv1.User{UserId: "u"}})
		refused(t, err, codes.InvalidArgument, invalid, "kind")
	})
	battle := func(id, name, field string, r *battlev1.RequestBattleRequest) {
		add(id, name, false, func(t *testing.T, s *scene) {
			_, err := s.battle.RequestBattle(ctx(t), r)
			refused(t, err, codes.InvalidArgument, invalid, field)
		})
	}
	red := func(targets []string, c *battlev1.BattleConfig) *battlev1.RequestBattleRequest {
		return &battlev1.RequestBattleRequest{InviterLiveId: "red", TargetLiveIds: targets, Config: c}
	}
	battle("G45", "a battle with itself", "target_live_ids", red([]string{"red"}, nil))
	battle("G66", "a battle of -1 s", "config.duration_seconds", red([]string{"blue"}, &battlev1.BattleConfig{DurationSeconds: -1}))
	battle("G66", "a battle of 3601 s", "config.duration_seconds", red([]string{"blue"}, &battlev1.BattleConfig{DurationSeconds: 3601}))
	battle("G66", "a battle of 2^31-1 s", "config.duration_seconds", red([]string{"blue"}, &battlev1.BattleConfig{DurationSeconds: 1<<31 - 1}))
	battle("G62", "unknown mode", "config.mode", red([]string{"blue"}, &battlev1.BattleConfig{Mode: 999}))
	battle("G69", "a battle with nobody", "target_live_ids", red(nil, nil))
	battle("G71", "a battle with one twice", "target_live_ids", red([]string{"blue", "blue"}, nil))
	add("G71", "one twice, by user and live", false, func(t *testing.T, s *scene) {
		r := red([]string{"blue"}, nil)
		r.TargetUserIds = []string{"ben"}
		_, err := s.battle.RequestBattle(ctx(t), r)
		refused(t, err, codes.InvalidArgument, invalid, "")
	})
	add("G79", "a battle with a live that is not there", true, func(t *testing.T, s *scene) {
		_, err := s.battle.RequestBattle(ctx(t), red([]string{"never-was"}, nil))
		refused(t, err, codes.FailedPrecondition, "IN_OTHER_BATTLE", "")
		_, err = s.battle.RequestBattle(ctx(t), &battlev1.RequestBattleRequest{InviterLiveId: "green", TargetLiveIds: []string{"red"}})
		refused(t, err, codes.NotFound, "CONNECTION_NOT_FOUND", "")
	})

	return append(all, stateRows()...)
}

// watched checks how a call of the gateway's WatchLive is refused.
func watched(t *testing.T, s *scene, r *gatewayv1.WatchLiveRequest, field string) {
	t.Helper()
	stream, err := gatewayv1.NewGatewayServiceClient(s.conn).WatchLive(ctx(t), r)
	if err == nil {
		_, err = stream.Recv()
	}
	refused(t, err, codes.InvalidArgument, "INVALID_ARGUMENT", field)
}

// stateRows come too early, too late or twice.
func stateRows() []row {
	return []row{
		{id: "G76", name: "too late for an invitation", writes: true, send: func(t *testing.T, s *scene) {
			s.open(t, "g76", "gus")
			s.invite(t, "green", "g76", 1)
			await(t, "the invitation has ended", func() error {
				r, err := s.cohost.GetCoHostState(ctx(t), &cohostv1.GetCoHostStateRequest{LiveId: "g76"})
				if err == nil && len(r.GetState().GetApplicants()) > 0 {
					err = errors.New("it is pending")
				}
				return err
			})
			_, err := s.cohost.AcceptHostConnection(ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: "g76", FromLiveId: "green"})
			refused(t, err, codes.FailedPrecondition, "INVITATION_ENDED", "")
		}},
		{id: "G76", name: "too late for a battle", writes: true, send: func(t *testing.T, s *scene) {
			a, b := s.pair(t)
			r := s.request(t, a, b, 1, &battlev1.BattleConfig{NeedResponse: true})
			s.awaitStatus(t, r.GetBattleId(), battlev1.Battle_ENDED)
			_, err := s.battle.AcceptBattle(ctx(t), &battlev1.AcceptBattleRequest{BattleId: r.GetBattleId(), LiveId: b})
			refused(t, err, codes.FailedPrecondition, "BATTLE_ENDED", "")
		}},
		{id: "G77", name: "no after yes", writes: true, send: func(t *testing.T, s *scene) {
			a, b := s.pair(t)
			_, err := s.cohost.RejectHostConnection(ctx(t), &cohostv1.RejectHostConnectionRequest{LiveId: b, FromLiveId: a})
			refused(t, err, codes.FailedPrecondition, "INVITATION_ENDED", "")
			r := s.request(t, a, b, 0, &battlev1.BattleConfig{NeedResponse: true, DurationSeconds: 3600})
			if _, err := s.battle.AcceptBattle(ctx(t), &battlev1.AcceptBattleRequest{BattleId: r.GetBattleId(), LiveId: b}); err != nil {
				t.Fatal(err)
			}
			_, err = s.battle.RejectBattle(ctx(t), &battlev1.RejectBattleRequest{BattleId: r.GetBattleId(), LiveId: b})
			refused(t, err, codes.FailedPrecondition, "BATTLE_ALREADY_RUNNING", "")
			s.awaitStatus(t, r.GetBattleId(), battlev1.Battle_RUNNING)
		}},
		{id: "G80", name: "a gift of value 0", send: badGift("gifts[0].unit_value", func(g *scorev1.GiftEvent) { g.UnitValue = 0 })},
		{id: "G81", name: "a gift of value -1", send: badGift("gifts[0].unit_value", func(g *scorev1.GiftEvent) { g.UnitValue = -1 })},
		{id: "G82", name: "a gift of value 2^63-1", send: badGift("gifts[0].unit_value", func(g *scorev1.GiftEvent) { g.UnitValue = 1<<63 - 1 })},
		{id: "G82", name: "a gift of value 10^12+1", send: badGift("gifts[0].unit_value", func(g *scorev1.GiftEvent) { g.UnitValue = 1e12 + 1 })},
		{name: "a million and one gifts", send: badGift("gifts[0].count", func(g *scorev1.GiftEvent) { g.Count = 1e6 + 1 })},
		{name: "a gift of unknown category", send: badGift("gifts[0].category", func(g *scorev1.GiftEvent) { g.Category = 999 })},
		{name: "a gift from nobody", send: badGift("gifts[0].sender.user_id", func(g *scorev1.GiftEvent) { g.Sender = nil })},
		{name: "a gift with a script for a picture", send: badGift("gifts[0].sender.avatar_url", func(g *scorev1.GiftEvent) { g.Sender.AvatarUrl = "javascript:x" })},
		{name: "a gift of no time", send: badGift("gifts[0].sent_at", func(g *scorev1.GiftEvent) { g.SentAt = nil })},
		{name: "a gift of the year 10000", send: badGift("gifts[0].sent_at", func(g *scorev1.GiftEvent) { g.SentAt = &timestamppb.Timestamp{Seconds: 253402300800} })},
		{name: "501 gifts", send: func(t *testing.T, s *scene) {
			gifts := make([]*scorev1.GiftEvent, 501)
			for i := range gifts {
				gifts[i] = gift("red")
			}
			_, err := s.score.SendGifts(ctx(t), &scorev1.SendGiftsRequest{Gifts: gifts})
			refused(t, err, codes.InvalidArgument, "INVALID_ARGUMENT", "gifts")
		}},
		{id: "G83", name: "more than the score can hold", writes: true, send: func(t *testing.T, s *scene) {
			a, b := s.pair(t)
			s.fight(t, a, b, 3600)
			huge := func() *scorev1.GiftEvent {
				g := gift(a)
				g.Category, g.UnitValue, g.FixedScore, g.Count = scorev1.GiftEvent_SPECIAL, 1, 1e12, 1e6
				return g
			}
			for range 9 {
				s.give(t, huge(), scorev1.GiftVerdict_COUNTED)
			}
			if v := s.give(t, huge(), scorev1.GiftVerdict_REJECTED); v.GetReason() != "OVERFLOW" {
				t.Errorf("%v", v)
			}
			one := gift(a)
			one.Category, one.FixedScore = scorev1.GiftEvent_SPECIAL, 1e12
			one.Count = math.MaxInt64/1_000_000_000_000 - 9_000_000 // up to the last that fits
			s.give(t, one, scorev1.GiftVerdict_COUNTED)
			r, err := s.score.GetGift(ctx(t), &scorev1.GetGiftRequest{LiveId: a, EventId: one.GetEventId()})
			if err != nil || r.GetVerdict().GetVerdict() != scorev1.GiftVerdict_COUNTED {
				t.Errorf("%v %v", r, err)
			}
		}},
		{id: "G85", name: "a gift twice", writes: true, send: func(t *testing.T, s *scene) {
			g := gift("red")
			first, again := s.give(t, g, scorev1.GiftVerdict_COUNTED), s.give(t, g, scorev1.GiftVerdict_COUNTED)
			if first.GetDuplicate() || !again.GetDuplicate() || again.GetPoints() != first.GetPoints() || !again.GetDecidedAt().AsTime().Equal(first.GetDecidedAt().AsTime()) {
				t.Errorf("first %v, then %v", first, again)
			}
		}},
		{id: "G86", name: "one event id for two gifts", writes: true, send: func(t *testing.T, s *scene) {
			g := gift("red")
			s.give(t, g, scorev1.GiftVerdict_COUNTED)
			g.UnitValue++
			if v := s.give(t, g, scorev1.GiftVerdict_DUPLICATE); v.GetReason() != "PAYLOAD_MISMATCH" || v.GetPoints() != 0 {
				t.Errorf("%v", v)
			}
		}},
		{id: "G87", name: "before the start and after the end", writes: true, send: func(t *testing.T, s *scene) {
			a, b := s.pair(t)
			s.give(t, gift(a), scorev1.GiftVerdict_NO_BATTLE)
			battle := s.fight(t, a, b, 1)
			s.awaitStatus(t, battle.GetBattleId(), battlev1.Battle_ENDED)
			s.give(t, gift(a), scorev1.GiftVerdict_LATE)
		}},
		{id: "G89", name: "a live that is in no battle", send: func(t *testing.T, s *scene) {
			s.give(t, gift("green"), scorev1.GiftVerdict_NO_BATTLE)
			s.give(t, gift("never-was"), scorev1.GiftVerdict_NO_BATTLE)
		}},
		{id: "G90", name: "unknown fields", send: func(t *testing.T, s *scene) {
			r := &cohostv1.GetLiveRequest{LiveId: "red"}
			r.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 15, protowire.BytesType), "hi"))
			if _, err := s.cohost.GetLive(ctx(t), r); err != nil {
				t.Error(err)
			}
		}},
	}
}

// badGift is a gift with one thing wrong.
func badGift(field string, spoil func(*scorev1.GiftEvent)) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		g := gift("red")
		spoil(g)
		_, err := s.score.SendGifts(ctx(t), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{g}})
		refused(t, err, codes.InvalidArgument, "INVALID_ARGUMENT", field)
		stream, err := s.score.StreamGifts(ctx(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&scorev1.StreamGiftsRequest{Gifts: []*scorev1.GiftEvent{g}}); err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		refused(t, err, codes.InvalidArgument, "INVALID_ARGUMENT", field)
	}
}
