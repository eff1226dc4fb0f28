package gift

import (
	"strings"
	"testing"
	"unicode/utf8"

	"buf.build/go/protovalidate"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// FuzzSender compares with the rules of the proto, which the gRPC doors check.
func FuzzSender(f *testing.F) {
	for _, url := range []string{
		"", "https://", "https://a", "https://a:", "https://a:1", "https://a:123456", "https://a/b?c=d#e", "https://a.b-c_d/%41%zz", "https://a/%4",
		"https://u:p@a/", "https://a/@u", "https://a/'", "https://a/\"", "https://a/<", "https://a/[", "https://[::1]/", "http://a", "HTTPS://a",
		"https://a\n", "https://a/\x00", "https://ä", "https://a/ä", "https://a/\u202e", "https:///a", "https://" + strings.Repeat("a", 505),
	} {
		f.Add("u", "name", url)
	}
	for _, name := range []string{
		"", "Ünal", "a\x00", "a\nb", "\u0085", "\u009f", "\u00a0", "\u061c", "\u200d", "\u200e", "\u2027", "\u2028", "\u202e", "\u202f", "\u2065", "\u2066", "\u2069",
		"\u206a", "\ufeff", "\xff", "👩‍👩‍👧", strings.Repeat("ä", 64), strings.Repeat("ä", 65), strings.Repeat("𝄞", 64),
	} {
		f.Add("u", name, "")
	}
	for _, id := range []string{"", "_seq", "_gen", "_status", "_seqs", "a b", "a@b+c", strings.Repeat("u", 64), strings.Repeat("u", 65)} {
		f.Add(id, "", "")
	}
	f.Fuzz(func(t *testing.T, id, name, url string) {
		u := &userv1.User{UserId: id, UserName: name, AvatarUrl: url}
		ours, theirs := checkSender(u), protovalidate.Validate(u)
		if utf8.ValidString(id + name + url) { // else no message holds it
			if (ours == nil) != (theirs == nil) {
				t.Fatalf("%q: here %v, by the proto %v", u, ours, theirs)
			}
		} else if ours == nil {
			t.Fatalf("%q passes", u)
		}
	})
}
