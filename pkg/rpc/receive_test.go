package rpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// raw is a message of any bytes.
func raw(b string) *emptypb.Empty {
	m := new(emptypb.Empty)
	m.ProtoReflect().SetUnknown([]byte(b))
	return m
}

// What does not decode is refused like any other malformed call, after the token was checked, and is no fault of ours.
func TestMalformedMessagesAreRefused(t *testing.T) {
	t.Parallel()
	var out lines
	_, cc := serve(t, rpc.ServerOptions{Log: slog.New(slog.NewTextHandler(&out, nil))}, func(context.Context, *userv1.User) error {
		t.Error("handler called")
		return nil
	})
	send := map[string]func(context.Context, string) error{
		"unary": func(ctx context.Context, b string) error { return cc.Invoke(ctx, echo, raw(b), new(userv1.User)) },
		"stream": func(ctx context.Context, b string) error {
			s, err := cc.NewStream(ctx, &desc.Streams[0], chat)
			if err != nil {
				return err
			}
			if err := s.SendMsg(raw(b)); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			return s.RecvMsg(new(userv1.User))
		},
	}
	for kind, way := range send {
		for name, b := range map[string]string{"varint": "\x0a\xff", "field 0": "\x02\x00", "UTF-8": "\x0a\x01\xff", "wire type": "\x0f"} {
			err := way(as(t), b)
			if r, ok := rpc.Refusal(err); status.Code(err) != codes.InvalidArgument || !ok || r.Reason != "INVALID_ARGUMENT" {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
			if err := way(t.Context(), b); status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s, %s, without a token: %v", kind, name, err)
			}
		}
	}
	if logged := out.String(); strings.Contains(logged, "ERROR") {
		t.Errorf("logged %q", logged)
	}
}

// What gRPC itself refuses is told to nobody but the caller.
func TestTransportErrorsAreNotLogged(t *testing.T) {
	t.Parallel()
	var out lines
	_, cc := serve(t, rpc.ServerOptions{Log: slog.New(slog.NewTextHandler(&out, nil))}, func(context.Context, *userv1.User) error { return nil })
	two, err := cc.NewStream(as(t), &grpc.StreamDesc{ClientStreams: true}, echo)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := two.SendMsg(&userv1.User{UserId: "u"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := two.RecvMsg(new(userv1.User)); status.Code(err) != codes.Internal {
		t.Errorf("two messages: %v", err)
	}
	if err := say(as(t), cc, strings.Repeat("u", 512<<10)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("large message: %v", err)
	}
	if logged := out.String(); strings.Contains(logged, "ERROR") {
		t.Errorf("logged %q", logged)
	}
}

func TestCallsWithoutTheirMessageEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cc := serve(t, rpc.ServerOptions{}, func(context.Context, *userv1.User) error { return nil })
		call, err := cc.NewStream(as(t), &grpc.StreamDesc{ClientStreams: true}, echo)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err = call.RecvMsg(new(userv1.User))
		if took := time.Since(began); reasonOf(err) != "DEADLINE_EXCEEDED" || took != rpc.CallTime {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// A client that has vanished without a word does not hold its connection for ever.
func TestVanishedClientsAreLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rpc.NewServer(rpc.ServerOptions{Keys: keys})
		lis := bufconn.Listen(1 << 20)
		served := make(chan error)
		go func() { served <- s.Serve(lis) }()
		conn, err := lis.DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		framer := http2.NewFramer(conn, conn)
		if _, err = io.WriteString(conn, http2.ClientPreface); err == nil {
			err = framer.WriteSettings()
		}
		began := time.Now()
		for err == nil { // no ping is answered
			_, err = framer.ReadFrame()
		}
		if took := time.Since(began); took < time.Minute || took > 2*time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		_ = conn.Close()
		s.Stop()
		<-served
	})
}
