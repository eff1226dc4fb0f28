package es_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Of many holders the last 32 before the current one are known to be superseded, and no value that was given out changes.
func TestHolders(t *testing.T) {
	t.Parallel()
	var h es.Holders
	if h.Superseded("") || h.Superseded("s0") {
		t.Errorf("nobody has held it: %+v", h)
	}
	var before es.Holders
	for i := range 40 {
		if i == 20 {
			before = h
		}
		h = h.After(fmt.Sprint("s", i), int64(i+1))
	}
	if h.Current != "s39" || h.Fence != 40 || len(h.Past) != 32 {
		t.Errorf("%+v", h)
	}
	for i := range 41 {
		if got, want := h.Superseded(fmt.Sprint("s", i)), i >= 7 && i < 39; got != want {
			t.Errorf("s%d is superseded: %v", i, got)
		}
	}
	if before.Current != "s19" || before.Superseded("s19") || !slices.Contains(before.Past, "s0") || len(before.Past) != 19 {
		t.Errorf("a value that was given out has changed: %+v", before)
	}
}
