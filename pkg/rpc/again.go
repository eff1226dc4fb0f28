package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// asked is how often Again has a call made.
const asked = 4

// Again has calls of a method, which must mean the same when repeated, made again when a replica is UNAVAILABLE, or has not answered
// within patience: it may stand still, and its connection look well for seconds. A repeat goes to the next replica in turn, which under
// load can be the same one. The last one has what is left of the call's own time.
func Again(method string, patience time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, called string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		for tries := 1; called == method && tries < asked; tries++ {
			patient, cancel := context.WithTimeout(ctx, patience)
			err := invoke(patient, called, request, reply, cc, opts...)
			cancel()
			if code := status.Code(err); ctx.Err() != nil || code != codes.Unavailable && code != codes.DeadlineExceeded {
				return err
			}
		}
		return invoke(ctx, called, request, reply, cc, opts...)
	}
}
