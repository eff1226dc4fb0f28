package jetstream_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// site is a store directory whose server can be stopped, to be harmed and started again.
type site struct {
	t   *testing.T
	dir string
	// stream is where the server keeps the log.
	stream string
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	return &site{t: t, dir: dir, stream: filepath.Join(dir, "jetstream", "$G", "streams", "TEST_00")}
}

// up runs the server for as long as use takes.
func (s *site) up(use func(ledger.Store)) {
	s.t.Helper()
	server, err := natsd.Start(natsd.Options{Dir: s.dir})
	if err != nil {
		s.t.Fatal(err)
	}
	defer server.Shutdown()
	nc := natstest.Connect(s.t, server)
	defer nc.Close()
	use(open(s.t, nc, "TEST_00", 1))
}

func (s *site) fill(n int) {
	s.t.Helper()
	s.up(func(store ledger.Store) { ledgertest.Fill(s.t, store, n) })
}

// TestStreamFromAnOlderCopy: a copy of the log's directory is put back, as a restored backup or snapshot of a disk would.
func TestStreamFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(20)
	older := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(older, os.DirFS(s.stream)); err != nil {
		t.Fatal(err)
	}
	s.fill(20)
	s.up(func(store ledger.Store) {
		if n, err := ledgertest.Recover(t, store); err != nil || n != 40 {
			t.Fatalf("before: %d, %v", n, err)
		}
	})
	if err := os.RemoveAll(s.stream); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(s.stream, os.DirFS(older)); err != nil {
		t.Fatal(err)
	}
	s.up(func(store ledger.Store) {
		if n, err := ledgertest.Recover(t, store); !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("after: %d of 40, %v", n, err)
		}
	})
}

// TestTruncatedStream: the end of the log's last file is gone, as after a power cut on a disk that lies.
func TestTruncatedStream(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(20)
	blocks, err := filepath.Glob(filepath.Join(s.stream, "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("blocks: %v, %v", blocks, err)
	}
	last := blocks[len(blocks)-1]
	info, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(last, info.Size()-10); err != nil {
		t.Fatal(err)
	}
	s.up(func(store ledger.Store) {
		if n, err := ledgertest.Recover(t, store); !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("%d of 20, %v", n, err)
		}
	})
}
