package jetstream_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// What a log holds before it is damaged: commands whose head was saved, and commands of a writer that died within the
// second in which it would have saved them.
const (
	savedCommands   = 60
	unsavedCommands = 20
	allCommands     = savedCommands + unsavedCommands
)

// smallBlocks is a limit for the stream by which the server keeps it in files of 32 kB: some 27 groups.
const smallBlocks = 120_000

// site is a store directory whose server can be stopped, to be harmed and started again.
type site struct {
	dir  string
	addr string // of the server that ran last
}

// copySite makes a site of a copy of a directory.
func copySite(t *testing.T, dir string) *site {
	s := &site{dir: filepath.Join(t.TempDir(), "store")}
	must(t, os.CopyFS(s.dir, os.DirFS(dir)))
	return s
}

// up runs the server for as long as use takes.
func (s *site) up(t *testing.T, use func(*natsd.Server)) {
	t.Helper()
	server, err := natsd.Start(natsd.Options{Dir: s.dir, Addr: s.addr})
	must(t, err)
	defer server.Shutdown()
	s.addr = strings.TrimPrefix(server.ClientURL(), "nats://")
	use(server)
}

// use opens the log for as long as do takes.
func (s *site) use(t *testing.T, do func(ledger.Store)) {
	t.Helper()
	s.up(t, func(server *natsd.Server) {
		nc := natstest.Connect(t, server)
		defer nc.Close()
		do(open(t, nc, "TEST_00", 1))
	})
}

// files are what the server keeps of a stream, named from its directory on; a pattern names the matches in order.
func (s *site) files(t *testing.T, stream, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(s.dir, "jetstream", "$G", "streams", stream, pattern))
	must(t, err)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// damage harms files of a stream.
type damage struct {
	stream, pattern string
	// which of the files: 0 is the first, -1 the last.
	which int
	// do gets the bytes of the file and returns what it will hold; nil: it is removed.
	do func([]byte) []byte
}

func (d damage) harm(t *testing.T, s *site) {
	t.Helper()
	all := s.files(t, d.stream, d.pattern)
	if len(all) == 0 && d.pattern == index {
		return // it is gone already
	}
	i := (d.which + len(all)) % len(all)
	if d.do == nil {
		must(t, os.RemoveAll(all[i]))
		return
	}
	b, err := os.ReadFile(all[i])
	must(t, err)
	must(t, os.WriteFile(all[i], d.do(b), 0o600))
}

const (
	blocks = "msgs/*.blk"
	index  = "msgs/index.db"
)

// flip changes a bit of the byte at a share of the file.
func flip(share float64) func([]byte) []byte {
	return func(b []byte) []byte {
		b[int(share*float64(len(b)-1))] ^= 4
		return b
	}
}

func cut(n int) func([]byte) []byte {
	return func(b []byte) []byte { return b[:max(len(b)-n, 0)] }
}

func zeroLastPage(b []byte) []byte {
	clear(b[max(len(b)-4096, 0):])
	return b
}

func garble(b []byte) []byte {
	for i := range b {
		b[i] = byte(7 * i)
	}
	return b
}

