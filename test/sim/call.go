package sim

import (
	"context"
	"fmt"
	"runtime/debug"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// caller is whom services take a call to come from that does not say who it is, admin who ends, extends and voids battles of others.
var (
	caller = auth.Principal{Key: "sim", User: "sim", Live: auth.EveryLive, Role: auth.Service}
	admin  = auth.Principal{Key: caller.Key, User: caller.User, Live: auth.EveryLive, Role: auth.Admin}
)

// methods and streams are the gRPC methods of a replica, by their full names. They are called without a transport, which
// would take most of the time: messages are copied, deadlines, cancellation and metadata carried over, errors become statuses.
type (
	methods map[string]func(context.Context, proto.Message) (any, error)
	streams map[string]func(grpc.ServerStream) error
)

// RegisterService implements grpc.ServiceRegistrar.
func (r *replica) RegisterService(desc *grpc.ServiceDesc, impl any) {
	for _, d := range desc.Streams {
		r.streams["/"+desc.ServiceName+"/"+d.StreamName] = func(stream grpc.ServerStream) error { return d.Handler(impl, stream) }
	}
	for _, d := range desc.Methods {
		access, err := accessTo(desc.ServiceName + "." + d.MethodName)
		if err != nil {
			panic(err) // the services themselves would not start
		}
		r.methods["/"+desc.ServiceName+"/"+d.MethodName] = func(ctx context.Context, request proto.Message) (any, error) {
			who, _ := auth.From(ctx)
			if err := access.CheckRole(who); err != nil {
				return nil, err
			}
			decode := func(into any) error {
				proto.Merge(into.(proto.Message), request)
				return nil
			}
			return d.Handler(impl, ctx, decode, func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
				m := request.(proto.Message)
				if err := protovalidate.Validate(m); err != nil {
					return nil, err
				}
				if err := access.CheckRequest(who, m); err != nil {
					return nil, err
				}
				return handle(ctx, request)
			})
		}
	}
}

// accessTo is who may call a method, as the services' own door has it.
func accessTo(method string) (*auth.Access, error) {
	m, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(method))
	if err != nil {
		return nil, err
	}
	return auth.AccessTo(m.(protoreflect.MethodDescriptor))
}

type answer struct {
	reply proto.Message
	err   error
}

// call calls the replica that is in a slot now. If that ends or the caller gives up, the outcome is not known.
func (w *world) call(ctx context.Context, slot int, method string, args, into any) error {
	answered := make(chan answer, 1)
	request := proto.Clone(args.(proto.Message))
	w.mu.Lock()
	r := w.replicas[slot]
	if r != nil {
		r.calls.Go(func() { answered <- r.serve(ctx, method, request) })
	}
	w.mu.Unlock()
	if r == nil {
		return unavailable(errGone)
	}
	select {
	case a := <-answered:
		switch {
		case r.dead():
			return unavailable(errGone)
		case a.err != nil:
			return a.err
		}
		proto.Merge(into.(proto.Message), a.reply)
		return nil
	case <-r.ctx.Done():
		return unavailable(errGone)
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// serve handles a call in a context of the replica's own.
func (r *replica) serve(from context.Context, method string, request proto.Message) (a answer) {
	defer func() {
		if fault := recover(); fault != nil {
			r.world.found("panic in %s: %v\n%s", method, fault, debug.Stack())
			a = answer{err: status.Error(codes.Internal, "panic")}
		}
	}()
	handle, ok := r.methods[method]
	if !ok {
		return answer{err: status.Error(codes.Unimplemented, fmt.Sprintf("no method %s", method))}
	}
	who, named := auth.From(from)
	if !named {
		who = caller
	}
	ctx, cancel := context.WithCancel(auth.With(r.ctx, who))
	defer cancel()
	defer context.AfterFunc(from, cancel)()
	if deadline, ok := from.Deadline(); ok {
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	if out, ok := metadata.FromOutgoingContext(from); ok {
		ctx = metadata.NewIncomingContext(ctx, out.Copy())
	}
	r.await()
	reply, err := handle(ctx, request)
	r.await()
	if err != nil {
		return answer{err: rpc.Status(err)}
	}
	return answer{reply: reply.(proto.Message)}
}
