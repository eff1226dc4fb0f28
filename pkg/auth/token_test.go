package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
)

const secret = "0123456789abcdef0123456789abcdef"

var (
	now  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	keys = auth.Keys{"k": secret, "next": strings.Repeat("n", 32), "unset": ""}
	host = auth.Principal{Key: "k", User: "u", Live: "a", Role: auth.Host}
)

// claims of a good token, with changes; nil takes a claim away.
func claims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": "k", "sub": "u", "exp": now.Add(time.Hour).Unix(), "nbf": now.Unix(),
		"live": map[string]any{"room": "a", "role": "host"},
	}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func signed(t *testing.T, method jwt.SigningMethod, key any, header map[string]any, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	maps.Copy(token.Header, header)
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func with(t *testing.T, change jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.SigningMethodHS256, []byte(secret), nil, claims(change))
}

func grant(room, role string) jwt.MapClaims {
	return jwt.MapClaims{"live": map[string]any{"room": room, "role": role}}
}

// unsigned is a token whose header names a method that needs no key.
func unsigned(t *testing.T, alg string) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]any{"alg": alg, "typ": "JWT"}) + "." + part(claims(nil)) + "."
}

func TestVerify(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	good := with(t, nil)
	head, tail, _ := strings.Cut(good, ".")
	for name, c := range map[string]struct {
		token string
		want  *auth.Principal // nil: refused
	}{
		"good":                           {good, &host},
		"without nbf":                    {with(t, jwt.MapClaims{"nbf": nil}), &host},
		"24 h":                           {with(t, jwt.MapClaims{"exp": at(24 * time.Hour)}), &host},
		"expired within the leeway":      {with(t, jwt.MapClaims{"nbf": at(-time.Hour), "exp": at(-59 * time.Second)}), &host},
		"nbf ahead within the leeway":    {with(t, jwt.MapClaims{"nbf": at(59 * time.Second)}), &host},
		"our audience":                   {with(t, jwt.MapClaims{"aud": []string{"x", "faceoff"}}), &host},
		"kid is not looked at":           {signed(t, jwt.SigningMethodHS256, []byte(secret), map[string]any{"kid": "../../dev/null"}, claims(nil)), &host},
		"another claim means nothing":    {with(t, jwt.MapClaims{"role": "admin", "user_id": "v", "admin": true}), &host},
		"audience of a live":             {with(t, grant("a", "audience")), &auth.Principal{Key: "k", User: "u", Live: "a", Role: auth.Audience}},
		"admin":                          {with(t, grant("*", "admin")), &auth.Principal{Key: "k", User: "u", Live: "*", Role: auth.Admin}},
		"service":                        {with(t, grant("*", "service")), &auth.Principal{Key: "k", User: "u", Live: "*", Role: auth.Service}},
		"empty":                          {"", nil},
		"two parts":                      {head + "." + strings.Split(tail, ".")[0], nil},
		"five parts (JWE)":               {good + ".x.y", nil},
		"not base64":                     {good + "!", nil},
		"100 KiB":                        {strings.Repeat("x", 100<<10), nil},
		"alg none":                       {unsigned(t, "none"), nil},
		"alg None":                       {unsigned(t, "None"), nil},
		"alg nOnE":                       {unsigned(t, "nOnE"), nil},
		"alg HS256, no signature":        {unsigned(t, "HS256"), nil},
		"HS384":                          {signed(t, jwt.SigningMethodHS384, []byte(secret), nil, claims(nil)), nil},
		"HS512":                          {signed(t, jwt.SigningMethodHS512, []byte(secret), nil, claims(nil)), nil},
		"RS256":                          {signed(t, jwt.SigningMethodRS256, private, nil, claims(nil)), nil},
		"another secret":                 {signed(t, jwt.SigningMethodHS256, []byte("x"), nil, claims(nil)), nil},
		"another key's secret":           {with(t, jwt.MapClaims{"iss": "next"}), nil},
		"unknown key":                    {with(t, jwt.MapClaims{"iss": "x"}), nil},
		"no key":                         {with(t, jwt.MapClaims{"iss": nil}), nil},
		"kid instead of iss":             {signed(t, jwt.SigningMethodHS256, []byte(secret), map[string]any{"kid": "k"}, claims(jwt.MapClaims{"iss": nil})), nil},
		"key without a secret":           {signed(t, jwt.SigningMethodHS256, []byte{}, nil, claims(jwt.MapClaims{"iss": "unset"})), nil},
		"changed claims":                 {head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"k","sub":"v"}`)) + "." + strings.Split(tail, ".")[1], nil},
		"expired":                        {with(t, jwt.MapClaims{"nbf": at(-time.Hour), "exp": at(-61 * time.Second)}), nil},
		"no exp":                         {with(t, jwt.MapClaims{"exp": nil}), nil},
		"exp is text":                    {with(t, jwt.MapClaims{"exp": "tomorrow"}), nil},
		"exp in the year 9999":           {with(t, jwt.MapClaims{"exp": time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).Unix()}), nil},
		"exp in 25 h":                    {with(t, jwt.MapClaims{"nbf": nil, "exp": at(25 * time.Hour)}), nil},
		"life over 24 h from nbf":        {with(t, jwt.MapClaims{"nbf": at(-24 * time.Hour)}), nil},
		"life over 24 h from iat":        {with(t, jwt.MapClaims{"nbf": nil, "iat": at(-24 * time.Hour)}), nil},
		"nbf in the future":              {with(t, jwt.MapClaims{"nbf": at(61 * time.Second)}), nil},
		"another audience":               {with(t, jwt.MapClaims{"aud": "x"}), nil},
		"no grant":                       {with(t, jwt.MapClaims{"live": nil}), nil},
		"grant is text":                  {with(t, jwt.MapClaims{"live": "a"}), nil},
		"no room":                        {with(t, grant("", "host")), nil},
		"room that is a subject":         {with(t, grant("a.b", "host")), nil},
		"host of every live":             {with(t, grant("*", "host")), nil},
		"audience of every live":         {with(t, grant("*", "audience")), nil},
		"admin of one live":              {with(t, grant("a", "admin")), nil},
		"no role":                        {with(t, grant("a", "")), nil},
		"unknown role":                   {with(t, grant("a", "root")), nil},
		"no user":                        {with(t, jwt.MapClaims{"sub": nil}), nil},
		"user with a space":              {with(t, jwt.MapClaims{"sub": "u v"}), nil},
		"user with an invisible letter":  {with(t, jwt.MapClaims{"sub": "u\u200b"}), nil},
		"user that is longer than 64":    {with(t, jwt.MapClaims{"sub": strings.Repeat("u", 65)}), nil},
		"bytes after the last signature": {good + "=", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := keys.Verify(c.token, now)
			if c.want == nil {
				var refusal *es.Refusal
				if !errors.As(err, &refusal) || refusal.Reason != "UNAUTHENTICATED" {
					t.Errorf("principal %+v, error %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsSignedVerifies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := auth.Principal{
			Key:  rapid.SampledFrom([]string{"k", "next"}).Draw(t, "key"),
			User: rapid.StringMatching(`[A-Za-z0-9_.@+-]{1,64}`).Draw(t, "user"),
			Role: rapid.SampledFrom([]auth.Role{auth.Host, auth.Audience, auth.Admin, auth.Service}).Draw(t, "role"),
			Live: auth.EveryLive,
		}
		if p.Role == auth.Host || p.Role == auth.Audience {
			p.Live = rapid.StringMatching(`[A-Za-z0-9_-]{1,48}`).Draw(t, "live")
		}
		ttl := time.Duration(rapid.IntRange(1, 86_400).Draw(t, "ttl")) * time.Second
		token, err := auth.Sign(p.Key, keys[p.Key], p, ttl, now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := keys.Verify(token, now); err != nil || got != p {
			t.Fatalf("principal %+v, error %v", got, err)
		}
		if _, err := keys.Verify(token, now.Add(ttl+time.Minute+time.Second)); err == nil {
			t.Fatal("valid after its end")
		}
	})
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key, secret string
		p           auth.Principal
		ttl         time.Duration
	}{
		"no key":          {"", secret, host, time.Hour},
		"no secret":       {"k", "", host, time.Hour},
		"no life":         {"k", secret, host, 0},
		"life over 24 h":  {"k", secret, host, 24*time.Hour + time.Second},
		"no user":         {"k", secret, auth.Principal{Live: "a", Role: auth.Host}, time.Hour},
		"host everywhere": {"k", secret, auth.Principal{User: "u", Live: "*", Role: auth.Host}, time.Hour},
		"admin of one":    {"k", secret, auth.Principal{User: "u", Live: "a", Role: auth.Admin}, time.Hour},
		"unknown role":    {"k", secret, auth.Principal{User: "u", Live: "a", Role: "root"}, time.Hour},
	} {
		if token, err := auth.Sign(c.key, c.secret, c.p, c.ttl, now); err == nil {
			t.Errorf("%s: signed %s", name, token)
		}
	}
}

func TestValidateKeys(t *testing.T) {
	t.Parallel()
	if err := (auth.Keys{"k": secret}).Validate(); err != nil {
		t.Error(err)
	}
	for _, k := range []auth.Keys{{"": secret}, {"k": "short"}, {"k": ""}} {
		if k.Validate() == nil {
			t.Errorf("%v: accepted", k)
		}
	}
}
