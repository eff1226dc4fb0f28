package client

import (
	"context"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

const (
	attemptTime = 5 * time.Second
	firstPause  = 50 * time.Millisecond
	longPause   = 500 * time.Millisecond
)

// Repeat makes a call again and again, each time with the same ids as the call itself takes care, until its outcome is
// known or ctx ends. It tells how often it called.
func Repeat(ctx context.Context, call func(context.Context) error) (calls int, err error) {
	pause := firstPause
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTime)
		err = call(attempt)
		cancel()
		calls++
		if !Unknown(err) || ctx.Err() != nil {
			return calls, err
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return calls, err
		}
		pause = min(2*pause, longPause)
	}
}

// Unknown tells that the outcome of a call is not known, so that it has to be repeated with the same ids.
func Unknown(err error) bool {
	if err == nil {
		return false
	}
	if r, ok := rpc.Refusal(err); ok {
		return r.Reason == es.ReasonUnavailable || r.Reason == es.ReasonDeadlineExceeded
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	for _, lost := range []error{
		context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF,
		nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	_, transport := errors.AsType[*url.Error](err)
	return transport
}
