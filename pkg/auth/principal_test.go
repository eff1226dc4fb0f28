package auth_test

import (
	"context"
	"errors"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	carrying := func(p auth.Principal) context.Context { return auth.With(context.Background(), p) }
	for name, c := range map[string]struct {
		ctx             context.Context
		act, see, serve string
	}{
		"host of the live":    {carrying(auth.Principal{Live: "a", Role: auth.Host}), "", "", "PERMISSION_DENIED"},
		"host of another":     {carrying(auth.Principal{Live: "b", Role: auth.Host}), "PERMISSION_DENIED", "PERMISSION_DENIED", "PERMISSION_DENIED"},
		"audience":            {carrying(auth.Principal{Live: "a", Role: auth.Audience}), "PERMISSION_DENIED", "", "PERMISSION_DENIED"},
		"audience of another": {carrying(auth.Principal{Live: "b", Role: auth.Audience}), "PERMISSION_DENIED", "PERMISSION_DENIED", "PERMISSION_DENIED"},
		"admin":               {carrying(auth.Principal{Live: "*", Role: auth.Admin}), "", "", ""},
		"service":             {carrying(auth.Principal{Live: "*", Role: auth.Service}), "", "", ""},
		"no role":             {carrying(auth.Principal{Live: "a"}), "PERMISSION_DENIED", "PERMISSION_DENIED", "PERMISSION_DENIED"},
		"nobody":              {context.Background(), "UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, x := range map[string]struct {
				err  error
				want string
			}{
				"act":   {auth.ActFor(c.ctx, "a"), c.act},
				"see":   {auth.See(c.ctx, "a"), c.see},
				"serve": {auth.Serve(c.ctx), c.serve},
			} {
				if got := reason(x.err); got != x.want {
					t.Errorf("%s: got %q, want %q", what, got, x.want)
				}
			}
		})
	}
}

func reason(err error) string {
	var refusal *es.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
