package es

import (
	"errors"
	"fmt"
	"time"
)

// Refusal is the answer 'no': a stable reason for programs, a sentence for people. It is certain: the command has not
// been carried out and will not be, unless it speaks of a moment: it is Passing, or the reason is one that mechanism gives
// of a moment (UNAVAILABLE, DEADLINE_EXCEEDED, RATE_LIMITED, INTERNAL).
type Refusal struct {
	// Reason is the name of a faceoff.errors.v1.Reason.
	Reason string
	// Detail is a sentence for people.
	Detail string
	// Field names the malformed field when the reason is INVALID_ARGUMENT.
	Field string
	// Passing: it speaks of a moment, so the log does not keep it, and the same command may be carried out later.
	Passing bool
	// RetryAfter is how long the same command will be refused, at least; 0 if that is not known.
	RetryAfter time.Duration
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Field != "" {
		return fmt.Sprintf("%s: %s: %s", r.Reason, r.Field, r.Detail)
	}
	return fmt.Sprintf("%s: %s", r.Reason, r.Detail)
}

// Is makes errors.Is compare refusals by their reason.
func (r *Refusal) Is(target error) bool {
	var t *Refusal
	return errors.As(target, &t) && t.Reason == r.Reason
}

// Refuse makes a Refusal.
func Refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// After sets RetryAfter and returns the refusal.
func (r *Refusal) After(wait time.Duration) *Refusal {
	r.RetryAfter = wait
	return r
}

// RefusePassing makes a passing Refusal.
func RefusePassing(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...), Passing: true}
}

// Invalid makes a Refusal of a malformed field.
func Invalid(field, format string, args ...any) *Refusal {
	return &Refusal{Reason: ReasonInvalidArgument, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// Reasons that mechanism gives by itself or treats in its own way; the rest belongs to the domains.
const (
	ReasonInternal         = "INTERNAL"
	ReasonInvalidArgument  = "INVALID_ARGUMENT"
	ReasonPayloadMismatch  = "PAYLOAD_MISMATCH"
	ReasonDeadlineExceeded = "DEADLINE_EXCEEDED"
	ReasonRateLimited      = "RATE_LIMITED"
	ReasonUnavailable      = "UNAVAILABLE"
)

// ErrLater is Decide's answer when the decision has to wait for something that another log will tell. It is no refusal:
// the caller submits the command again.
var ErrLater = errors.New("not to be decided yet")
