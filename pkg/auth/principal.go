package auth

import (
	"context"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

// Role says what a principal may do.
type Role string

// Roles.
const (
	// Host acts for the live of its token.
	Host Role = "host"
	// Audience sees the live of its token.
	Audience Role = "audience"
	// Admin acts for every live, and over it.
	Admin Role = "admin"
	// Service is a backend, ours or the platform's: it acts for every live.
	Service Role = "service"
)

// EveryLive stands in Principal.Live for all lives; admin and service have it, host and audience never.
const EveryLive = "*"

// Principal is who makes a call.
type Principal struct {
	// Key is the API key that vouches for the principal.
	Key string
	// User is the principal's user_id.
	User string
	// Live is the live that the role holds in, or EveryLive.
	Live string
	Role Role
}

func (p Principal) check() error {
	if err := ids.User("sub", p.User); err != nil {
		return err
	}
	switch p.Role {
	case Host, Audience:
		return ids.Live("live.room", p.Live)
	case Admin, Service:
		if p.Live != EveryLive {
			return es.Invalid("live.room", "must be %q for the role %s", EveryLive, p.Role)
		}
		return nil
	}
	return es.Invalid("live.role", "must be host, audience, admin or service")
}

type contextKey struct{}

// With returns a context that carries p.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the principal that ctx carries.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(contextKey{}).(Principal)
	return p, ok
}

// ActFor lets the host of the live pass, and service and admin. The error is a *es.Refusal, PERMISSION_DENIED, or
// UNAUTHENTICATED when ctx carries no principal.
func ActFor(ctx context.Context, live string) error {
	return permit(ctx, "act for this live", func(p Principal) bool {
		return p.Role == Host && p.Live == live
	})
}

// See lets the host and the audience of the live pass, and service and admin. Errors as ActFor.
func See(ctx context.Context, live string) error {
	return permit(ctx, "see this live", func(p Principal) bool {
		return (p.Role == Host || p.Role == Audience) && p.Live == live
	})
}

// Serve lets service and admin pass. Errors as ActFor.
func Serve(ctx context.Context) error {
	return permit(ctx, "do this", func(Principal) bool { return false })
}

func permit(ctx context.Context, what string, member func(Principal) bool) error {
	p, ok := From(ctx)
	switch {
	case !ok:
		return unauthenticated("the call carries no token")
	case p.Role == Admin, p.Role == Service, member(p):
		return nil
	}
	return es.Refuse(errorsv1.Reason_PERMISSION_DENIED.String(), "the token's role %s may not %s", p.Role, what)
}

func unauthenticated(format string, args ...any) error {
	return es.Refuse(errorsv1.Reason_UNAUTHENTICATED.String(), format, args...)
}
