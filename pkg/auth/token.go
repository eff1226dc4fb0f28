// Package auth turns access tokens into principals and says what a principal may do.
//
// A token is a JWT signed with HMAC-SHA256: iss is the API key whose secret signs it, sub the user, live.room and
// live.role what it grants, exp its end, at most 24 hours away. Nothing else in a token has a meaning: which key and
// which method check it is decided here, never by the token's header.
package auth

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// maxLife bounds the time from a token's nbf or iat, or from now, to its exp.
	maxLife = 24 * time.Hour
	// leeway is how far the clocks of signer and server may differ.
	leeway = 60 * time.Second
	// audience is the only aud that a token may name; most name none.
	audience = "faceoff"
	// minSecret is the least length of a secret in bytes, that of the hash (RFC 7518, section 3.2).
	minSecret = 32
)

// Keys holds the secret of each API key. Several keys are for rotation.
type Keys map[string]string

type claims struct {
	jwt.RegisteredClaims
	Live *grant `json:"live"`
}

type grant struct {
	Room string `json:"room"`
	Role Role   `json:"role"`
}

// Sign makes a token for p that is valid from now on for ttl, at most 24 hours.
func Sign(key, secret string, p Principal, ttl time.Duration, now time.Time) (string, error) {
	switch {
	case key == "" || secret == "":
		return "", errors.New("a token needs an API key and its secret")
	case ttl < time.Second || ttl > maxLife:
		return "", fmt.Errorf("a token lives for 1 s to %v, not %v", maxLife, ttl)
	}
	if err := p.check(); err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    key,
			Subject:   p.User,
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Live: &grant{Room: p.Live, Role: p.Role},
	}).SignedString([]byte(secret))
}

// Verify returns the principal of a token that is valid now. The error is a *es.Refusal, UNAUTHENTICATED.
func (k Keys) Verify(token string, now time.Time) (Principal, error) {
	var c claims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithStrictDecoding(),
	).ParseWithClaims(token, &c, func(*jwt.Token) (any, error) {
		if secret := k[c.Issuer]; secret != "" {
			return []byte(secret), nil
		}
		return nil, errors.New("unknown API key")
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Principal{}, unauthenticated("the token has expired")
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return Principal{}, unauthenticated("the token is not valid yet")
	case err != nil:
		return Principal{}, unauthenticated("the token is malformed, lacks a claim, or is not signed with a known key")
	case c.livesTooLong(now):
		return Principal{}, unauthenticated("the token's life is longer than %v", maxLife)
	case len(c.Audience) > 0 && !slices.Contains(c.Audience, audience):
		return Principal{}, unauthenticated("the token is for another audience")
	case c.Live == nil:
		return Principal{}, unauthenticated("the token grants nothing: it has no claim live")
	}
	p := Principal{Key: c.Issuer, User: c.Subject, Live: c.Live.Room, Role: c.Live.Role}
	if err := p.check(); err != nil {
		return Principal{}, unauthenticated("the token's claims are malformed: %v", err)
	}
	return p, nil
}

func (c claims) livesTooLong(now time.Time) bool {
	end := c.ExpiresAt.Time
	for _, start := range []*jwt.NumericDate{c.NotBefore, c.IssuedAt} {
		if start != nil && end.Sub(start.Time) > maxLife {
			return true
		}
	}
	return end.Sub(now) > maxLife+leeway
}

// Validate checks keys that come from a configuration.
func (k Keys) Validate() error {
	var problems []error
	for key, secret := range k {
		switch {
		case key == "":
			problems = append(problems, errors.New("an API key is empty"))
		case len(secret) < minSecret:
			problems = append(problems, fmt.Errorf("the secret of API key %q has %d bytes, fewer than %d", key, len(secret), minSecret))
		}
	}
	return errors.Join(problems...)
}
