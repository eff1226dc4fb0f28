package sim

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
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
func (d *door) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	in := d.world.faults
	from := -1
	if d.caller != nil {
		if from = d.caller.slot; d.caller.dead() {
			return status.FromContextError(context.Canceled).Err()
		}
	}
	slot := d.slot()
	if r, ok := args.(*battlev1.LeaveBattleRequest); ok && r.GetReason() == battlev1.UserExitBattle_LOST {
		d.world.air.leaves(r.GetLiveId(), d.world.now())
	}
	if in.hits(callLost, from) {
		return unavailable(in.silence(ctx))
	}
	late, twice := in.hits(callLate, from), in.hits(callTwice, from)
	if late || twice {
		copied, into := proto.Clone(args.(proto.Message)), reply.(proto.Message).ProtoReflect().New().Interface()
		d.world.later(in.between(time.Millisecond, 5*time.Second), func() {
			stray, cancel := context.WithTimeout(context.WithoutCancel(ctx), strayTime)
			defer cancel()
			_ = d.world.call(stray, slot, method, copied, into) // nobody waits for it
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
	err := d.world.call(ctx, slot, method, args, reply)
	if in.hits(callAnswerLost, from) {
		return unavailable(in.silence(ctx))
	}
	return err
}

// slot of the replica that a call goes to.
func (d *door) slot() int {
	if d.only > 0 {
		return d.service*replicas + d.only - 1
	}
	return d.service*replicas + d.world.faults.draw(replicas)
}

func unavailable(err error) error { return status.Error(codes.Unavailable, err.Error()) }
