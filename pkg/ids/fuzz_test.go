package ids_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

// FuzzCheck compares each kind of id with a pattern; a refusal names the field.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"", "a", "A-z_0.9:@+", "a b", "a*", "a>", "a/b", "ä", "\x00", "a\n", "%41", strings.Repeat("a", 48), strings.Repeat("a", 49), strings.Repeat("a", 64), strings.Repeat("a", 65), ids.New()} {
		f.Add(s)
	}
	kinds := []struct {
		check func(field, s string) error
		is    *regexp.Regexp
	}{
		{ids.Live, regexp.MustCompile(`\A[A-Za-z0-9_-]{1,48}\z`)},
		{ids.Battle, regexp.MustCompile(`\A[A-Za-z0-9_-]{1,48}\z`)},
		{ids.User, regexp.MustCompile(`\A[A-Za-z0-9_.@+-]{1,64}\z`)},
		{ids.Event, regexp.MustCompile(`\A[A-Za-z0-9_.:-]{1,64}\z`)},
		{ids.Command, regexp.MustCompile(`\A[A-Za-z0-9_.:-]{1,64}\z`)},
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range kinds {
			err := k.check("an_id", s)
			if (err == nil) != k.is.MatchString(s) {
				t.Errorf("%q by %v: %v", s, k.is, err)
			}
			var refusal *es.Refusal
			if err != nil && (!errors.As(err, &refusal) || refusal.Field != "an_id" || refusal.Reason != es.ReasonInvalidArgument) {
				t.Errorf("%q: refused with %v", s, err)
			}
		}
	})
}
