package gift

import (
	"strings"
	"unicode"
	"unicode/utf8"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
)

// checkSender is the rules of faceoff.user.v1.User in Go: there is a sender for every gift, and their interpreter would
// take most of a gift's time. FuzzSender compares.
func checkSender(u *userv1.User) error {
	if err := ids.User("sender.user_id", u.GetUserId()); err != nil {
		return err
	}
	switch u.GetUserId() {
	case "_seq", "_gen", "_status":
		return es.Invalid("sender.user_id", "must not be %s", u.GetUserId())
	}
	if name := u.GetUserName(); len(name) > 256 || utf8.RuneCountInString(name) > 64 || !plain(name) {
		return es.Invalid("sender.user_name", "must be UTF-8 of at most 64 characters and 256 bytes, "+
			"without control characters, line breaks and marks that turn the direction of text")
	}
	if url := u.GetAvatarUrl(); len(url) > 512 || url != "" && !pictureURL(url) {
		return es.Invalid("sender.avatar_url", "must be an https URL of at most 512 bytes without user information, quotes and brackets")
	}
	return nil
}

// plain tells if a text changes nothing around it when it is shown or logged.
func plain(s string) bool {
	for _, r := range s {
		switch {
		case unicode.IsControl(r),
			r >= 0x2028 && r <= 0x202e, // line and paragraph separator, embeddings and overrides
			r >= 0x2066 && r <= 0x2069: // isolates
			return false
		}
	}
	return utf8.ValidString(s)
}

// pictureURL tells if a text is https://host[:port][/path][?query][#fragment].
func pictureURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		return false
	}
	tail := strings.TrimLeftFunc(rest, func(r rune) bool { return alphanumeric(r) || strings.ContainsRune("._-", r) })
	if len(tail) == len(rest) {
		return false
	}
	if port, ok := strings.CutPrefix(tail, ":"); ok {
		tail = strings.TrimLeft(port, "0123456789")
		if n := len(port) - len(tail); n < 1 || n > 5 {
			return false
		}
	}
	if tail != "" && !strings.ContainsRune("/?#", rune(tail[0])) {
		return false
	}
	for i := 0; i < len(tail); i++ {
		switch c := rune(tail[i]); {
		case alphanumeric(c), strings.ContainsRune("._~:/?#@!$&()*+,;=-", c):
		case c == '%' && i+2 < len(tail) && hexadecimal(tail[i+1]) && hexadecimal(tail[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func alphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

func hexadecimal(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f'
}
