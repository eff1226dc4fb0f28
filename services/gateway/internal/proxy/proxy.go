// Package proxy is the gRPC door: it passes the calls of public services on to where they are served, message by message
// and without looking into them. What is not public is not there.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// message stands for any message: to one without fields all that it holds is unknown, and that is kept byte for byte.
type message = emptypb.Empty

// Register offers all calls of a service that is served at conn. With a call go the caller's token and command id, its
// deadline and nothing else; the service decides what the token permits.
func Register(r grpc.ServiceRegistrar, service protoreflect.ServiceDescriptor, conn grpc.ClientConnInterface) {
	desc := &grpc.ServiceDesc{ServiceName: string(service.FullName()), Metadata: service.ParentFile().Path()}
	for i := range service.Methods().Len() {
		m := service.Methods().Get(i)
		c := call{conn: conn, method: fmt.Sprintf("/%s/%s", service.FullName(), m.Name()), one: !m.IsStreamingClient()}
		pass := c.stream
		if c.one && !m.IsStreamingServer() {
			pass = c.unary
		}
		// On the wire a unary call is a stream of one message each way. It must be declared as one that streams both ways:
		// the server's interceptors see no other.
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName:    string(m.Name()),
			Handler:       func(_ any, in grpc.ServerStream) error { return pass(in) },
			ServerStreams: true,
			ClientStreams: true,
		})
	}
	r.RegisterService(desc, nil)
}

// call is what the proxy has to know of a call.
type call struct {
	conn   grpc.ClientConnInterface
	method string
	one    bool // the caller sends one message
}

var (
	errNone = es.Invalid("", "the call has no message")
	errMore = es.Invalid("", "the call has more than one message")
)

// unary makes a call of one message each way.
func (c call) unary(in grpc.ServerStream) error {
	ctx := rpc.Forwarded(in.Context())
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rpc.CallTime)
		defer cancel()
	}
	var request, response message
	received := make(chan error, 1)
	go func() { received <- receive(in, &request) }()
	select {
	case err := <-received:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.conn.Invoke(ctx, c.method, &request, &response); err != nil {
		return err
	}
	return in.SendMsg(&response)
}

// receive takes the one message of a call.
func receive(in grpc.ServerStream, m *message) error {
	if err := in.RecvMsg(m); errors.Is(err, io.EOF) {
		return errNone
	} else if err != nil {
		return err
	}
	switch err := in.RecvMsg(new(message)); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errMore
}

// stream makes any other call, and returns the status with which it ends at the service.
func (c call) stream(in grpc.ServerStream) error {
	ctx, end := context.WithCancelCause(rpc.Forwarded(in.Context()))
	defer end(nil)
	out, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, c.method)
	if err != nil {
		return err
	}
	go func() {
		if err := c.forth(in, out); err != nil {
			end(callerError{err})
		}
	}()
	err = back(in, out)
	if why, ok := errors.AsType[callerError](context.Cause(ctx)); ok {
		return why.error
	}
	return err
}

// callerError is why the caller's side of a call has ended early: it has gone, or sent what makes no call.
type callerError struct{ error }

// forth passes on what the caller sends until it has sent all. How the call ends is for back to tell.
func (c call) forth(in grpc.ServerStream, out grpc.ClientStream) error {
	for n := 0; ; n++ {
		var m message
		err := in.RecvMsg(&m)
		switch {
		case errors.Is(err, io.EOF) && c.one && n == 0:
			return errNone
		case errors.Is(err, io.EOF):
			return out.CloseSend()
		case err != nil:
			return err
		case c.one && n > 0:
			return errMore
		}
		switch err := out.SendMsg(&m); {
		case errors.Is(err, io.EOF):
			return nil // the call has ended
		case err != nil:
			return err
		}
	}
}

// back passes on what the service sends.
func back(in grpc.ServerStream, out grpc.ClientStream) error {
	for {
		var m message
		err := out.RecvMsg(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := in.SendMsg(&m); err != nil {
			return err
		}
	}
}
