package rpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

const (
	secret = "0123456789abcdef0123456789abcdef"
	echo   = "/test.Echo/Echo"
	chat   = "/test.Echo/Chat"
)

var keys = auth.Keys{"k": secret}

// handler is what the test service does with a call; the stream calls it for every message.
type handler func(ctx context.Context, u *userv1.User) error

var desc = grpc.ServiceDesc{
	ServiceName: "test.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(srv any, ctx context.Context, decode func(any) error, pass grpc.UnaryServerInterceptor) (any, error) {
		u := new(userv1.User)
		if err := decode(u); err != nil {
			return nil, err
		}
		return pass(ctx, u, &grpc.UnaryServerInfo{Server: srv, FullMethod: echo}, func(ctx context.Context, req any) (any, error) {
			return req, srv.(handler)(ctx, req.(*userv1.User))
		})
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Chat", ServerStreams: true, ClientStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
		for {
			u := new(userv1.User)
			if err := s.RecvMsg(u); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := srv.(handler)(s.Context(), u); err != nil {
				return err
			}
			if err := s.SendMsg(u); err != nil {
				return err
			}
		}
	}}},
}

// serve runs a server with h and returns a connection to it without a token.
func serve(t *testing.T, o rpc.ServerOptions, h handler) (*rpc.Server, *grpc.ClientConn) {
	t.Helper()
	o.Keys = keys
	s := rpc.NewServer(o)
	s.RegisterService(&desc, h)
	lis := bufconn.Listen(1 << 20)
	served := make(chan error)
	go func() { served <- s.Serve(lis) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return s, dial(t, lis, rpc.DialOptions{})
}

func dial(t *testing.T, lis *bufconn.Listener, o rpc.DialOptions) *grpc.ClientConn {
	t.Helper()
	cc, err := rpc.Dial("passthrough:///echo", o, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return lis.DialContext(ctx)
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

func token(t *testing.T, p auth.Principal) string {
	t.Helper()
	s, err := auth.Sign("k", secret, p, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// as is a context of a call by the host of live a, with more metadata.
func as(t *testing.T, more ...string) context.Context {
	t.Helper()
	host := auth.Principal{User: "u", Live: "a", Role: auth.Host}
	return metadata.AppendToOutgoingContext(t.Context(), append(more, "authorization", "Bearer "+token(t, host))...)
}

func call(ctx context.Context, cc *grpc.ClientConn, id string) error {
	return cc.Invoke(ctx, echo, &userv1.User{UserId: id}, new(userv1.User))
}

// say sends one message over a new stream and returns what comes back.
func say(ctx context.Context, cc *grpc.ClientConn, id string) error {
	s, err := cc.NewStream(ctx, &desc.Streams[0], chat)
	if err != nil {
		return err
	}
	if err := s.SendMsg(&userv1.User{UserId: id}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	return s.RecvMsg(new(userv1.User))
}

var ways = map[string]func(context.Context, *grpc.ClientConn, string) error{"unary": call, "stream": say}

func reasonOf(err error) string {
	if r, ok := rpc.Refusal(err); ok {
		return r.Reason
	}
	return status.Code(err).String()
}

func TestTokenBecomesThePrincipal(t *testing.T) {
	t.Parallel()
	var got auth.Principal
	_, cc := serve(t, rpc.ServerOptions{}, func(ctx context.Context, _ *userv1.User) error {
		got, _ = auth.From(ctx)
		return nil
	})
	for name, way := range ways {
		got = auth.Principal{}
		if err := way(as(t, "x-user-id", "v"), cc, "u"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := (auth.Principal{Key: "k", User: "u", Live: "a", Role: auth.Host}); got != want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestWithoutAGoodTokenNobodyPasses(t *testing.T) {
	t.Parallel()
	_, cc := serve(t, rpc.ServerOptions{Unauthenticated: []string{"/test.Echo/Other"}}, func(context.Context, *userv1.User) error {
		t.Error("handler called")
		return nil
	})
	good := token(t, auth.Principal{User: "u", Live: "*", Role: auth.Admin})
	for name, values := range map[string][]string{
		"none":     nil,
		"empty":    {""},
		"basic":    {"Basic dTpw"},
		"bare":     {good},
		"forged":   {"Bearer " + good + "x"},
		"two":      {"Bearer " + good, "Bearer " + good},
		"no token": {"Bearer "},
	} {
		for kind, way := range ways {
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": values})
			if err := way(ctx, cc, "u"); reasonOf(err) != "UNAUTHENTICATED" || status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

// A host that calls too often is refused, by call and by stream, before its message is looked at.
func TestCallersThatCallTooOftenAreRefused(t *testing.T) {
	t.Parallel()
	_, cc := serve(t, rpc.ServerOptions{PerCaller: rpc.CallerLimit{PerSecond: 1, Burst: 2}}, func(context.Context, *userv1.User) error { return nil })
	with := func(p auth.Principal) context.Context {
		return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token(t, p))
	}
	ann := with(auth.Principal{User: "ann", Live: "a", Role: auth.Host})
	ben := with(auth.Principal{User: "ben", Live: "a", Role: auth.Audience})
	for _, err := range []error{call(ann, cc, "ann"), say(ann, cc, "ann"), call(ben, cc, "ben")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{call(ann, cc, "/"), say(ann, cc, "ann")} {
		if status.Code(err) != codes.ResourceExhausted || reasonOf(err) != "RATE_LIMITED" {
			t.Errorf("one call too many: %v", err)
		}
	}
	if err := call(ben, cc, "ben"); err != nil {
		t.Error(err)
	}
}

func TestMessagesAreValidated(t *testing.T) {
	t.Parallel()
	_, cc := serve(t, rpc.ServerOptions{}, func(_ context.Context, u *userv1.User) error {
		if u.GetUserId() != "good" {
			t.Errorf("handler called with %q", u.GetUserId())
		}
		return nil
	})
	for kind, way := range ways {
		if err := way(as(t), cc, "good"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := way(as(t), cc, "a b"); reasonOf(err) != "INVALID_ARGUMENT" {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestHealthNeedsNoToken(t *testing.T) {
	t.Parallel()
	s, cc := serve(t, rpc.ServerOptions{}, nil)
	health := healthv1.NewHealthClient(cc)
	for _, serving := range []bool{true, false, true} {
		s.SetServing(serving)
		r, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{})
		if err != nil || (r.GetStatus() == healthv1.HealthCheckResponse_SERVING) != serving {
			t.Errorf("serving %v: %v %v", serving, r, err)
		}
	}
}

func TestNoReflection(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, rpc.ServerOptions{}, nil)
	if services := s.GetServiceInfo(); len(services) != 2 {
		t.Errorf("services: %v", services)
	}
}

// A panic and an unexpected error are told to the log, once, and to nobody else; the server lives on.
func TestFaultsAreMaskedAndLogged(t *testing.T) {
	t.Parallel()
	var out lines
	reg := prometheus.NewRegistry()
	_, cc := serve(t, rpc.ServerOptions{Log: slog.New(slog.NewTextHandler(&out, nil)), Metrics: reg}, func(_ context.Context, u *userv1.User) error {
		switch u.GetUserId() {
		case "panic":
			panic("hidden")
		case "fault":
			return errors.New("hidden")
		case "downstream":
			return rpc.Status(errors.New("logged there"))
		case "refused":
			return es.Refuse("BATTLE_ENDED", "over")
		}
		return nil
	})
	for kind, way := range ways {
		for id, c := range map[string]struct {
			want string
			logs int
		}{"panic": {"INTERNAL", 1}, "fault": {"INTERNAL", 1}, "downstream": {"INTERNAL", 0}, "refused": {"BATTLE_ENDED", 0}, "ok": {"OK", 0}} {
			out.reset()
			err := way(as(t), cc, id)
			if reasonOf(err) != c.want || strings.Contains(status.Convert(err).String(), "hidden") {
				t.Errorf("%s %s: %v", kind, id, err)
			}
			logged := out.String()
			if strings.Count(logged, "level=ERROR") != c.logs {
				t.Errorf("%s %s: logged %q", kind, id, logged)
			}
			if id == "panic" && !strings.Contains(logged, "rpc_test.go") {
				t.Errorf("%s: no stack in %q", kind, logged)
			}
		}
	}
	want := `# HELP faceoff_grpc_requests_total Calls answered.
# TYPE faceoff_grpc_requests_total counter
faceoff_grpc_requests_total{code="FailedPrecondition",method="/test.Echo/Chat"} 1
faceoff_grpc_requests_total{code="FailedPrecondition",method="/test.Echo/Echo"} 1
faceoff_grpc_requests_total{code="Internal",method="/test.Echo/Chat"} 3
faceoff_grpc_requests_total{code="Internal",method="/test.Echo/Echo"} 3
faceoff_grpc_requests_total{code="OK",method="/test.Echo/Chat"} 1
faceoff_grpc_requests_total{code="OK",method="/test.Echo/Echo"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "faceoff_grpc_requests_total"); err != nil {
		t.Error(err)
	}
}

// lines is a buffer that a handler and a test may use at once.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

func TestLargeMessagesAreRefused(t *testing.T) {
	t.Parallel()
	_, cc := serve(t, rpc.ServerOptions{}, func(context.Context, *userv1.User) error { return nil })
	for size, want := range map[int]codes.Code{512<<10 - 100: codes.InvalidArgument, 512 << 10: codes.ResourceExhausted} {
		if err := call(as(t), cc, strings.Repeat("u", size)); status.Code(err) != want {
			t.Errorf("%d bytes: %v", size, status.Code(err))
		}
	}
}

func TestCallsHaveADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cc := serve(t, rpc.ServerOptions{}, func(ctx context.Context, _ *userv1.User) error {
			<-ctx.Done()
			return ctx.Err()
		})
		began := time.Now()
		err := call(as(t), cc, "u")
		if took := time.Since(began); reasonOf(err) != "DEADLINE_EXCEEDED" || took != 30*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestStopEndsStreamsAndLetsCallsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rpc.NewServer(rpc.ServerOptions{Keys: keys})
		s.RegisterService(&desc, handler(func(ctx context.Context, u *userv1.User) error {
			if u.GetUserId() == "stream" {
				<-ctx.Done()
				return ctx.Err()
			}
			<-time.After(5 * time.Second)
			return nil
		}))
		lis := bufconn.Listen(1 << 20)
		cc := dial(t, lis, rpc.DialOptions{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- lifecycle.Run(ctx, slog.New(slog.DiscardHandler), time.Minute, s.Component(lis)) }()

		called, streamed := make(chan error, 1), make(chan error, 1)
		go func() { called <- call(as(t), cc, "call") }()
		go func() { streamed <- say(as(t), cc, "stream") }()
		synctest.Wait()
		began := time.Now()
		stop()
		if err := <-streamed; reasonOf(err) != "UNAVAILABLE" || time.Since(began) != 0 {
			t.Errorf("stream: %v after %v", err, time.Since(began))
		}
		if err := <-called; err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("call: %v after %v", err, time.Since(began))
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = cc.Close()
	})
}

func TestListenerThatFailsStopsTheProcess(t *testing.T) {
	t.Parallel()
	lis := bufconn.Listen(1)
	_ = lis.Close()
	s := rpc.NewServer(rpc.ServerOptions{Keys: keys})
	if err := lifecycle.Run(t.Context(), slog.New(slog.DiscardHandler), time.Minute, s.Component(lis)); err == nil {
		t.Error("no fault")
	}
}
