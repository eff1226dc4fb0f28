package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

const (
	// maxRecord bounds a record of a snapshot.
	maxRecord = 1 << 20
	// snapshotChunk is how much is encoded in one go.
	snapshotChunk = 64 << 10
	// maxRest bounds the rest after a chunk.
	maxRest = 20 * time.Millisecond
)

// snapshotWriter writes records one after another, and rests as long as it works, so that whoever decides meanwhile keeps
// the better part of the processors.
type snapshotWriter struct {
	ctx     context.Context
	out     *bufio.Writer
	sum     hash.Hash
	records uint64
	buf     []byte
	since   int       // bytes since the last rest
	started time.Time // when the work after it began
}

func newSnapshotWriter(ctx context.Context, out io.Writer) *snapshotWriter {
	return &snapshotWriter{ctx: ctx, out: bufio.NewWriterSize(out, 2*snapshotChunk), sum: sha256.New(), started: time.Now()}
}

func (w *snapshotWriter) put(r *ledgerv1.SnapshotRecord) error {
	n := proto.Size(r)
	if n > maxRecord {
		return fmt.Errorf("a record of %d bytes, more than %d", n, maxRecord)
	}
	w.buf = binary.AppendUvarint(w.buf[:0], uint64(n))
	var err error
	if w.buf, err = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend(w.buf, r); err != nil {
		return err
	}
	w.sum.Write(w.buf)
	w.records++
	if _, err := w.out.Write(w.buf); err != nil {
		return err
	}
	if w.since += len(w.buf); w.since < snapshotChunk {
		return nil
	}
	return w.rest()
}

// rest hands on what was written and lets others work.
func (w *snapshotWriter) rest() error {
	worked := time.Since(w.started)
	handing := time.Now()
	if err := w.out.Flush(); err != nil {
		return err
	}
	if rest := min(worked-time.Since(handing), maxRest); rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-w.ctx.Done():
		}
	} else {
		runtime.Gosched()
	}
	w.since, w.started = 0, time.Now()
	return w.ctx.Err()
}

// end writes the last record.
func (w *snapshotWriter) end() error {
	end := &ledgerv1.SnapshotEnd{Records: w.records, Sum: w.sum.Sum(nil)}
	if err := w.put(&ledgerv1.SnapshotRecord{Record: &ledgerv1.SnapshotRecord_End{End: end}}); err != nil {
		return err
	}
	return w.out.Flush()
}

// snapshotReader reads the records of a snapshot. What it gives is known to be sound only when it has come to the end.
type snapshotReader struct {
	in      *bufio.Reader
	sum     hash.Hash
	records uint64
	size    int64
	buf     []byte
	next    *ledgerv1.SnapshotRecord // read and not taken
}

func newSnapshotReader(in io.Reader) *snapshotReader {
	return &snapshotReader{in: bufio.NewReaderSize(in, snapshotChunk), sum: sha256.New()}
}

// peek returns the next record, again and again until it is taken. The last one is the end, whose sum is right.
func (r *snapshotReader) peek() (*ledgerv1.SnapshotRecord, error) {
	if r.next != nil {
		return r.next, nil
	}
	n, err := binary.ReadUvarint(r.in)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("its end is missing")
	case err != nil:
		return nil, err
	case n > maxRecord+16:
		return nil, fmt.Errorf("a record of %d bytes, more than %d", n, maxRecord)
	}
	r.buf = append(binary.AppendUvarint(r.buf[:0], n), make([]byte, n)...)
	body := r.buf[len(r.buf)-int(n):]
	if _, err := io.ReadFull(r.in, body); err != nil {
		return nil, fmt.Errorf("a record is cut off: %w", err)
	}
	record := new(ledgerv1.SnapshotRecord)
	if err := proto.Unmarshal(body, record); err != nil {
		return nil, err
	}
	if end := record.GetEnd(); end != nil {
		if end.GetRecords() != r.records || !bytes.Equal(end.GetSum(), r.sum.Sum(nil)) {
			return nil, errors.New("its bytes are not those that were written")
		}
		if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
			return nil, errors.New("it goes on behind its end")
		}
	}
	r.sum.Write(r.buf)
	r.records++
	r.size += int64(len(r.buf))
	r.next = record
	return record, nil
}

// taken goes on to the next record.
func (r *snapshotReader) taken() { r.next = nil }

// header reads the first record, of a snapshot that is named as one of a log at seq.
func (r *snapshotReader) header(log string, seq uint64) (*ledgerv1.SnapshotHeader, error) {
	record, err := r.peek()
	if err != nil {
		return nil, err
	}
	h := record.GetHeader()
	switch {
	case h == nil:
		return nil, errors.New("it does not begin with a header")
	case h.GetVersion() != snapshotVersion:
		return nil, fmt.Errorf("version %d is not known here", h.GetVersion())
	case h.GetLog() != log:
		return nil, fmt.Errorf("it is of %q", h.GetLog())
	case h.GetSeq() != seq || len(h.GetChain()) != sha256.Size:
		return nil, errors.New("its header is wrong")
	}
	r.taken()
	return h, nil
}

// state returns the next of the service's records; io.EOF behind the last one.
func (r *snapshotReader) state() ([]byte, error) {
	record, err := r.peek()
	if err != nil {
		return nil, err
	}
	switch x := record.GetRecord().(type) {
	case *ledgerv1.SnapshotRecord_State:
		r.taken()
		return x.State, nil
	case *ledgerv1.SnapshotRecord_End:
		return nil, io.EOF
	default:
		return nil, fmt.Errorf("a %T among the service's records", x)
	}
}

// skip reads to the end.
func (r *snapshotReader) skip() error {
	for {
		record, err := r.peek()
		if err != nil || record.GetEnd() != nil {
			return err
		}
		r.taken()
	}
}
