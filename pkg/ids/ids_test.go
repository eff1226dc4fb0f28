package ids_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

type kind struct {
	check   func(field, s string) error
	longest int
	signs   string
}

var kinds = map[string]kind{
	"live":    {ids.Live, 48, "_-"},
	"battle":  {ids.Battle, 48, "_-"},
	"user":    {ids.User, 64, "_-.@+"},
	"event":   {ids.Event, 64, "_-.:"},
	"command": {ids.Command, 64, "_-.:"},
}

// What is dangerous somewhere: NATS tokens and wildcards, paths, NUL, text direction, invisible and composed letters.
var bad = []string{
	"", " ", "a b", "a/b", "../../etc/passwd", "a*", ">", "a>b", "a\x00", "a\n", "%00", "a;b", "'", "\u202eab", "a\u200bb", "e\u0301", "\u00e9", "\xff", "١",
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for name, k := range kinds {
		good := []string{"a", "Z", "0", strings.Repeat("x", k.longest), ids.New()}
		for _, c := range k.signs {
			good = append(good, string(c))
		}
		for _, s := range good {
			if err := k.check("f", s); err != nil {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
		refused := append([]string{strings.Repeat("x", k.longest+1)}, bad...)
		for _, c := range "_-.@+:" {
			if !strings.ContainsRune(k.signs, c) {
				refused = append(refused, "a"+string(c))
			}
		}
		for _, s := range refused {
			err := k.check("f", s)
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != es.ReasonInvalidArgument || refusal.Field != "f" {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
	}
}

func TestOnlySafeBytesPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "id")
		for name, k := range kinds {
			if k.check("f", s) == nil && strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`/\*>%"'`, r) }) {
				t.Errorf("%s lets %q through", name, s)
			}
		}
	})
}

func TestNewIsNeverTheSame(t *testing.T) {
	t.Parallel()
	if a, b := ids.New(), ids.New(); a == b || len(a) != 26 || strings.ToLower(a) != a {
		t.Errorf("%q and %q", a, b)
	}
}
