package rpc

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

// Metadata keys of a call.
const (
	authorization  = "authorization"
	idempotencyKey = "idempotency-key"
	session        = "faceoff-session"
)

const (
	tokenLife    = 5 * time.Minute
	tokenRenewal = tokenLife / 2
)

// reconnect is how soon a lost connection is tried again: a service that restarts is back in a second or two, and its
// callers wait.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
	MinConnectTimeout: 5 * time.Second,
}

// DialOptions of Dial.
type DialOptions struct {
	// Key and Secret, when set, sign a short-lived service token for each call that does not forward its caller's.
	Key, Secret string
	// Service is the user_id in that token.
	Service string
}

// Dial makes a connection to a service; it connects when the first call needs it. The calls are spread over all addresses
// of the target (dns:///name:port).
func Dial(target string, o DialOptions, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`),
		grpc.WithConnectParams(reconnect),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 3 * pingInterval, Timeout: pingInterval}),
	}
	if o.Key != "" {
		s := &signer{o: o}
		if _, err := s.token(time.Now()); err != nil {
			return nil, err
		}
		options = append(options, grpc.WithUnaryInterceptor(s.unary), grpc.WithStreamInterceptor(s.stream))
	}
	return grpc.NewClient(target, append(options, more...)...)
}

// signer gives calls a service token.
type signer struct {
	o DialOptions

	mu      sync.Mutex
	current string
	renewAt time.Time
}

func (s *signer) token(now time.Time) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.renewAt) {
		return s.current, nil
	}
	p := auth.Principal{User: s.o.Service, Live: auth.EveryLive, Role: auth.Service}
	token, err := auth.Sign(s.o.Key, s.o.Secret, p, tokenLife, now)
	if err != nil {
		return "", err
	}
	s.current, s.renewAt = token, now.Add(tokenRenewal)
	return token, nil
}

// sign adds a token unless the call already has one.
func (s *signer) sign(ctx context.Context) (context.Context, error) {
	if out, ok := metadata.FromOutgoingContext(ctx); ok && len(out.Get(authorization)) > 0 {
		return ctx, nil
	}
	token, err := s.token(time.Now())
	if err != nil {
		return nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, authorization, "Bearer "+token), nil
}

func (s *signer) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, err := s.sign(ctx)
	if err != nil {
		return err
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

func (s *signer) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := s.sign(ctx)
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, cc, method, opts...)
}

// CommandID returns the id of the command that an incoming call asks for: its idempotency-key within the keys of its
// user, or a new one if it has none. The error is a *es.Refusal, INVALID_ARGUMENT.
func CommandID(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, idempotencyKey)
	switch len(values) {
	case 0:
		return ids.New(), nil
	case 1:
		if err := ids.Command(idempotencyKey, values[0]); err != nil {
			return "", err
		}
		p, _ := auth.From(ctx)
		return p.User + "/" + values[0], nil
	}
	return "", es.Invalid(idempotencyKey, "must be given once, is given %d times", len(values))
}

// Session returns the session of a host that an incoming call is made in, empty if it does not say. The error is a
// *es.Refusal, INVALID_ARGUMENT.
func Session(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, session)
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], ids.Command(session, values[0])
	}
	return "", es.Invalid(session, "must be given once, is given %d times", len(values))
}

// WithCommandID returns a context for a call that carries id as its idempotency-key, in place of one forwarded.
func WithCommandID(ctx context.Context, id string) context.Context {
	return withOutgoing(ctx, map[string][]string{idempotencyKey: {id}})
}

// Forwarded returns a context for calls that forward the authorization, the idempotency-key and the session of the incoming call, so
// that the service behind decides by who really asks, and a repeat is a repeat there as well.
func Forwarded(ctx context.Context) context.Context {
	in, _ := metadata.FromIncomingContext(ctx)
	forward := make(map[string][]string)
	for _, key := range []string{authorization, idempotencyKey, session} {
		if values := in.Get(key); len(values) > 0 {
			forward[key] = values
		}
	}
	return withOutgoing(ctx, forward)
}

func withOutgoing(ctx context.Context, set map[string][]string) context.Context {
	out, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		out = metadata.MD{}
	}
	for key, values := range set {
		out.Set(key, values...)
	}
	return metadata.NewOutgoingContext(ctx, out)
}
