// Package history records what clients did and what was done to the processes they talked to, one JSON record a line.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// The types of a record.
const (
	Invoke  = "invoke"  // a call begins
	OK      = "ok"      // it was done
	Fail    = "fail"    // it was not done and never will be
	Unknown = "unknown" // it may have been done, or may be later
	Info    = "info"    // something happened that is no call: a fault begins or ends
)

// Fault is the process of records that tell of faults.
const Fault = -1

// Record is one line of a history.
type Record struct {
	// I ties the record that ends a call to the one that began it.
	I uint64 `json:"i"`
	// T is the time since the start of the history in ns, on one monotonic clock.
	T int64 `json:"t"`
	// P is the client process, or Fault.
	P int `json:"p"`
	// F is what is done.
	F string `json:"f"`
	// Type is Invoke, OK, Fail, Unknown or Info.
	Type string `json:"type"`
	// ID names what is done so that it can be repeated: an event id, an idempotency key.
	ID  string          `json:"id,omitempty"`
	Val json.RawMessage `json:"val,omitempty"`
	Res json.RawMessage `json:"res,omitempty"`
	Err string          `json:"err,omitempty"`
}

// Writer appends records to a file. It is safe for concurrent use.
type Writer struct {
	start time.Time

	mu   sync.Mutex
	file *os.File
	buf  *bufio.Writer
	err  error
	i    uint64
}

// Open makes a new history; its time begins now.
func Open(path string) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &Writer{start: time.Now(), file: file, buf: bufio.NewWriterSize(file, 64<<10)}, nil
}

// Now is the time that Append would give a record.
func (w *Writer) Now() time.Duration { return time.Since(w.start) }

// Append writes a record and returns its I. It sets T, and I where it is 0 to one that no other record has. What cannot be written is told by Close.
func (w *Writer) Append(r Record) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.T = int64(time.Since(w.start))
	if r.I == 0 {
		w.i++
		r.I = w.i
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = w.buf.Write(append(line, '\n'))
	}
	if w.err == nil {
		w.err = err
	}
	return r.I
}

// Close writes what is buffered and closes the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.err, w.buf.Flush(), w.file.Close())
}

// Read returns all records of a history in the order in which they were appended.
func Read(path string) ([]Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []Record
	for lines := json.NewDecoder(bufio.NewReaderSize(file, 64<<10)); ; {
		var r Record
		switch err := lines.Decode(&r); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, fmt.Errorf("record %d: %w", len(all)+1, err)
		}
		all = append(all, r)
	}
}
