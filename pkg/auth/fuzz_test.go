package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

var (
	fuzzSecret = strings.Repeat("s", minSecret)
	fuzzKeys   = Keys{"key": fuzzSecret, "empty": ""}
	fuzzNow    = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// signed is a token of any header and claims with a good signature.
func signed(header, claims, secret string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// FuzzVerify: a token passes only if it is signed with a secret that is known, by the one method, and its claims are within
// all bounds; then the principal is what they say.
func FuzzVerify(f *testing.F) {
	header := `{"alg":"HS256","typ":"JWT"}`
	f.Add(header, `{"iss":"key","sub":"ann","exp":1767229200,"live":{"room":"red","role":"host"}}`)
	f.Add(header, `{"iss":"key","sub":"s","exp":1767229200,"nbf":1767225600,"iat":1767225600,"aud":"faceoff","live":{"room":"*","role":"service"}}`)
	f.Add(header, `{"iss":"key","sub":"ann","exp":1767229200,"aud":["x"],"live":{"room":"red","role":"host"}}`)
	f.Add(header, `{"iss":"key","sub":"ann","exp":9e99,"live":{"room":"red","role":"host"}}`)
	f.Add(header, `{"iss":"key","sub":"ann","exp":1767229200,"nbf":-9e18,"live":{"room":"red","role":"host"}}`)
	f.Add(header, `{"iss":"key","sub":"ann","live":{"room":"red","role":"host"}}`)
	f.Add(header, `{"iss":"empty","sub":"ann","exp":1767229200,"live":{"room":"red","role":"host"}}`)
	f.Add(header, `{"iss":"key","sub":"ann","exp":1767229200,"live":null}`)
	f.Add(header, `{"iss":"key","sub":"a b","exp":1767229200,"live":{"room":"*","role":"audience"}}`)
	f.Add(`{"alg":"none"}`, `{"iss":"key","sub":"ann","exp":1767229200,"live":{"room":"red","role":"host"}}`)
	f.Add(`{"alg":"HS512"}`, `{"iss":"key","sub":"ann","exp":1767229200,"live":{"room":"red","role":"host"}}`)
	f.Add(`{"alg":"HS256","crit":["x"],"kid":"../k"}`, `{"iss":"key","sub":"ann","exp":1767229200,"live":{"room":"red","role":"host"}}`)
	f.Add(`{"alg":["HS256"]}`, `[]`)
	f.Fuzz(func(t *testing.T, header, text string) {
		for _, wrong := range []string{"", fuzzSecret + "s"} {
			if _, err := fuzzKeys.Verify(signed(header, text, wrong), fuzzNow); err == nil {
				t.Fatalf("signed with %q, and passes: %s %s", wrong, header, text)
			}
		}
		token := signed(header, text, fuzzSecret)
		p, err := fuzzKeys.Verify(token, fuzzNow)
		if err != nil {
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != errorsv1.Reason_UNAUTHENTICATED.String() {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if _, err := fuzzKeys.Verify(token[:len(token)-1], fuzzNow); err == nil {
			t.Fatal("half a signature passes")
		}
		var head struct{ Alg string }
		var c claims
		if json.Unmarshal([]byte(header), &head) != nil || head.Alg != "HS256" || json.Unmarshal([]byte(text), &c) != nil {
			t.Fatalf("passes: %s %s", header, text)
		}
		left := c.ExpiresAt.Sub(fuzzNow)
		switch {
		case c.Issuer != "key" || p.Key != "key" || p.User != c.Subject || p.Live != c.Live.Room || p.Role != c.Live.Role:
			t.Fatalf("%s is %+v", text, p)
		case p.check() != nil || left <= -leeway || left > maxLife+leeway:
			t.Fatalf("passes with %v left: %s", left, text)
		case c.NotBefore != nil && (c.NotBefore.Sub(fuzzNow) > leeway || c.ExpiresAt.Sub(c.NotBefore.Time) > maxLife):
			t.Fatalf("passes from %v to %v", c.NotBefore, c.ExpiresAt)
		}
	})
}

// FuzzToken: nothing that is not signed passes.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.", strings.Repeat(".", 100), "Bearer x", "\x00.\xff.=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		_, err := fuzzKeys.Verify(token, fuzzNow)
		var refusal *es.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != errorsv1.Reason_UNAUTHENTICATED.String() {
			t.Fatalf("%q: %v", token, err)
		}
	})
}

// FuzzSign: what can be signed is verified as it was meant.
func FuzzSign(f *testing.F) {
	f.Add("ann", "red", "host", int64(time.Hour))
	f.Add("s", "*", "service", int64(24*time.Hour))
	f.Add("s", "*", "admin", int64(time.Second))
	f.Add("a b", "red", "audience", int64(time.Hour))
	f.Add("a", "*", "host", int64(25*time.Hour))
	f.Fuzz(func(t *testing.T, user, live, role string, ttl int64) {
		want := Principal{Key: "key", User: user, Live: live, Role: Role(role)}
		token, err := Sign("key", fuzzSecret, want, time.Duration(ttl), fuzzNow)
		if err != nil {
			return
		}
		if got, err := fuzzKeys.Verify(token, fuzzNow); err != nil || got != want {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
	})
}
