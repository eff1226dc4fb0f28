package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/telemetry"
)

// door is what every call passes, in this order: observe, answer, authenticate, admit, check the role, validate, check what
// the request is about.
type door struct {
	log     *slog.Logger
	metrics *telemetry.RPCMetrics
	keys    auth.Keys
	callers *callers
	open    map[string]bool // methods that need no token
	access  map[string]*auth.Access
	closing context.Context // ends when the server stops
}

// call answers a unary call whose message has been received, or not.
func (d *door) call(ctx context.Context, req any, received error, method string, handle grpc.UnaryHandler) (resp any, err error) {
	err = d.observe(ctx, method, func() error {
		return d.answer(ctx, method, func() error {
			ctx, permit, err := d.authenticate(ctx, method)
			if err != nil {
				return err
			}
			if received != nil {
				return received
			}
			if err := permit.check(req); err != nil {
				return err
			}
			resp, err = handle(ctx, req)
			return err
		})
	})
	return resp, err
}

func (d *door) stream(srv any, s grpc.ServerStream, call *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return d.observe(s.Context(), call.FullMethod, func() error {
		return d.answer(s.Context(), call.FullMethod, func() error {
			ctx, permit, err := d.authenticate(s.Context(), call.FullMethod)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(d.closing, cancel)()
			return handle(srv, &checkedStream{ServerStream: s, ctx: ctx, permit: permit})
		})
	})
}

// checkedStream has the caller's principal in its context and checks what it receives.
type checkedStream struct {
	grpc.ServerStream
	ctx    context.Context
	permit permit
}

func (s *checkedStream) Context() context.Context { return s.ctx }

func (s *checkedStream) RecvMsg(m any) error {
	if err := receive(s.ServerStream.RecvMsg, m); err != nil {
		return err
	}
	return s.permit.check(m)
}

// observe counts the call and the time it took.
func (d *door) observe(ctx context.Context, method string, call func() error) error {
	began := time.Now()
	err := call()
	took := time.Since(began)
	code := status.Code(err)
	if ctx.Err() == context.Canceled { // the caller went away
		code = codes.Canceled
	}
	d.metrics.Requests.WithLabelValues(method, code.String()).Inc()
	d.metrics.Seconds.WithLabelValues(method).Observe(took.Seconds())
	d.log.Debug("call", "method", method, "code", code.String(), "took", took)
	return err
}

// answer turns what comes of a call, an error or a panic, into a status. What is behind INTERNAL is logged, here only.
func (d *door) answer(ctx context.Context, method string, call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			d.log.ErrorContext(ctx, "panic in a call", "method", method, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = fromCode(codes.Internal)
		}
	}()
	fault := call()
	if t, ok := errors.AsType[transportError](fault); ok {
		return t.error
	}
	err = Status(fault)
	if status.Code(err) == codes.Internal && !answered(fault) {
		d.log.ErrorContext(ctx, "internal error in a call", "method", method, "error", fault)
	}
	return err
}

// answered reports whether the service that an error comes from has given, and logged, it as an answer of ours.
func answered(err error) bool {
	_, ok := Refusal(err)
	return ok
}

// authenticate puts the token's principal into the context, unless it calls too often or its role may not make the call.
// Nothing else in a call's metadata says who calls.
func (d *door) authenticate(ctx context.Context, method string) (context.Context, permit, error) {
	if d.open[method] {
		return ctx, permit{}, nil
	}
	values := metadata.ValueFromIncomingContext(ctx, authorization)
	if len(values) != 1 {
		return nil, permit{}, es.Refuse(errorsv1.Reason_UNAUTHENTICATED.String(), "the call needs one authorization, it has %d", len(values))
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, permit{}, es.Refuse(errorsv1.Reason_UNAUTHENTICATED.String(), "the authorization is not of the form Bearer <token>")
	}
	p, err := d.keys.Verify(token, time.Now())
	if err != nil {
		return nil, permit{}, err
	}
	if err := d.callers.admit(p, time.Now()); err != nil {
		return nil, permit{}, err
	}
	access := d.access[method]
	if access != nil {
		if err := access.CheckRole(p); err != nil {
			return nil, permit{}, err
		}
	}
	return auth.With(ctx, p), permit{access, p}, nil
}

// permit is what a caller may ask for in a call.
type permit struct {
	access *auth.Access // nil: anything, or it is checked by the server behind
	caller auth.Principal
}

// check lets a message of the call pass that is valid and about what the caller may ask for.
func (p permit) check(message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("message %T is not a protobuf", message)
	}
	if err := protovalidate.Validate(m); err != nil || p.access == nil {
		return err
	}
	return p.access.CheckRequest(p.caller, m)
}
