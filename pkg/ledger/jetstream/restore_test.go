package jetstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
)

// dropped is a log of three streams, of which the first two are exported and dropped.
type dropped struct {
	js          natsjs.JetStream
	stores      *jetstream.Stores
	store       ledger.Store
	dir         string
	generations []jetstream.Generation
	configs     []natsjs.StreamConfig // of the dropped streams
	groups      [][]byte              // from the first on
	commands    int                   // of Fill that are in them
}

func drop(t *testing.T) *dropped {
	t.Helper()
	d := &dropped{js: connect(t), dir: t.TempDir()}
	var err error
	if d.stores, err = jetstream.NewStores(d.js.Conn(), 1); err != nil {
		t.Fatal(err)
	}
	if d.store, err = d.stores.Open(t.Context(), "TEST", "log.test"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ledgertest.Fill(t, d.store, 20)
		ledgertest.Continue(t, d.store)
	}
	if latest := d.latest(t); latest != 0 {
		t.Fatalf("the latest snapshot is at %d before there is one", latest)
	}
	snapshot := ledgertest.Snapshot(t, d.store)
	d.commands = 41
	if latest := d.latest(t); latest < snapshot {
		t.Fatalf("the latest snapshot is at %d, not %d", latest, snapshot)
	}
	head, err := d.store.Log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= head; seq++ {
		group, err := d.store.Log.Read(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		d.groups = append(d.groups, group)
	}
	if d.generations, err = d.stores.Generations(t.Context(), "TEST"); err != nil || len(d.generations) != 3 {
		t.Fatalf("%+v, %v", d.generations, err)
	}
	for _, g := range d.generations[:2] {
		e, err := ledger.Export(t.Context(), d.stores.Other("TEST"), d.dir, ledger.Exported{Log: "TEST", Stream: g.Stream, First: g.First, Last: g.Last, Previous: g.Previous})
		if err != nil {
			t.Fatal(err)
		}
		d.configs = append(d.configs, d.config(t, g.Stream))
		if err := d.stores.Drop(t.Context(), "TEST", g.Stream, e, 0, d.latest(t)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *dropped) latest(t *testing.T) uint64 {
	t.Helper()
	seq, err := ledger.LatestSnapshot(t.Context(), "TEST", d.stores.Snapshots("TEST"), d.stores.Other("TEST"))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func (d *dropped) config(t *testing.T, stream string) natsjs.StreamConfig {
	t.Helper()
	s, err := d.js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().Config
}

// forget deletes all snapshots.
func (d *dropped) forget(t *testing.T) {
	t.Helper()
	s, err := d.js.Stream(t.Context(), "SNAPSHOTS")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// begin makes a dropped stream again as far as a restore that was interrupted.
func (d *dropped) begin(t *testing.T, i int, groups ...[]byte) {
	t.Helper()
	c := d.configs[i]
	c.Sealed, c.Metadata = false, maps.Clone(c.Metadata)
	delete(c.Metadata, "faceoff_last")
	delete(c.Metadata, "faceoff_max_bytes")
	if _, err := d.js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		if _, err := d.js.Publish(t.Context(), c.Subjects[0], group); err != nil {
			t.Fatal(err)
		}
	}
}

// wantLacking makes sure that no replica starts, and that it says what to do.
func (d *dropped) wantLacking(t *testing.T) {
	t.Helper()
	if _, err := ledgertest.Recover(t, d.store); !errors.Is(err, ledger.ErrLog) || !strings.Contains(err.Error(), "no snapshot to start from") || !strings.Contains(err.Error(), "faceoff streams restore") {
		t.Fatalf("started without its beginning: %v", err)
	}
}

// wantWhole makes sure that the log is what it was, and that a replica folds all of it.
func (d *dropped) wantWhole(t *testing.T) {
	t.Helper()
	all, err := d.stores.Generations(t.Context(), "TEST")
	if err != nil || !slices.Equal(all, d.generations) {
		t.Fatalf("%+v, %v; want %+v", all, err, d.generations)
	}
	for i, want := range d.configs {
		if c := d.config(t, want.Name); !reflect.DeepEqual(c, want) {
			t.Errorf("stream %d is\n%+v, was\n%+v", i, c, want)
		}
	}
	log := d.stores.Other("TEST")
	for i, want := range d.groups {
		if group, err := log.Read(t.Context(), uint64(i)+1); err != nil || !bytes.Equal(group, want) {
			t.Fatalf("group %d: %v", i+1, err)
		}
	}
	checked, err := ledger.Check(t.Context(), "TEST", log, d.stores.Heads("TEST"))
	if err != nil || len(checked.Problems) > 0 || checked.First != 1 {
		t.Errorf("%+v, %v", checked, err)
	}
	if n, err := ledgertest.Recover(t, d.store); err != nil || n != d.commands {
		t.Fatalf("%d of %d, %v", n, d.commands, err)
	}
}

// TestLatestSnapshot: one that no replica could start from does not count.
func TestLatestSnapshot(t *testing.T) {
	t.Parallel()
	js := connect(t)
	stores, err := jetstream.NewStores(js.Conn(), 1)
	if err != nil {
		t.Fatal(err)
	}
	logs := make(map[string]ledger.Log)
	for _, name := range []string{"TEST", "OTHER", "EMPTY"} {
		s, err := stores.Open(t.Context(), name, "log."+strings.ToLower(name))
		if err != nil {
			t.Fatal(err)
		}
		logs[name], s.Heads, s.Snapshots = s.Log, nil, nil
		if name != "EMPTY" {
			ledgertest.Fill(t, s, 20)
		}
	}
	kept := stores.Snapshots("TEST")
	seq := ledgertest.Snapshot(t, ledger.Store{Log: logs["TEST"], Snapshots: kept})
	ledgertest.Fill(t, ledger.Store{Log: logs["OTHER"]}, 20) // it comes as far
	var good []byte
	list, err := kept.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range list {
		in, err := kept.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if id.Seq == seq {
			if good, err = io.ReadAll(in); err != nil {
				t.Fatal(err)
			}
		}
		if err := kept.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	flipped := bytes.Clone(good)
	flipped[len(good)/2] ^= 1
	for _, c := range []struct {
		name, log string
		raw       []byte
		want      uint64
		err       error
	}{
		{"cut off", "TEST", good[:len(good)-1], 0, nil},
		{"a flipped bit", "TEST", flipped, 0, nil},
		{"sound", "TEST", good, seq, nil},
		{"of another history", "OTHER", good, 0, nil},
		{"beyond the log's end", "EMPTY", good, 0, ledger.ErrLog},
	} {
		id, err := kept.Save(t.Context(), seq, bytes.NewReader(c.raw))
		if err != nil {
			t.Fatal(err)
		}
		if latest, err := ledger.LatestSnapshot(t.Context(), "TEST", kept, logs[c.log]); latest != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v", c.name, latest, err)
		}
		if err := kept.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	d := drop(t)
	reader := d.stores.Other("TEST")
	if _, err := reader.Read(t.Context(), 1); !errors.Is(err, ledger.ErrLog) {
		t.Fatalf("a dropped group: %v", err)
	}
	checked, err := ledger.Check(t.Context(), "TEST", reader, d.stores.Heads("TEST"))
	if err != nil || len(checked.Problems) > 0 || checked.First != d.generations[2].First {
		t.Errorf("%+v, %v", checked, err)
	}
	if n, err := ledgertest.Recover(t, d.store); err != nil || n != d.commands {
		t.Fatalf("from the snapshot: %d of %d, %v", n, d.commands, err)
	}
	// Who stood at the last group that was dropped goes on after it.
	handled := errors.New("handled")
	ctx, cancel := context.WithCancelCause(t.Context())
	err = ledger.NewFeed(reader, ledgertest.Codec{}.DecodeEvent).Run(ctx, d.generations[1].Last, func(context.Context, ledger.Group[ledgertest.Event]) error {
		cancel(handled)
		return nil
	})
	if !errors.Is(err, handled) {
		t.Errorf("a feed after the last dropped group: %v", err)
	}
	d.forget(t)
	d.wantLacking(t)
	restored, err := d.stores.Restore(t.Context(), "TEST", "log.test", d.dir)
	if err != nil || len(restored) != 2 || restored[0] != d.generations[1] || restored[1] != d.generations[0] {
		t.Fatalf("%+v, %v", restored, err)
	}
	if group, err := reader.Read(t.Context(), 1); err != nil || !bytes.Equal(group, d.groups[0]) {
		t.Errorf("who reads does not see what is back: %v", err)
	}
	d.wantWhole(t)
	if again, err := d.stores.Restore(t.Context(), "TEST", "log.test", d.dir); err != nil || len(again) > 0 {
		t.Errorf("nothing to restore: %+v, %v", again, err)
	}
}

func TestRestoreInterrupted(t *testing.T) {
	t.Parallel()
	d := drop(t)
	d.forget(t)
	first, last := d.generations[1].First, d.generations[1].Last
	d.begin(t, 1, d.groups[first-1:first+4]...)
	d.wantLacking(t)
	if err := os.Rename(filepath.Join(d.dir, "TEST.json"), filepath.Join(d.dir, "away")); err != nil {
		t.Fatal(err)
	}
	if restored, err := d.stores.Restore(t.Context(), "TEST", "log.test", d.dir); !errors.Is(err, os.ErrNotExist) || len(restored) != 1 || restored[0].Last != last {
		t.Fatalf("without the first export: %+v, %v", restored, err)
	}
	d.wantLacking(t)
	if err := os.Rename(filepath.Join(d.dir, "away"), filepath.Join(d.dir, "TEST.json")); err != nil {
		t.Fatal(err)
	}
	d.begin(t, 0, d.groups[:d.generations[0].Last]...) // but for the seal
	if restored, err := d.stores.Restore(t.Context(), "TEST", "log.test", d.dir); err != nil || len(restored) != 1 {
		t.Fatalf("%+v, %v", restored, err)
	}
	d.wantWhole(t)
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	d := drop(t)
	file := filepath.Join(d.dir, "TEST_2.groups")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, whole[:len(whole)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.stores.Restore(t.Context(), "TEST", "log.test", d.dir); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("from half an export: %v", err)
	}
	if _, err := d.js.Stream(t.Context(), "TEST_2"); !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Errorf("made from half an export: %v", err)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	d.begin(t, 1, d.groups[d.generations[1].First-1], []byte("another"))
	if _, err := d.stores.Restore(t.Context(), "TEST", "log.test", d.dir); err == nil || !strings.Contains(err.Error(), "delete the stream") {
		t.Errorf("into a stream with another group: %v", err)
	}
}
