package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// forward has the replica that writes decide, and answers once this replica's own state has what the answer rests on.
func (l *Ledger[C, E]) forward(ctx context.Context, holder string, p *pending[C, E]) (Result[E], error) {
	body, err := l.cfg.Codec.EncodeCommand(p.body)
	if err != nil {
		return Result[E]{}, err
	}
	request, err := proto.Marshal(&ledgerv1.ForwardRequest{CommandId: p.id, PayloadHash: p.hash, NotAfterMs: p.notAfter.UnixMilli(), Command: body})
	if err != nil {
		return Result[E]{}, err
	}
	raw, err := l.cfg.Peers.Forward(ctx, l.cfg.Name, holder, request)
	if err != nil {
		return Result[E]{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	reply := new(ledgerv1.ForwardReply)
	if err := proto.Unmarshal(raw, reply); err != nil {
		return Result[E]{}, fmt.Errorf("%w: reply of %s: %w", ErrUnavailable, holder, err)
	}
	l.clock.observe(time.UnixMilli(reply.GetNowMs())) // so that the next command's time is the writer's
	switch a := reply.GetAnswer().(type) {
	case *ledgerv1.ForwardReply_Accepted_:
		result, err := readAccepted(a.Accepted, l.cfg.Codec.DecodeEvent)
		if err != nil {
			// Not wrapped: it was accepted, whatever the codec says of it here.
			return Result[E]{}, fmt.Errorf("%w: reply of %s: %s", ErrUnavailable, holder, err.Error())
		}
		if err := l.WaitApplied(ctx, result.Seq); err != nil {
			return Result[E]{}, errors.Join(ErrUnavailable, err)
		}
		return result, nil
	case *ledgerv1.ForwardReply_Refused_:
		if err := l.WaitApplied(ctx, a.Refused.GetSeq()); err != nil {
			return Result[E]{}, errors.Join(ErrUnavailable, err)
		}
		return Result[E]{Seq: a.Refused.GetSeq()}, refusal(a.Refused)
	case *ledgerv1.ForwardReply_Later_:
		return Result[E]{}, es.ErrLater
	default:
		return Result[E]{}, fmt.Errorf("%w: %s", ErrUnavailable, reply.GetUnavailable().GetDetail())
	}
}

func refusal(r *ledgerv1.ForwardReply_Refused) error {
	return &es.Refusal{
		Reason: r.GetReason(), Detail: r.GetDetail(), Field: r.GetField(), RetryAfter: time.Duration(r.GetRetryAfterMs()) * time.Millisecond,
	}
}

func readAccepted[E any](a *ledgerv1.ForwardReply_Accepted, decode func([]byte) (E, error)) (Result[E], error) {
	result := Result[E]{Seq: a.GetSeq()}
	for _, e := range a.GetEntries() {
		event, err := decode(e.GetEntry())
		if err != nil {
			return result, err
		}
		if len(e.GetChain()) != len(es.Place{}.Chain) {
			return result, fmt.Errorf("a chain of %d bytes", len(e.GetChain()))
		}
		place := es.Place{Seq: e.GetSeq(), Index: e.GetIndex(), At: time.UnixMilli(e.GetAtMs()).UTC()}
		copy(place.Chain[:], e.GetChain())
		result.Events = append(result.Events, Placed[E]{Place: place, Event: event})
	}
	return result, nil
}

// serveForwarded decides a command that another replica forwarded. It is not forwarded again.
func (l *Ledger[C, E]) serveForwarded(ctx context.Context, raw []byte) []byte {
	answer := l.decideForwarded(ctx, raw)
	answer.NowMs = l.clock.Now().UnixMilli()
	reply, err := proto.Marshal(answer)
	if err != nil {
		l.log.Error("reply to a forwarded command", "error", err)
	}
	return reply
}

func (l *Ledger[C, E]) decideForwarded(ctx context.Context, raw []byte) *ledgerv1.ForwardReply {
	request := new(ledgerv1.ForwardRequest)
	if err := proto.Unmarshal(raw, request); err != nil {
		return refused(0, es.Invalid("command", "%v", err))
	}
	p := &pending[C, E]{id: request.GetCommandId(), hash: request.GetPayloadHash(), notAfter: time.UnixMilli(request.GetNotAfterMs()).UTC(), last: request.GetContinue()}
	var err error
	if fault := guard(func() { p.body, err = l.cfg.Codec.DecodeCommand(request.GetCommand()) }); fault != nil {
		err = fault
	}
	if err != nil && !p.last {
		return refused(0, es.Invalid("command", "%v", err))
	}
	ctx, cancel := context.WithTimeout(ctx, maxNotAfter)
	defer cancel()
	out := l.decideHere(ctx, p.again())
	var refusal *es.Refusal
	switch {
	case out.err == nil:
		accepted, err := accepted(out.result, l.cfg.Codec.EncodeEvent)
		if err != nil {
			return unavailable(err)
		}
		return &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Accepted_{Accepted: accepted}}
	case errors.As(out.err, &refusal):
		return refused(out.result.Seq, refusal)
	case errors.Is(out.err, es.ErrLater):
		return &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Later_{Later: &ledgerv1.ForwardReply_Later{}}}
	default:
		return unavailable(out.err)
	}
}

func accepted[E any](r Result[E], encode func(E) ([]byte, error)) (*ledgerv1.ForwardReply_Accepted, error) {
	a := &ledgerv1.ForwardReply_Accepted{Seq: r.Seq}
	for _, e := range r.Events {
		b, err := encode(e.Event)
		if err != nil {
			return nil, err
		}
		a.Entries = append(a.Entries, &ledgerv1.ForwardReply_PlacedEntry{
			Seq: e.Seq, Index: e.Index, AtMs: e.At.UnixMilli(), Chain: e.Chain[:], Entry: b,
		})
	}
	return a, nil
}

func refused(seq uint64, r *es.Refusal) *ledgerv1.ForwardReply {
	return &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Refused_{
		Refused: &ledgerv1.ForwardReply_Refused{
			Reason: r.Reason, Detail: r.Detail, Field: r.Field, Seq: seq, RetryAfterMs: (r.RetryAfter + time.Millisecond - 1).Milliseconds(), // never too little
		},
	}}
}

func unavailable(err error) *ledgerv1.ForwardReply {
	return &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Unavailable_{
		Unavailable: &ledgerv1.ForwardReply_Unavailable{Detail: err.Error()},
	}}
}
