package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/faceoff-live/faceoff/test/chaos/history"
)

func TestWhatIsAppendedIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	w, err := history.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := history.Open(path); err == nil {
		t.Error("a history was opened over another one")
	}
	const clients, calls = 8, 100
	var all sync.WaitGroup
	for p := range clients {
		all.Go(func() {
			for range calls {
				i := w.Append(history.Record{P: p, F: "gift", Type: history.Invoke, ID: "g", Val: json.RawMessage(`{"n":1}`)})
				w.Append(history.Record{I: i, P: p, F: "gift", Type: history.Unknown, ID: "g", Err: "cut\noff"})
			}
		})
	}
	all.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	records, err := history.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 2*clients*calls {
		t.Fatalf("%d records, want %d", len(records), 2*clients*calls)
	}
	began := make(map[uint64]history.Record)
	last := int64(0)
	for _, r := range records {
		if r.T < last {
			t.Fatalf("time goes back: %+v", r)
		}
		last = r.T
		if r.Type == history.Invoke {
			if _, twice := began[r.I]; twice {
				t.Fatalf("two calls have I %d", r.I)
			}
			began[r.I] = r
			continue
		}
		want := history.Record{I: r.I, T: r.T, P: began[r.I].P, F: "gift", Type: history.Unknown, ID: "g", Err: "cut\noff"}
		if !reflect.DeepEqual(r, want) {
			t.Fatalf("%+v, want %+v", r, want)
		}
	}
}

func TestSavedLogIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "LOG")
	want := [][]byte{[]byte("first"), {}, bytes.Repeat([]byte("x"), 1<<20)}
	if err := history.WriteGroups(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := history.ReadGroups(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d groups, %v", len(got), err)
	}
	for _, left := range []int64{2, 7} { // in the length, in the bytes
		if err := os.Truncate(path, left); err != nil {
			t.Fatal(err)
		}
		if _, err := history.ReadGroups(path); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut to %d bytes: %v", left, err)
		}
	}
}
