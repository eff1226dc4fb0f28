package host_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/test/chaos/host"
)

func TestReadUpToTheKill(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", `{"at":1,"kind":"sign"`: "", "{\"at\":1,\"kind\":\"sign\",\"n\":1}\n{\"kind\":\"there\"}\n{\"ki": "sign there", "{\"kind\":\"gone\"}\n": "gone",
		"{\"kind\":\"gone\"}\nnothing\n": "gone error", "{\"kind\":7}\n": "error",
	} {
		var got []string
		if err := host.Read(strings.NewReader(text), func(l host.Line) { got = append(got, l.Kind) }); err != nil {
			got = append(got, "error")
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}
