package ledger_test

import (
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(t *testing.T, log *memory.Log, heads *memory.Heads)
		says string
	}{
		"sound": {func(*testing.T, *memory.Log, *memory.Heads) {}, ""},
		"a group that does not fit": {func(t *testing.T, log *memory.Log, _ *memory.Heads) {
			head, _ := log.Head(t.Context())
			first, err := log.Read(t.Context(), 1)
			if err == nil {
				err = log.Append(t.Context(), head, first)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "is void"},
		"not a group": {func(t *testing.T, log *memory.Log, _ *memory.Heads) {
			head, _ := log.Head(t.Context())
			if err := log.Append(t.Context(), head, []byte("nonsense")); err != nil {
				t.Fatal(err)
			}
		}, "the log is damaged"},
		"the head of another log": {func(t *testing.T, _ *memory.Log, heads *memory.Heads) {
			other := ledger.Store{Log: memory.NewLog(), Heads: memory.NewHeads()}
			ledgertest.Fill(t, other, 3)
			raw, _, err := other.Heads.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, revision, _ := heads.Load(t.Context())
			if _, err := heads.Save(t.Context(), raw, revision); err != nil {
				t.Fatal(err)
			}
		}, "than the one whose head was saved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, heads := memory.NewLog(), memory.NewHeads()
			ledgertest.Fill(t, ledger.Store{Log: log, Heads: heads}, 20)
			c.harm(t, log, heads)
			got, err := ledger.Check(t.Context(), "TEST", log, heads)
			if err != nil {
				t.Fatal(err)
			}
			if c.says == "" && (len(got.Problems) > 0 || got.Entries != 20 || got.Saved == 0 || got.Groups != int(got.Head)) {
				t.Errorf("%+v", got)
			}
			if c.says != "" && !strings.Contains(strings.Join(got.Problems, "\n"), c.says) {
				t.Errorf("%q is missing in %q", c.says, got.Problems)
			}
		})
	}
}

// TestCheckOfALostEnd: a log that is shorter than its saved head is found out.
func TestCheckOfALostEnd(t *testing.T) {
	t.Parallel()
	heads := memory.NewHeads()
	ledgertest.Fill(t, ledger.Store{Log: memory.NewLog(), Heads: heads}, 20)
	short := memory.NewLog()
	ledgertest.Fill(t, ledger.Store{Log: short, Heads: memory.NewHeads()}, 2)
	got, err := ledger.Check(t.Context(), "TEST", short, heads)
	if err != nil || !strings.Contains(strings.Join(got.Problems, "\n"), "its saved head is at") {
		t.Fatalf("%+v, %v", got, err)
	}
}
