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

func unauthenticated(format string, args ...any) error {
	return es.Refuse(errorsv1.Reason_UNAUTHENTICATED.String(), format, args...)
}
