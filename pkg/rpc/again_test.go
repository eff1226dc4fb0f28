package rpc_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// TestAgain: of three replicas one stands still, and one is cut off. Each call that may be repeated is answered by the third, others
// are not repeated.
func TestAgain(t *testing.T) {
	t.Parallel()
	const patience = 100 * time.Millisecond
	var states []resolver.Address
	for _, replica := range []func(context.Context, *userv1.User) error{
		func(ctx context.Context, _ *userv1.User) error { <-ctx.Done(); return ctx.Err() },
		func(context.Context, *userv1.User) error { return status.Error(codes.Unavailable, "cut off") },
		func(context.Context, *userv1.User) error { return nil },
	} {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := rpc.NewServer(rpc.ServerOptions{Keys: keys})
		s.RegisterService(&desc, handler(replica))
		go func() { _ = s.Serve(lis) }()
		t.Cleanup(s.Stop)
		states = append(states, resolver.Address{Addr: lis.Addr().String()})
	}
	for name, row := range map[string]struct {
		again string
		all   bool
	}{
		"repeated":       {"/test.Echo/Echo", true},
		"another method": {"/test.Echo/Chat", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := manual.NewBuilderWithScheme("replicas")
			r.InitialState(resolver.State{Addresses: states})
			cc, err := rpc.Dial("replicas:///", rpc.DialOptions{}, grpc.WithResolvers(r), grpc.WithChainUnaryInterceptor(rpc.Again(row.again, patience)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cc.Close() })
			answered := 0
			for range 12 {
				ctx, cancel := context.WithTimeout(as(t), 10*patience)
				if ways["unary"](ctx, cc, "u") == nil {
					answered++
				}
				cancel()
			}
			if answered == 12 != row.all {
				t.Errorf("%d of 12 calls were answered", answered)
			}
		})
	}
}
