package watch

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// offset is where a caller stands: the number of the last event that it has, per context. To callers it is an opaque
// string.
type offset struct {
	cohost, battle int64
}

// String writes the offset so that parseOffset reads it.
func (o offset) String() string { return fmt.Sprintf("c%d.b%d", o.cohost, o.battle) }

// parseOffset reads an offset; the error is a refusal that names the field.
func parseOffset(s string) (offset, error) {
	c, b, _ := strings.Cut(s, ".")
	cohost, okC := number(c, "c")
	battle, okB := number(b, "b")
	if !okC || !okB {
		return offset{}, es.Invalid("offset", "must be one that this server gave")
	}
	return offset{cohost, battle}, nil
}

// number reads what String writes for one context, and nothing else: no sign, no leading zero.
func number(s, prefix string) (int64, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) == 0 || len(digits) > 1 && digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n < math.MaxInt64
}
