// Package ids makes ids and checks those that come from outside. What it lets through is ASCII without any sign that
// means something in a NATS subject, a Redis key, a URL path or a shell.
package ids

import (
	"crypto/rand"
	"strings"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// New makes an id that nobody can guess: 26 lower-case letters and digits, 130 random bits. It is a valid id of every
// kind.
func New() string {
	return strings.ToLower(rand.Text())
}

// Live checks a live_id: 1 to 48 of A-Z a-z 0-9 _ -. The error is a *es.Refusal that names the field.
func Live(field, s string) error { return check(field, s, 48, "_-") }

// Battle checks a battle_id, a connection_id or an invitation_id: 1 to 48 of A-Z a-z 0-9 _ -.
func Battle(field, s string) error { return check(field, s, 48, "_-") }

// User checks a user_id: 1 to 64 of A-Z a-z 0-9 _ - . @ +.
func User(field, s string) error { return check(field, s, 64, "_-.@+") }

// Event checks the event_id or the gift_id of a gift: 1 to 64 of A-Z a-z 0-9 _ - . :.
func Event(field, s string) error { return check(field, s, 64, "_-.:") }

// Command checks a command id: 1 to 64 of A-Z a-z 0-9 _ - . :.
func Command(field, s string) error { return check(field, s, 64, "_-.:") }

func check(field, s string, longest int, signs string) error {
	if s == "" || len(s) > longest {
		return es.Invalid(field, "must have 1 to %d characters, has %d", longest, len(s))
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(signs, c) >= 0:
		default:
			return es.Invalid(field, "may hold A-Z a-z 0-9 %s only", strings.Join(strings.Split(signs, ""), " "))
		}
	}
	return nil
}
