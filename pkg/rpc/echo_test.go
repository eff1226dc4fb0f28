package rpc_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	authv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/auth/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// The test service's proto, with who may call what.
func init() {
	everybody := &authv1.Access{Role: authv1.Role_AUDIENCE, Scope: &authv1.Access_Any{Any: true}}
	declare("test.Echo", map[string]*authv1.Access{"Echo": everybody, "Chat": everybody})
	declare("test.Open", map[string]*authv1.Access{"Echo": nil})
	host := &authv1.Access{Role: authv1.Role_HOST, Scope: &authv1.Access_Live{Live: "user_id"}}
	declare("test.Host", map[string]*authv1.Access{"Echo": host, "Chat": host})
}

// declare makes the proto of a service whose methods take a user and return one, with their access.
func declare(service string, methods map[string]*authv1.Access) {
	user := new(userv1.User).ProtoReflect().Descriptor()
	s := &descriptorpb.ServiceDescriptorProto{Name: proto.String(service[len("test."):])}
	for name, access := range methods {
		options := new(descriptorpb.MethodOptions)
		if access != nil {
			proto.SetExtension(options, authv1.E_Access, access)
		}
		s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(name), InputType: proto.String("." + string(user.FullName())), OutputType: proto.String("." + string(user.FullName())),
			Options: options,
		})
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String(service + ".proto"), Package: proto.String("test"),
		Dependency: []string{user.ParentFile().Path()}, Service: []*descriptorpb.ServiceDescriptorProto{s},
	}, protoregistry.GlobalFiles)
	if err == nil {
		err = protoregistry.GlobalFiles.RegisterFile(file)
	}
	if err != nil {
		panic(err)
	}
}

// A service with a call that does not say who may make it, or that no proto declares, is not served.
func TestCallsThatSayNotWhoMayAreNotServed(t *testing.T) {
	t.Parallel()
	for service, says := range map[string]string{"test.Open": "option (faceoff.auth.v1.access) =", "test.Unknown": "declared in no proto"} {
		func() {
			defer func() {
				if fault := fmt.Sprint(recover()); !strings.Contains(fault, says) {
					t.Errorf("%s: %s", service, fault)
				}
			}()
			other := desc
			other.ServiceName, other.Streams = service, nil
			rpc.NewServer(rpc.ServerOptions{Keys: keys}).RegisterService(&other, handler(nil))
		}()
	}
}

// What a call says holds for each of its messages, before its handler sees it.
func TestWhoMayIsCheckedBeforeTheHandler(t *testing.T) {
	t.Parallel()
	s := rpc.NewServer(rpc.ServerOptions{Keys: keys})
	var seen atomic.Int32
	host := desc
	host.ServiceName, host.Methods = "test.Host", nil // unary calls are tried with the real services
	s.RegisterService(&host, handler(func(context.Context, *userv1.User) error {
		seen.Add(1)
		return nil
	}))
	lis := bufconn.Listen(1 << 20)
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(s.Stop)
	stream, err := dial(t, lis, rpc.DialOptions{}).NewStream(as(t), &desc.Streams[0], "/test.Host/Chat")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ live, reason string }{{"a", "OK"}, {"a", "OK"}, {"b", "PERMISSION_DENIED"}} {
		if err := stream.SendMsg(&userv1.User{UserId: step.live}); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(new(userv1.User)); reasonOf(err) != step.reason {
			t.Errorf("%s: got %v", step.live, err)
		}
	}
	if n := seen.Load(); n != 2 {
		t.Errorf("the handler has seen %d messages", n)
	}
}
