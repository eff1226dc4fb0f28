package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	authv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/auth/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
)

// method is a call that takes a user; the user_id stands for the field that an option names.
func method(t testing.TB, access *authv1.Access) protoreflect.MethodDescriptor {
	t.Helper()
	user := new(userv1.User).ProtoReflect().Descriptor()
	name, options := proto.String("."+string(user.FullName())), new(descriptorpb.MethodOptions)
	if access != nil {
		proto.SetExtension(options, authv1.E_Access, access)
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("test/service.proto"), Package: proto.String("test"),
		Dependency: []string{user.ParentFile().Path()},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Call"), InputType: name, OutputType: name, Options: options},
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file.Services().Get(0).Methods().Get(0)
}

func live(field string) *authv1.Access_Live { return &authv1.Access_Live{Live: field} }

// An option that cannot be kept, or is missing, is told with where to write what.
func TestAccessThatCannotBe(t *testing.T) {
	t.Parallel()
	more := &authv1.Access{Role: authv1.Role_ADMIN}
	more.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	for why, option := range map[string]*authv1.Access{
		"there is no role 5":    {Role: 5},
		"there is no role -1":   {Role: -1},
		"more than is":          more,
		"nothing says who":      nil,
		"nothing says of which": {Role: authv1.Role_HOST},
		"no single field":       {Role: authv1.Role_HOST, Scope: live("live_id")},
		"has no field":          {Role: authv1.Role_HOST, Scope: live("user_id.x")},
		"battle: ":              {Role: authv1.Role_HOST, Scope: &authv1.Access_Battle{Battle: "battle_id"}},
		"own_user: ":            {Role: authv1.Role_HOST, Scope: live("user_id"), OwnUser: "host"},
		"live_optional":         {Role: authv1.Role_HOST, Scope: &authv1.Access_Any{Any: true}, LiveOptional: true},
		"a scope says nothing":  {Role: authv1.Role_SERVICE, Scope: live("user_id")},
	} {
		_, err := auth.AccessTo(method(t, option))
		if err == nil {
			t.Errorf("%s: accepted", why)
			continue
		}
		for _, part := range []string{why, "test.S.Call", "proto/test/service.proto", "option (faceoff.auth.v1.access) = {", "make proto"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", why, err, part)
			}
		}
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	act := &authv1.Access{Role: authv1.Role_HOST, Scope: live("user_id")}
	see := &authv1.Access{Role: authv1.Role_AUDIENCE, Scope: live("user_id")}
	optional := &authv1.Access{Role: authv1.Role_AUDIENCE, Scope: live("user_id"), LiveOptional: true}
	anyLive := &authv1.Access{Role: authv1.Role_AUDIENCE, Scope: &authv1.Access_Any{Any: true}}
	itself := &authv1.Access{Role: authv1.Role_HOST, Scope: live("user_id"), OwnUser: "user_name"}
	serve, over := &authv1.Access{Role: authv1.Role_SERVICE}, &authv1.Access{Role: authv1.Role_ADMIN}
	host := auth.Principal{User: "u", Live: "a", Role: auth.Host}
	audience := auth.Principal{User: "u", Live: "a", Role: auth.Audience}
	service, admin := auth.Principal{Live: "*", Role: auth.Service}, auth.Principal{Live: "*", Role: auth.Admin}
	for name, c := range map[string]struct {
		option     *authv1.Access
		p          auth.Principal
		live, user string
		passes     bool
	}{
		"host acts":                         {act, host, "a", "", true},
		"host acts for another":             {act, host, "b", "", false},
		"host acts for none":                {act, host, "", "", false},
		"audience acts":                     {act, audience, "a", "", false},
		"service acts":                      {act, service, "b", "", true},
		"admin acts for none":               {act, admin, "", "", true},
		"nobody acts":                       {act, auth.Principal{Live: "a"}, "a", "", false},
		"host sees":                         {see, host, "a", "", true},
		"audience sees":                     {see, audience, "a", "", true},
		"audience sees another":             {see, audience, "b", "", false},
		"audience sees all":                 {optional, audience, "", "", true},
		"audience sees another that it may": {optional, audience, "b", "", false},
		"audience of any":                   {anyLive, audience, "b", "", true},
		"no role of any":                    {anyLive, auth.Principal{Live: "a"}, "b", "", false},
		"host itself":                       {itself, host, "a", "u", true},
		"host for another user":             {itself, host, "a", "v", false},
		"service for another user":          {itself, service, "a", "v", true},
		"host serves":                       {serve, host, "a", "", false},
		"service serves":                    {serve, service, "a", "", true},
		"service over":                      {over, service, "a", "", false},
		"admin over":                        {over, admin, "a", "", true},
	} {
		access, err := auth.AccessTo(method(t, c.option))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err = access.CheckRole(c.p); err == nil {
			err = access.CheckRequest(c.p, &userv1.User{UserId: c.live, UserName: c.user})
		}
		if got := reason(err); (got == "") != c.passes || !c.passes && got != "PERMISSION_DENIED" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A door that is none of gRPC is held to the same ladder.
func TestAccessFor(t *testing.T) {
	t.Parallel()
	ladder := []auth.Role{auth.Audience, auth.Host, auth.Service, auth.Admin}
	for i, least := range ladder {
		for j, role := range append(ladder, "") {
			want := ""
			if j < i || role == "" {
				want = "PERMISSION_DENIED"
			}
			err := auth.AccessFor(least).CheckRole(auth.Principal{Role: role})
			if got := reason(err); got != want || err != nil && !strings.Contains(err.Error(), string(least)) {
				t.Errorf("%s where %s is the least: got %v, want %q", role, least, err, want)
			}
		}
	}
}

func TestInBattle(t *testing.T) {
	t.Parallel()
	has := func(live string) bool { return live == "a" }
	for name, c := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"host":       {auth.With(t.Context(), auth.Principal{Live: "a", Role: auth.Host}), ""},
		"audience":   {auth.With(t.Context(), auth.Principal{Live: "a", Role: auth.Audience}), ""},
		"of another": {auth.With(t.Context(), auth.Principal{Live: "b", Role: auth.Host}), "PERMISSION_DENIED"},
		"service":    {auth.With(t.Context(), auth.Principal{Live: "*", Role: auth.Service}), ""},
		"admin":      {auth.With(t.Context(), auth.Principal{Live: "*", Role: auth.Admin}), ""},
		"nobody":     {t.Context(), "UNAUTHENTICATED"},
	} {
		if got := reason(auth.InBattle(c.ctx, has)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func reason(err error) string {
	var refusal *es.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// BenchmarkAccess is what the checks add to a host's call.
func BenchmarkAccess(b *testing.B) {
	access, err := auth.AccessTo(method(b, &authv1.Access{Role: authv1.Role_HOST, Scope: live("user_id")}))
	if err != nil {
		b.Fatal(err)
	}
	p, request := auth.Principal{User: "u", Live: "a", Role: auth.Host}, &userv1.User{UserId: "a"}
	b.ReportAllocs()
	for b.Loop() {
		if access.CheckRole(p) != nil || access.CheckRequest(p, request) != nil {
			b.Fatal("refused")
		}
	}
}
