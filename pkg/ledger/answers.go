package ledger

import (
	"errors"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Bounds of a refusal's texts, in bytes; what is longer is cut off, before anybody is told.
const (
	maxDetailBytes = 512
	maxFieldBytes  = 128
)

// answer is what a command id got the first time.
type answer[E any] struct {
	hash    uint64
	result  Result[E]
	refusal *es.Refusal // nil if it was not refused
}

func (a answer[E]) outcome() outcome[E] {
	out := outcome[E]{result: a.result}
	if a.refusal != nil {
		out.err = a.refusal
	}
	return out
}

// withoutEvents is the answer to a command from which nothing follows, a refusal if err is one, at the place where it was
// decided. The log keeps it, so that a repeat and a copy that was delayed on its way get it too, whoever decides by then.
// The decision is nil when there is nothing to keep.
func withoutEvents[C, E any](p *pending[C, E], at es.Place, err error) (*ledgerv1.Decision, int, outcome[E]) {
	refusal, refused := errors.AsType[*es.Refusal](err)
	if err != nil && !refused || refused && (passing(refusal) || refusal.Reason == es.ReasonInvalidArgument) {
		return nil, 0, outcome[E]{err: err} // what is malformed is refused by whoever decides a copy
	}
	return keep(p, at, refusal)
}

// keep is the answer to a command from which nothing follows, as the log keeps it; refusal may be nil.
func keep[C, E any](p *pending[C, E], at es.Place, refusal *es.Refusal) (*ledgerv1.Decision, int, outcome[E]) {
	if p.id == "" {
		return nil, 0, answer[E]{refusal: refusal}.outcome()
	}
	d := &ledgerv1.Decision{CommandId: p.id, PayloadHash: p.hash, AtMs: at.At.UnixMilli()}
	if refusal != nil {
		d.Refusal = &ledgerv1.Decision_Refusal{Reason: refusal.Reason, Detail: cut(refusal.Detail, maxDetailBytes), Field: cut(refusal.Field, maxFieldBytes)}
	}
	a := answer[E]{result: Result[E]{Seq: at.Seq}, refusal: refusalOf(d.GetRefusal())}
	return d, proto.Size(d), a.outcome()
}

// passing reports whether a refusal says nothing of the command: it may be carried out when it is tried again, so nobody is
// told that it will not be.
func passing(r *es.Refusal) bool {
	if r.Passing {
		return true
	}
	switch r.Reason {
	case es.ReasonRateLimited, es.ReasonUnavailable, es.ReasonDeadlineExceeded, es.ReasonInternal:
		return true
	}
	return false
}

// refusalOf returns the refusal that a decision keeps, nil if there is none.
func refusalOf(r *ledgerv1.Decision_Refusal) *es.Refusal {
	if r == nil {
		return nil
	}
	return &es.Refusal{Reason: r.GetReason(), Detail: r.GetDetail(), Field: r.GetField()}
}

// cut makes s valid UTF-8 of at most n bytes.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
