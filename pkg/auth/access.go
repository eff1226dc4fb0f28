package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	authv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/auth/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Access is who may make one call: its option faceoff.auth.v1.access, ready to be checked.
type Access struct {
	least authv1.Role
	live  path // the field that must name the caller's live; nil: none must
	empty bool // or may be empty
	user  path // the field that must name a host's own user; nil: none must
}

// rank is where a role stands among those that an option names.
func (r Role) rank() authv1.Role {
	switch r {
	case Audience:
		return authv1.Role_AUDIENCE
	case Host:
		return authv1.Role_HOST
	case Service:
		return authv1.Role_SERVICE
	case Admin:
		return authv1.Role_ADMIN
	}
	return authv1.Role_ROLE_UNSPECIFIED
}

// ofOneLive tells whether the role holds in one live only.
func (r Role) ofOneLive() bool { return r.rank() < authv1.Role_SERVICE }

// AccessTo reads the option of a method. The error says what to write where if it has none, or none that can be kept.
func AccessTo(m protoreflect.MethodDescriptor) (*Access, error) {
	option, _ := proto.GetExtension(m.Options(), authv1.E_Access).(*authv1.Access)
	fail := func(why string, args ...any) (*Access, error) {
		return nil, fmt.Errorf(`%s: %s; write into its rpc in proto/%s who may call it, such as
    option (faceoff.auth.v1.access) = {role: HOST live: "live_id"};
import "faceoff/auth/v1/access.proto", which says what else there is, and run make proto`,
			m.FullName(), fmt.Sprintf(why, args...), m.ParentFile().Path())
	}
	if option.GetRole() == authv1.Role_ROLE_UNSPECIFIED {
		return fail("nothing says who may make this call")
	}
	if _, known := authv1.Role_name[int32(option.GetRole())]; !known {
		return fail("there is no role %v", option.GetRole())
	}
	if unknown := option.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		return fail("the option says more than is understood here: %x", []byte(unknown))
	}
	a := &Access{least: option.GetRole(), empty: option.GetLiveOptional()}
	ofOneLive := a.least < authv1.Role_SERVICE
	switch scope := option.GetScope().(type) {
	case nil:
		if ofOneLive {
			return fail("nothing says of which live a host's or an audience's token must be")
		}
	case *authv1.Access_Battle:
		if _, err := pathTo(m.Input(), scope.Battle); err != nil {
			return fail("battle: %v", err)
		}
	case *authv1.Access_Live:
		var err error
		if a.live, err = pathTo(m.Input(), scope.Live); err != nil {
			return fail("live: %v", err)
		}
	}
	if option.GetScope() != nil && !ofOneLive {
		return fail("a scope says nothing about the role %v", a.least)
	}
	if a.empty && a.live == nil {
		return fail("live_optional says nothing without the field live")
	}
	if name := option.GetOwnUser(); name != "" {
		var err error
		if a.user, err = pathTo(m.Input(), name); err != nil {
			return fail("own_user: %v", err)
		}
	}
	return a, nil
}

// AccessFor is who may make a request that is no call of a gRPC service and about no live: the least role, and those after it.
func AccessFor(least Role) *Access { return &Access{least: least.rank()} }

// may says which roles may make the call.
func (a *Access) may() string {
	for _, r := range []Role{Audience, Host, Service} {
		if r.rank() == a.least {
			return fmt.Sprintf("%s and more may", r)
		}
	}
	return fmt.Sprintf("only %s may", Admin)
}

// CheckRole refuses callers whose role may not make the call, whatever it is about. The error is a *es.Refusal,
// PERMISSION_DENIED.
func (a *Access) CheckRole(p Principal) error {
	if p.Role.rank() < a.least {
		return denied("the token's role %s may not make this call; %s", p.Role, a.may())
	}
	return nil
}

// CheckRequest refuses callers that pass CheckRole a request that is not about the live that their token is of. Errors as
// CheckRole.
func (a *Access) CheckRequest(p Principal, request proto.Message) error {
	if !p.Role.ofOneLive() {
		return nil
	}
	if a.live != nil {
		switch live := a.live.in(request); {
		case live == p.Live, live == "" && a.empty:
		case live == "":
			return denied("the token's role %s is for one live, and %s names none", p.Role, a.live)
		default:
			return denied("the token's role %s is for another live than %s names", p.Role, a.live)
		}
	}
	if a.user != nil && p.Role == Host && a.user.in(request) != p.User {
		return denied("a host may do this for itself only: %s must be the token's user", a.user)
	}
	return nil
}

// InBattle is the check that only a service can make, of a call whose option names a battle: it lets those pass whose live
// the battle has, and service and admin. Errors as CheckRole, UNAUTHENTICATED when ctx carries no principal.
func InBattle(ctx context.Context, has func(live string) bool) error {
	p, ok := From(ctx)
	if !ok {
		return unauthenticated("the call carries no token")
	}
	if !p.Role.ofOneLive() || has(p.Live) {
		return nil
	}
	return denied("the token's role %s is for a live that is not in this battle", p.Role)
}

func denied(format string, args ...any) error {
	return es.Refuse(errorsv1.Reason_PERMISSION_DENIED.String(), format, args...)
}

// path leads to a text in a message: a field, or one of a message in it.
type path []protoreflect.FieldDescriptor

func pathTo(m protoreflect.MessageDescriptor, names string) (path, error) {
	var p path
	for name := range strings.SplitSeq(names, ".") {
		if m == nil {
			return nil, fmt.Errorf("%s is no message and has no field %s", p, name)
		}
		field := m.Fields().ByName(protoreflect.Name(name))
		if field == nil || field.Cardinality() == protoreflect.Repeated {
			return nil, fmt.Errorf("%s has no single field %q", m.FullName(), name)
		}
		p, m = append(p, field), field.Message()
	}
	if p[len(p)-1].Kind() != protoreflect.StringKind {
		return nil, errors.New(p.String() + " is no string")
	}
	return p, nil
}

// in returns the text that p leads to in a message, empty if it is not there.
func (p path) in(message proto.Message) string {
	m := message.ProtoReflect()
	last := len(p) - 1
	for _, field := range p[:last] {
		m = m.Get(field).Message()
	}
	return m.Get(p[last]).String()
}

// String names the field.
func (p path) String() string {
	names := make([]string, len(p))
	for i, field := range p {
		names[i] = string(field.Name())
	}
	return strings.Join(names, ".")
}
