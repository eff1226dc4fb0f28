package watch

import (
	"errors"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// FuzzOffset: an offset that is taken is written as it came, so that there is one for each place; any other is refused.
func FuzzOffset(f *testing.F) {
	for _, s := range []string{
		"", "c0.b0", "c1.b2", "c01.b2", "c-1.b2", "c+1.b2", "c1.b", "c.b", "c1", "b1.c2", "c1.b2.", "c1.b2.c3", " c1.b2", "c1.b2\n", "c9223372036854775806.b9223372036854775807",
		"c9223372036854775806.b0", "c99999999999999999999.b0", "c１.b0", "C1.B0", "c1_0.b0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := parseOffset(s)
		if err != nil {
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Field != "offset" {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if o.String() != s || o.cohost < 0 || o.battle < 0 || o.cohost+1 < 0 || o.battle+1 < 0 {
			t.Fatalf("%q is %+v, written %q", s, o, o)
		}
	})
}

// FuzzOffsetThereAndBack: every place has an offset that leads to it.
func FuzzOffsetThereAndBack(f *testing.F) {
	f.Add(int64(0), int64(1<<63-2))
	f.Fuzz(func(t *testing.T, cohost, battle int64) {
		o := offset{cohost & (1<<62 - 1), battle & (1<<62 - 1)}
		if back, err := parseOffset(o.String()); err != nil || back != o {
			t.Fatalf("%v is read as %v, %v", o, back, err)
		}
	})
}
