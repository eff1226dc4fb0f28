package bench

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// echoService is the name that the echo goes by.
const echoService = "faceoff.bench.Echo"

// echo is a bare gRPC server on loopback that answers each verb with as many bytes as Faceoff did, and a connection to it.
type echo struct {
	server *grpc.Server
	conn   *grpc.ClientConn
	sizes  map[string]size
}

func startEcho(sizes map[string]size) (*echo, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &echo{server: grpc.NewServer(), sizes: sizes}
	desc := grpc.ServiceDesc{ServiceName: echoService}
	for verb, s := range sizes {
		answer := bytesOf(s.response)
		desc.Methods = append(desc.Methods, grpc.MethodDesc{
			MethodName: verb,
			Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				return answer, decode(new(wrapperspb.BytesValue))
			},
		})
	}
	e.server.RegisterService(&desc, nil)
	go func() { _ = e.server.Serve(lis) }()
	if e.conn, err = grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		e.server.Stop()
		return nil, err
	}
	return e, nil
}

// bytesOf is a message of n bytes, or one or two more or less.
func bytesOf(n int) *wrapperspb.BytesValue { return wrapperspb.Bytes(make([]byte, max(n-3, 0))) }

// run calls the verbs in turn until ctx ends.
func (e *echo) run(ctx context.Context, callers int, token string, t *tally) error {
	return together(callers, func(int) error {
		for ctx.Err() == nil {
			for _, verb := range []string{request, accept, exit} {
				method := func(ctx context.Context, in *wrapperspb.BytesValue, _ ...grpc.CallOption) (*wrapperspb.BytesValue, error) {
					out := new(wrapperspb.BytesValue)
					return out, e.conn.Invoke(ctx, "/"+echoService+"/"+verb, in, out)
				}
				if _, err := timed(context.WithoutCancel(ctx), token, verb, method, bytesOf(e.sizes[verb].request), t.done); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (e *echo) stop() {
	_ = e.conn.Close()
	e.server.Stop()
}