// TestDamage harms the files of a server that stands still, in each case with the server's index of its files as an orderly
// end leaves it and without one as after kill -9, and after an orderly end of the writer and one before it could save the
// head. Afterwards all that was acknowledged is there, or the partition stops and says what is wrong.
func TestDamage(t *testing.T) {
	t.Parallel()
	saved, orderly, died := filled(t)
	for _, row := range []struct {
		name string
		damage
		// stops: the damage cannot be survived. Else all must be there.
		stops bool
		// end: the end of the log may be gone without a trace; see ledger.md, "Heads in a second place".
		end bool
	}{
		{name: "none", damage: damage{"TEST_00", blocks, 0, cut(0)}},
		{name: "one bit at the start of the first block", damage: damage{"TEST_00", blocks, 0, flip(0)}, stops: true},
		{name: "one bit in the middle of the first block", damage: damage{"TEST_00", blocks, 0, flip(0.5)}, stops: true},
		{name: "one bit at the end of the first block", damage: damage{"TEST_00", blocks, 0, flip(1)}, stops: true},
		{name: "one bit at the start of a block between", damage: damage{"TEST_00", blocks, 1, flip(0)}, stops: true},
		{name: "one bit in the middle of a block between", damage: damage{"TEST_00", blocks, 1, flip(0.5)}, stops: true},
		{name: "one bit at the end of a block between", damage: damage{"TEST_00", blocks, 1, flip(1)}, stops: true},
		{name: "one bit at the start of the last block", damage: damage{"TEST_00", blocks, -1, flip(0)}, stops: true, end: true},
		{name: "one bit in the middle of the last block", damage: damage{"TEST_00", blocks, -1, flip(0.5)}, stops: true, end: true},
		{name: "one bit at the end of the last block", damage: damage{"TEST_00", blocks, -1, flip(1)}, stops: true, end: true},
		{name: "the last 37 bytes are gone", damage: damage{"TEST_00", blocks, -1, cut(37)}, stops: true, end: true},
		{name: "the last page is zero", damage: damage{"TEST_00", blocks, -1, zeroLastPage}, stops: true, end: true},
		{name: "the last block is empty", damage: damage{"TEST_00", blocks, -1, cut(1 << 20)}, stops: true, end: true},
		{name: "the last block is gone", damage: damage{"TEST_00", blocks, -1, nil}, stops: true, end: true},
		{name: "a block between is gone", damage: damage{"TEST_00", blocks, 1, nil}, stops: true},
		{name: "the first block is gone", damage: damage{"TEST_00", blocks, 0, nil}, stops: true},
		{name: "all blocks are gone", damage: damage{"TEST_00", "msgs", 0, nil}, stops: true},
		{name: "one bit of the index", damage: damage{"TEST_00", index, 0, flip(0.5)}},
		{name: "garbage for an index", damage: damage{"TEST_00", index, 0, garble}},
		{name: "one bit of the stream's configuration", damage: damage{"TEST_00", "meta.inf", 0, flip(0.5)}},
		{name: "one bit of its checksum", damage: damage{"TEST_00", "meta.sum", 0, flip(0.5)}},
		{name: "the stream's configuration is gone", damage: damage{"TEST_00", "meta.inf", 0, nil}},
		{name: "the stream is gone", damage: damage{"TEST_00", "", 0, nil}, stops: true},
		{name: "one bit of the saved head", damage: damage{"HEADS", blocks, -1, flip(0.5)}},
		{name: "half of the saved head", damage: damage{"HEADS", blocks, -1, cut(100)}},
		{name: "one bit of the configuration of HEADS", damage: damage{"HEADS", "meta.inf", 0, flip(0.5)}},
		{name: "HEADS is gone", damage: damage{"HEADS", "", 0, nil}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for name, from := range map[string]string{"an orderly end": orderly, "a writer that died": died} {
				for _, indexed := range []bool{true, false} {
					s := copySite(t, from)
					if !indexed {
						s.forgetIndexes(t)
					}
					row.harm(t, s)
					n, err := 0, error(nil)
					s.use(t, func(store ledger.Store) { n, err = ledgertest.Recover(t, store) })
					switch {
					case row.stops && errors.Is(err, ledger.ErrLog) && strings.Contains(err.Error(), "TEST"):
					case !row.stops && err == nil && n == allCommands:
					case row.end && from == died && err == nil && n >= savedCommands && n < allCommands:
					default:
						t.Errorf("after %s, indexed %v: %d of %d, %v", name, indexed, n, allCommands, err)
					}
				}
			}
		})
	}
	for _, row := range []struct {
		name, stream string
		stops        bool
	}{
		{"an older copy of the stream", "TEST_00", true},
		{"an older copy of HEADS", "HEADS", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, older := copySite(t, orderly), &site{dir: saved}
			dir := s.files(t, row.stream, "")[0]
			must(t, os.RemoveAll(dir))
			must(t, os.CopyFS(dir, os.DirFS(older.files(t, row.stream, "")[0])))
			s.use(t, func(store ledger.Store) {
				if n, err := ledgertest.Recover(t, store); row.stops != errors.Is(err, ledger.ErrLog) || !row.stops && n != allCommands {
					t.Errorf("%d of %d, %v", n, allCommands, err)
				}
			})
		})
	}
}

// TestStoreFromAnOlderCopy: the whole store is put back, with HEADS, as a restored backup or snapshot of a disk would. Only
// a replica that has read more can know.
func TestStoreFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	saved, orderly, _ := filled(t)
	s := copySite(t, orderly)
	var store ledger.Store
	var stopped <-chan error
	s.up(t, func(server *natsd.Server) {
		store = open(t, natstest.Connect(t, server), "TEST_00", 1)
		stopped = ledgertest.Follow(t, store)
	})
	must(t, os.RemoveAll(s.dir))
	must(t, os.CopyFS(s.dir, os.DirFS(saved)))
	s.up(t, func(*natsd.Server) {
		select {
		case err := <-stopped:
			if !errors.Is(err, ledger.ErrLog) {
				t.Errorf("stopped with %v, want ErrLog", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("goes on")
		}
	})
}

// filled returns store directories of a log: up to where its head is saved, at an orderly end, and after a writer has died
// without saving the head.
func filled(t *testing.T) (saved, orderly, died string) {
	t.Helper()
	s := &site{dir: t.TempDir()}
	s.up(t, func(server *natsd.Server) {
		nc := natstest.Connect(t, server)
		defer nc.Close()
		js := streamsOf(t, nc)
		config := jetstream.StreamConfig("TEST_00", "log.test_00", 1)
		config.MaxBytes = smallBlocks
		_, err := js.CreateStream(t.Context(), config)
		must(t, err)
		ledgertest.Fill(t, open(t, nc, "TEST_00", 1), savedCommands)
	})
	unsaved, again := copySite(t, s.dir), copySite(t, s.dir)
	again.use(t, func(store ledger.Store) { ledgertest.Fill(t, store, unsavedCommands) })
	unsaved.use(t, func(store ledger.Store) {
		store.Heads = nil
		ledgertest.Fill(t, store, unsavedCommands)
	})
	if n := len(again.files(t, "TEST_00", blocks)); n < 3 {
		t.Fatalf("%d blocks", n)
	}
	return s.dir, again.dir, unsaved.dir
}

// forgetIndexes leaves the files as kill -9 of a server does.
func (s *site) forgetIndexes(t *testing.T) {
	t.Helper()
	for _, stream := range []string{"TEST_00", "HEADS"} {
		for _, f := range s.files(t, stream, index) {
			must(t, os.Remove(f))
		}
	}
}
