package ledger

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

// Begun is a Log whose beginning may be gone: it was exported and dropped.
type Begun interface {
	// Begin returns the sequence of the first group that there is or will be, and the link that it holds to the one before.
	Begin(ctx context.Context) (first uint64, previous [32]byte, err error)
}

// lastField is the number of Group's field `last`.
const lastField = 5

// Last reports whether a group ends its stream: the log goes on in another one, and what stands after it in the same stream
// is not part of the log. It reads no more of the group than it must.
func Last(group []byte) bool {
	last := false
	for len(group) > 0 {
		number, kind, n := protowire.ConsumeTag(group)
		if n < 0 {
			return false
		}
		group = group[n:]
		if number == lastField && kind == protowire.VarintType {
			v, n := protowire.ConsumeVarint(group)
			if n < 0 {
				return false
			}
			last, group = v != 0, group[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, group); n < 0 {
			return false
		}
		group = group[n:]
	}
	return last
}

// RequestContinue asks the replica that holds a log's lease to end the log's present stream with a last group, and returns
// that group's sequence. The log goes on in another stream. Errors: ErrUnavailable when the outcome is not known, or a
// *es.Refusal.
func RequestContinue(ctx context.Context, peers Peers, log, holder string) (last uint64, err error) {
	request, err := proto.Marshal(&ledgerv1.ForwardRequest{Continue: true})
	if err != nil {
		return 0, err
	}
	raw, err := peers.Forward(ctx, log, holder, request)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	reply := new(ledgerv1.ForwardReply)
	if err := proto.Unmarshal(raw, reply); err != nil {
		return 0, errors.Join(ErrUnavailable, err)
	}
	switch a := reply.GetAnswer().(type) {
	case *ledgerv1.ForwardReply_Accepted_:
		return a.Accepted.GetSeq(), nil
	case *ledgerv1.ForwardReply_Refused_:
		return 0, refusal(a.Refused)
	default:
		return 0, fmt.Errorf("%w: %s", ErrUnavailable, reply.GetUnavailable().GetDetail())
	}
}
