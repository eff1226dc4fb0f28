package sim

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// door is how somebody reaches a service: some replica of it, through a network that loses, delays and repeats calls.
type door struct {
	world   *world
	caller  *replica // nil: from outside
	service int
	// only is a replica, from 1; 0: any.
	only int
}

const strayTime = 8 * time.Second // what a copy may take that nobody waits for

// Invoke implements grpc.ClientConnInterface.
func (d *door) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	in := d.world.faults
	from := -1
	if d.caller != nil {
		if from = d.caller.slot; d.caller.dead() {
			return status.FromContextError(context.Canceled).Err()
		}
	}
	slot := d.service*replicas + in.draw(replicas)
	if d.only > 0 {
		slot = d.service*replicas + d.only - 1
	}
	conn := d.world.conns[slot]
	if in.hits(callLost, from) {
		return unavailable(in.silence(ctx))
	}
	late, twice := in.hits(callLate, from), in.hits(callTwice, from)
	if late || twice {
		out, _ := metadata.FromOutgoingContext(ctx)
		if key := out.Get("idempotency-key"); len(key) > 0 {
			d.world.stray("sim/" + key[0])
		}
		copied, into := proto.Clone(args.(proto.Message)), reply.(proto.Message).ProtoReflect().New().Interface()
		d.world.later(in.between(time.Millisecond, 5*time.Second), func() {
			stray, cancel := context.WithTimeout(context.WithoutCancel(ctx), strayTime)
			defer cancel()
			_ = conn.Invoke(stray, method, copied, into) // nobody waits for it
		})
		if late {
			return unavailable(in.silence(ctx))
		}
	}
	if in.hits(callSlow, from) {
		if err := wait(ctx, in.between(time.Millisecond, time.Second)); err != nil {
			return unavailable(err)
		}
	}
	if err := wait(ctx, in.between(20*time.Microsecond, time.Millisecond)); err != nil {
		return unavailable(err)
	}
	err := conn.Invoke(ctx, method, args, reply, opts...)
	if in.hits(callAnswerLost, from) {
		return unavailable(in.silence(ctx))
	}
	return err
}

// NewStream implements grpc.ClientConnInterface.
func (d *door) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return d.world.conns[d.service*replicas].NewStream(ctx, desc, method, opts...)
}

func unavailable(err error) error { return status.Error(codes.Unavailable, err.Error()) }
