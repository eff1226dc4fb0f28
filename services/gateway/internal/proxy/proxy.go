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
		full := fmt.Sprintf("/%s/%s", service.FullName(), m.Name())
		// On the wire a unary call is a stream of one message each way. It must be declared as one that streams both ways:
		// the server's interceptors see no other.
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName:    string(m.Name()),
			Handler:       func(_ any, in grpc.ServerStream) error { return pass(in, conn, full) },
			ServerStreams: true,
			ClientStreams: true,
		})
	}
	r.RegisterService(desc, nil)
}

// pass makes the call at the service and returns the status with which it ends there.
func pass(in grpc.ServerStream, conn grpc.ClientConnInterface, method string) error {
	ctx, cancel := context.WithCancel(rpc.Forwarded(in.Context()))
	defer cancel()
	out, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	go func() {
		if forth(in, out) != nil {
			cancel() // the caller has gone, or sent what is no message
		}
	}()
	return back(in, out)
}

// forth passes on what the caller sends until it has sent all. How the call ends is for back to tell.
func forth(in grpc.ServerStream, out grpc.ClientStream) error {
	for {
		var m message
		err := in.RecvMsg(&m)
		if errors.Is(err, io.EOF) {
			return out.CloseSend()
		}
		if err != nil {
			return err
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
