package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
)

// frame is a message as it came, not decoded.
type frame struct{ data mem.Buffer }

// codec is gRPC's own for protobuf, but leaves what comes in to receive: gRPC would answer a message that does not decode
// with INTERNAL, before the door hears of the call.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(protocodec.Name)} }

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if f, ok := v.(*frame); ok {
		f.data = data.MaterializeToBuffer(mem.DefaultBufferPool())
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// transportError is an error of gRPC itself that has ended the call: the caller has its answer, or has gone.
type transportError struct{ error }

// receive reads and decodes the next message of a call. The error is io.EOF after the last one, a transportError, or a
// refusal.
func receive(next func(any) error, m any) error {
	message, ok := m.(proto.Message)
	if !ok {
		return next(m)
	}
	var f frame
	if err := next(&f); err != nil {
		if errors.Is(err, io.EOF) {
			return err
		}
		return transportError{err}
	}
	defer f.data.Free()
	if proto.Unmarshal(f.data.ReadOnlyData(), message) != nil {
		return es.Invalid("", "the message is not well-formed protobuf, or not of the call's type")
	}
	return nil
}

// RegisterService implements grpc.ServiceRegistrar. It panics if a method does not say who may call it (auth.AccessTo). A
// service without an implementation is a proxy: it passes calls on with their tokens to the server that has one, which checks.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, service any) {
	if service != nil {
		if err := s.door.learn(desc); err != nil {
			panic(err)
		}
	}
	through := *desc
	through.Methods = slices.Clone(desc.Methods)
	for i, m := range through.Methods {
		through.Methods[i].Handler = s.door.unary(m.Handler)
	}
	s.Server.RegisterService(&through, service)
}

// learn takes note of who may call the methods of a service.
func (d *door) learn(desc *grpc.ServiceDesc) error {
	var names []string
	for _, m := range desc.Methods {
		names = append(names, m.MethodName)
	}
	for _, m := range desc.Streams {
		names = append(names, m.StreamName)
	}
	for _, name := range names {
		method := "/" + desc.ServiceName + "/" + name
		if d.open[method] {
			continue
		}
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(desc.ServiceName + "." + name))
		if err != nil {
			return fmt.Errorf("%s is declared in no proto, which would say who may call it: %w", method, err)
		}
		if d.access[method], err = auth.AccessTo(found.(protoreflect.MethodDescriptor)); err != nil {
			return err
		}
	}
	return nil
}

// unary has the calls of a method pass the door. The call's time begins before its message has come.
func (d *door) unary(method grpc.MethodHandler) grpc.MethodHandler {
	return func(service any, ctx context.Context, next func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, CallTime)
			defer cancel()
		}
		var fault error
		return method(service, ctx, func(m any) error {
			fault = inTime(ctx, func() error { return receive(next, m) })
			return nil
		}, func(ctx context.Context, req any, call *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			return d.call(ctx, req, fault, call.FullMethod, handle)
		})
	}
}

// inTime waits for something that ends at the latest when the call does.
func inTime(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
