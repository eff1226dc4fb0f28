package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		es.Refuse(es.ReasonUnavailable, "x"), es.Refuse(es.ReasonDeadlineExceeded, "x"),
		rpc.Status(context.DeadlineExceeded), status.Error(codes.Unavailable, "x"), status.Error(codes.Canceled, "x"),
		&url.Error{Op: "Get", URL: "/", Err: errors.New("refused")}, nats.ErrNoResponders, fmt.Errorf("gift: %w", nats.ErrTimeout),
		problem(503, nil), problem(504, nil), problem(502, []byte("<html>")),
	} {
		if !Unknown(err) {
			t.Errorf("%v is taken for an answer", err)
		}
	}
	for _, err := range []error{
		nil, es.Refuse("LIVE_EXISTS", "x"), es.Refuse(es.ReasonInternal, "x"), rpc.Status(es.Refuse("LIVE_EXISTS", "x")),
		status.Error(codes.Unauthenticated, "x"), problem(404, []byte(`{"reason":"LIVE_NOT_FOUND","detail":"x"}`)), problem(500, nil),
	} {
		if Unknown(err) {
			t.Errorf("%v is not taken for an answer", err)
		}
	}
}

func TestRepeatGoesOnUntilTheOutcomeIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		calls, err := Repeat(t.Context(), func(context.Context) error {
			if n++; n < 4 {
				return es.Refuse(es.ReasonUnavailable, "x")
			}
			return nil
		})
		if err != nil || calls != 4 {
			t.Errorf("%d calls, %v", calls, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), attemptTime/2)
		defer cancel()
		calls, err = Repeat(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if calls != 1 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d calls, %v", calls, err)
		}
		calls, err = Repeat(t.Context(), func(context.Context) error { return es.Refuse("LIVE_EXISTS", "x") })
		if calls != 1 || !errors.Is(err, es.Refuse("LIVE_EXISTS", "")) {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}
