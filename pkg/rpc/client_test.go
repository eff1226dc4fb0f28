package rpc_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

func TestDialSignsAServiceToken(t *testing.T) {
	t.Parallel()
	s := rpc.NewServer(rpc.ServerOptions{Keys: keys})
	var got auth.Principal
	s.RegisterService(&desc, handler(func(ctx context.Context, _ *userv1.User) error {
		got, _ = auth.From(ctx)
		return nil
	}))
	lis := bufconn.Listen(1 << 20)
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(s.Stop)
	cc := dial(t, lis, rpc.DialOptions{Key: "k", Secret: secret, Service: "battle"})
	for kind, way := range ways {
		if err := way(t.Context(), cc, "u"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if want := (auth.Principal{Key: "k", User: "battle", Live: "*", Role: auth.Service}); got != want {
			t.Errorf("%s: got %+v", kind, got)
		}
		if err := way(as(t), cc, "u"); err != nil || got.User != "u" {
			t.Errorf("%s, forwarded: got %+v, %v", kind, got, err)
		}
	}
}

func TestDialRefusesWhatCannotSign(t *testing.T) {
	t.Parallel()
	for _, o := range []rpc.DialOptions{{Key: "k", Service: "battle"}, {Key: "k", Secret: secret}} {
		if _, err := rpc.Dial("x", o); err == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
}

func TestCommandID(t *testing.T) {
	t.Parallel()
	incoming := func(user string, values ...string) context.Context {
		ctx := auth.With(t.Context(), auth.Principal{User: user})
		return metadata.NewIncomingContext(ctx, metadata.MD{"idempotency-key": values})
	}
	id := func(ctx context.Context) string {
		t.Helper()
		s, err := rpc.CommandID(ctx)
		if err != nil || s == "" {
			t.Fatalf("%q, %v", s, err)
		}
		return s
	}
	if id(incoming("u", "x")) != id(incoming("u", "x")) {
		t.Error("a repeat has another id")
	}
	if id(incoming("u", "x")) == id(incoming("v", "x")) {
		t.Error("two users share an id")
	}
	if id(incoming("u")) == id(incoming("u")) || id(t.Context()) == id(t.Context()) {
		t.Error("two calls without a key share an id")
	}
	for _, values := range [][]string{{""}, {"a b"}, {strings.Repeat("x", 65)}, {"x", "x"}} {
		if _, err := rpc.CommandID(incoming("u", values...)); reasonOf(err) != "INVALID_ARGUMENT" {
			t.Errorf("%q: %v", values, err)
		}
	}
}

func TestForwarded(t *testing.T) {
	t.Parallel()
	in := metadata.MD{"authorization": {"Bearer t"}, "idempotency-key": {"x"}, "x-user-id": {"v"}}
	ctx := metadata.AppendToOutgoingContext(metadata.NewIncomingContext(t.Context(), in), "trace", "1")
	sent := func(ctx context.Context) string {
		md, _ := metadata.FromOutgoingContext(ctx)
		var parts []string
		for _, key := range []string{"authorization", "idempotency-key", "trace", "x-user-id"} {
			parts = append(parts, strings.Join(md.Get(key), "+"))
		}
		return strings.Join(parts, "|")
	}
	if got := sent(rpc.Forwarded(ctx)); got != "Bearer t|x|1|" {
		t.Errorf("got %s", got)
	}
	if got := sent(rpc.WithCommandID(rpc.Forwarded(ctx), "y")); got != "Bearer t|y|1|" {
		t.Errorf("got %s", got)
	}
	if got := sent(rpc.Forwarded(t.Context())); got != "|||" {
		t.Errorf("got %s", got)
	}
	if got := sent(ctx); got != "||1|" {
		t.Errorf("the given context has changed: %s", got)
	}
}
