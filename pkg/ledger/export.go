package ledger

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// exportFormat is the version of the export format that this code writes and reads: groups one after another, each after
// its length as a varint, beside a JSON file that says what they are.
const exportFormat = 1

// Exported is a part of a log that was written to a file.
type Exported struct {
	Format int    `json:"format"`
	Log    string `json:"log"`
	Stream string `json:"stream"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	// Previous is the link that the first group holds to the one before, Chain the hash of the last valid group, LastGroup
	// that of the last one, all in hex.
	Previous  string `json:"previous"`
	Chain     string `json:"chain"`
	LastGroup string `json:"last_group"`
	// Bytes and SHA256 are those of the file.
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// exportFiles are the names of an export's two files in a directory.
func exportFiles(dir, stream string) (groups, manifest string) {
	return filepath.Join(dir, stream+".groups"), filepath.Join(dir, stream+".json")
}

// Export writes the groups First to Last of a log to a file in dir, reads it back, checks every link, and says in a second
// file what the first one holds. What e says of Log, Stream, First, Last and Previous is given; the rest is filled in. What
// was exported before under that name is replaced.
func Export(ctx context.Context, log Log, dir string, e Exported) (Exported, error) {
	groups, manifest := exportFiles(dir, e.Stream)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return e, err
	}
	if err := os.Remove(manifest); err != nil && !errors.Is(err, os.ErrNotExist) {
		return e, err
	}
	if err := write(groups, func(w io.Writer) error { return e.dump(ctx, log, w) }); err != nil {
		return e, fmt.Errorf("export %s: %w", e.Stream, err)
	}
	e.Format = exportFormat
	read, err := e.read(groups, func(uint64, []byte) error { return nil })
	if err != nil {
		return e, fmt.Errorf("export %s, read back: %w", e.Stream, err)
	}
	raw, err := json.MarshalIndent(read, "", "  ")
	if err != nil {
		return e, err
	}
	err = write(manifest, func(w io.Writer) error {
		_, err := w.Write(append(raw, '\n'))
		return err
	})
	return read, err
}

// VerifyExport reads an export and checks that it is what it says.
func VerifyExport(dir, stream string) (Exported, error) {
	return ReadExport(dir, stream, func(uint64, []byte) error { return nil })
}

// ReadExport is VerifyExport that hands every group to handle, once it fits the one before; that all of them are what the
// export says is known only at the end.
func ReadExport(dir, stream string, handle func(seq uint64, group []byte) error) (Exported, error) {
	groups, manifest := exportFiles(dir, stream)
	raw, err := os.ReadFile(manifest)
	if err != nil {
		return Exported{}, err
	}
	var e Exported
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("%s: %w", manifest, err)
	}
	if e.Format != exportFormat || e.Stream != stream {
		return e, fmt.Errorf("%s: format %d of stream %q is not what is wanted", manifest, e.Format, e.Stream)
	}
	read, err := e.read(groups, handle)
	if err != nil {
		return e, fmt.Errorf("%s: %w", groups, err)
	}
	if read != e {
		return e, fmt.Errorf("%s is not what %s says", groups, manifest)
	}
	return e, nil
}

// dump writes the groups of the log.
func (e Exported) dump(ctx context.Context, log Log, w io.Writer) error {
	if e.First > e.Last {
		return fmt.Errorf("there are no groups from %d to %d", e.First, e.Last)
	}
	err := log.Tail(ctx, e.First, func(seq uint64, raw []byte) error {
		if _, err := w.Write(binary.AppendUvarint(nil, uint64(len(raw)))); err != nil {
			return err
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
		if seq == e.Last {
			return errRead
		}
		return nil
	})
	if errors.Is(err, errRead) {
		return nil
	}
	return err
}

// read checks a file of groups against what is known of it, fills in the rest, and hands the groups over.
func (e Exported) read(file string, handle func(seq uint64, group []byte) error) (Exported, error) {
	f, err := os.Open(file) //nolint:gosec // the operator says where
	if err != nil {
		return e, err
	}
	defer func() { _ = f.Close() }()
	links := &chain{seq: e.First - 1}
	if n, err := hex.Decode(links.hash[:], []byte(e.Previous)); err != nil || n != 0 && n != sha256.Size {
		return e, fmt.Errorf("previous: %q is not a hash", e.Previous)
	}
	sum := sha256.New()
	in := bufio.NewReader(io.TeeReader(f, sum))
	e.Bytes = 0
	var last [sha256.Size]byte
	fits := false
	for {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || size > 2*maxGroupBytes {
			return e, fmt.Errorf("group %d is cut off or too large: %w", links.seq+1, err)
		}
		raw := make([]byte, size)
		if _, err := io.ReadFull(in, raw); err != nil {
			return e, fmt.Errorf("group %d is cut off: %w", links.seq+1, err)
		}
		if _, fits, err = readGroup(links, links.seq+1, raw, func([]byte) (struct{}, error) { return struct{}{}, nil }); err != nil {
			return e, err
		}
		if err := handle(links.seq, raw); err != nil {
			return e, err
		}
		last = sha256.Sum256(raw)
		e.Bytes += int64(len(binary.AppendUvarint(nil, size))) + int64(size)
	}
	if links.seq != e.Last {
		return e, fmt.Errorf("it ends with group %d instead of %d", links.seq, e.Last)
	}
	if !fits {
		return e, fmt.Errorf("its last group %d does not fit the chain", links.seq)
	}
	e.Chain, e.LastGroup, e.SHA256 = hex.EncodeToString(links.hash[:]), hex.EncodeToString(last[:]), hex.EncodeToString(sum.Sum(nil))
	return e, nil
}

// write makes a file whole or not at all, on disk when it returns.
func write(file string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".export-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = f.Close(), os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
