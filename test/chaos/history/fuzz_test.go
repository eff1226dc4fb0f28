package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// FuzzReadGroups: a saved log that is read is written again as the same file; of one that ends too early that is told.
func FuzzReadGroups(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 1, 'a', 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 2, 'a'})
	f.Add([]byte{0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 'a'})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path, again := filepath.Join(dir, "LOG"), filepath.Join(dir, "AGAIN")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		groups, err := history.ReadGroups(path)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if err := history.WriteGroups(again, groups); err != nil {
			t.Fatal(err)
		}
		written, fault := os.ReadFile(again)
		if fault != nil || !bytes.HasPrefix(data, written) || (err == nil) != (len(written) == len(data)) {
			t.Fatalf("%x was read as %x, %v", data, written, err)
		}
	})
}

// FuzzRead: what is read of a history is the same when it is appended to another.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		``, `{"i":1,"t":2,"p":0,"f":"gift","type":"invoke","id":"g","val":{"n":1}}`, "{}\n{\"err\":\"x\"}\n", `{"i":-1}`, `[]`, `{"val":}`, `null`, `{"val":null,"res":[1]}`, "{}{",
	} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path, again := filepath.Join(dir, "history"), filepath.Join(dir, "again")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := history.Read(path)
		if err != nil {
			return
		}
		_ = os.Remove(again) // there is none at first
		w, err := history.Open(again)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			w.Append(r)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		back, err := history.Read(again)
		if err != nil || len(back) != len(records) {
			t.Fatalf("%d records of %d, %v", len(back), len(records), err)
		}
		for i, r := range records {
			got := back[i]
			if r.I == 0 {
				r.I = got.I // it was given one
			}
			if r.T = got.T; !reflect.DeepEqual(compacted(t, got), compacted(t, r)) {
				t.Fatalf("%+v, want %+v", got, r)
			}
		}
	})
}

// compacted is a record whose values are without blanks.
func compacted(t *testing.T, r history.Record) history.Record {
	t.Helper()
	for _, v := range []*json.RawMessage{&r.Val, &r.Res} {
		if len(*v) == 0 {
			*v = nil
			continue
		}
		var b bytes.Buffer
		if err := json.Compact(&b, *v); err != nil {
			t.Fatal(err)
		}
		var escaped bytes.Buffer
		json.HTMLEscape(&escaped, b.Bytes())
		*v = escaped.Bytes()
	}
	return r
}
