package jetstream_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
)

// past makes a log of two streams and exports the first.
func past(t *testing.T) (js natsjs.JetStream, stores *jetstream.Stores, dir string, e ledger.Exported) {
	t.Helper()
	js = connect(t)
	stores, err := jetstream.NewStores(js.Conn(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stores.Open(t.Context(), "TEST_00", "log.test.00")
	if err != nil {
		t.Fatal(err)
	}
	s.Heads = stores.Heads("TEST") // as the suite's replicas name their log
	ledgertest.Fill(t, s, 20)
	ledgertest.Continue(t, s)
	ledgertest.Fill(t, s, 20)
	all, err := stores.Generations(t.Context(), "TEST_00")
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	dir = t.TempDir()
	g := all[0]
	e, err = ledger.Export(t.Context(), stores.Other("TEST_00"), dir, ledger.Exported{Log: "TEST_00", Stream: g.Stream, First: g.First, Last: g.Last, Previous: g.Previous})
	if err != nil {
		t.Fatal(err)
	}
	if e.LastGroup != all[1].Previous || e.Chain != all[1].Previous {
		t.Fatalf("%+v does not lead to %+v", e, all[1])
	}
	return js, stores, dir, e
}

func TestExport(t *testing.T) {
	t.Parallel()
	_, stores, dir, e := past(t)
	if read, err := ledger.VerifyExport(dir, "TEST_00"); err != nil || read != e {
		t.Fatalf("%+v, %v", read, err)
	}
	file := filepath.Join(dir, "TEST_00.groups")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func([]byte) []byte{
		"a flipped bit":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":        func(b []byte) []byte { return b[:len(b)-1] },
		"a group more":   func(b []byte) []byte { return append(b, b[:int(b[0])+1]...) },
		"the first gone": func(b []byte) []byte { return b[int(b[0])+1:] },
	} {
		if err := os.WriteFile(file, harm(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.VerifyExport(dir, "TEST_00"); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
	e.Previous = e.Chain
	if _, err := ledger.Export(t.Context(), stores.Other("TEST_00"), dir, e); err == nil || !strings.Contains(err.Error(), "does not fit the chain") {
		t.Errorf("from another chain: %v", err)
	}
	if _, err := ledger.VerifyExport(dir, "TEST_00"); err == nil {
		t.Error("a failed export is trusted")
	}
}

func TestDrop(t *testing.T) {
	t.Parallel()
	js, stores, _, e := past(t)
	move, err := jetstream.OpenHeads(t.Context(), js, "TEST_00", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := move.Save(t.Context(), ledgertest.Head(t, "TEST_00", e.Last+1), 0); err != nil {
		t.Fatal(err)
	}
	kept := func(stream string, e ledger.Exported, keep time.Duration, snapshot uint64, why string) {
		t.Helper()
		err := stores.Drop(t.Context(), "TEST_00", stream, e, keep, snapshot)
		if !errors.Is(err, jetstream.ErrKept) || !strings.Contains(err.Error(), why) {
			t.Errorf("want %q, got %v", why, err)
		}
	}
	other := e
	other.LastGroup = other.SHA256
	kept("TEST_00_2", e, 0, e.Last, "not the oldest")
	kept("TEST_00", other, 0, e.Last, "the export is not of")
	kept("TEST_00", e, time.Hour, e.Last, "less than 1h")
	kept("TEST_00", e, 0, e.Last-1, "no snapshot")
	_, mark := stores.Events("TEST_00", "test")
	revision, err := mark.Save(t.Context(), fmt.Appendf(nil, `{"done":%d}`, e.Last-1), 0)
	if err != nil {
		t.Fatal(err)
	}
	kept("TEST_00", e, 0, e.Last, "EVENTS holds what TEST_00 tells")
	if _, err := mark.Save(t.Context(), fmt.Appendf(nil, `{"done":%d}`, e.Last), revision); err != nil {
		t.Fatal(err)
	}
	if err := stores.Drop(t.Context(), "TEST_00", "TEST_00", e, 0, e.Last); err != nil {
		t.Fatal(err)
	}
	kept("TEST_00_2", e, 0, e.Last, "is written to")

	// The log goes on; its first groups are not there, and nobody makes the dropped stream again.
	s, err := stores.Open(t.Context(), "TEST_00", "log.test.00")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Stream(t.Context(), "TEST_00"); !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Fatalf("the dropped stream: %v", err)
	}
	head, err := s.Log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Log.Read(t.Context(), e.Last); !errors.Is(err, ledger.ErrLog) {
		t.Errorf("a dropped group: %v", err)
	}
	if err := s.Log.Tail(t.Context(), 1, nil); !errors.Is(err, ledger.ErrLog) {
		t.Errorf("from the first: %v", err)
	}
	checked, err := ledger.Check(t.Context(), "TEST", s.Log, stores.Heads("TEST"))
	if err != nil || len(checked.Problems) > 0 || checked.First != e.Last+1 || checked.Head != head {
		t.Errorf("%+v, %v", checked, err)
	}
}

// TestDroppedWhileRead: who has known the stream before finds out.
func TestDroppedWhileRead(t *testing.T) {
	t.Parallel()
	js, stores, _, e := past(t)
	log := stores.Other("TEST_00")
	if _, err := log.Read(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "TEST_00"); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Read(t.Context(), 1); !errors.Is(err, ledger.ErrLog) {
		t.Errorf("a dropped group: %v", err)
	}
	if err := log.Tail(t.Context(), 1, nil); !errors.Is(err, ledger.ErrLog) {
		t.Errorf("from the first: %v", err)
	}
	if _, err := log.Read(t.Context(), e.Last+1); err != nil {
		t.Error(err)
	}
}
