package sim

import (
	"context"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// pipe is a stream of answers to one request, without a transport, like methods. It breaks when either side goes away.
type pipe struct {
	grpc.ClientStream // what is not implemented is not called

	ctx     context.Context
	door    *door
	method  string
	answers chan proto.Message
	ended   chan struct{}
	err     error // why, once ended is closed
}

// NewStream implements grpc.ClientConnInterface, for methods that stream answers.
func (d *door) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &pipe{ctx: ctx, door: d, method: method, answers: make(chan proto.Message), ended: make(chan struct{})}, nil
}

// SendMsg implements grpc.ClientStream: the request opens the stream.
func (p *pipe) SendMsg(request any) error {
	d, in := p.door, p.door.world.faults
	if in.hits(callLost, -1) {
		return unavailable(in.silence(p.ctx))
	}
	if err := wait(p.ctx, in.between(20*time.Microsecond, time.Millisecond)); err != nil {
		return unavailable(err)
	}
	r := d.world.replica(d.slot())
	if r == nil || !r.open(p, proto.Clone(request.(proto.Message))) {
		return unavailable(errGone)
	}
	return nil
}

// CloseSend implements grpc.ClientStream.
func (p *pipe) CloseSend() error { return nil }

// RecvMsg implements grpc.ClientStream.
func (p *pipe) RecvMsg(into any) error {
	select {
	case m := <-p.answers:
		if p.door.world.faults.hits(callAnswerLost, -1) {
			return unavailable(errSilence) // and nobody listens any more
		}
		proto.Merge(into.(proto.Message), m)
		return nil
	case <-p.ended:
		return p.err
	case <-p.ctx.Done():
		return status.FromContextError(p.ctx.Err()).Err()
	}
}

// open has a replica stream into a pipe until the caller goes away, unless it has ended.
func (r *replica) open(p *pipe, request proto.Message) bool {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	stream, ok := r.streams[p.method]
	if !ok || r.world.replicas[r.slot] != r {
		return false
	}
	r.calls.Go(func() {
		ctx, cancel := context.WithCancel(auth.With(r.ctx, caller))
		defer cancel()
		defer context.AfterFunc(p.ctx, cancel)()
		r.await()
		err := stream(&outlet{ctx: ctx, replica: r, pipe: p, request: request})
		switch {
		case r.dead():
			err = unavailable(errGone)
		case err == nil:
			err = io.EOF
		default:
			err = rpc.Status(err)
		}
		p.err = err
		close(p.ended)
	})
	return true
}

// outlet is a replica's end of a pipe.
type outlet struct {
	ctx     context.Context
	replica *replica
	pipe    *pipe
	request proto.Message
}

// Context implements grpc.ServerStream.
func (o *outlet) Context() context.Context { return o.ctx }

// RecvMsg implements grpc.ServerStream.
func (o *outlet) RecvMsg(into any) error {
	proto.Merge(into.(proto.Message), o.request)
	return nil
}

// SendMsg implements grpc.ServerStream.
func (o *outlet) SendMsg(m any) error {
	o.replica.await()
	if o.replica.dead() {
		return errGone
	}
	select {
	case o.pipe.answers <- proto.Clone(m.(proto.Message)):
		return nil
	case <-o.ctx.Done():
		return o.ctx.Err()
	}
}

// SetHeader, SendHeader and SetTrailer implement grpc.ServerStream.
func (o *outlet) SetHeader(metadata.MD) error  { return nil }
func (o *outlet) SendHeader(metadata.MD) error { return nil }
func (o *outlet) SetTrailer(metadata.MD)       {}
