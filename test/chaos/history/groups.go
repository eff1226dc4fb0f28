package history

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// WriteGroups saves a log: its groups in the order of their sequences, from 1 and without a gap, each behind its length in four bytes, the high one first.
func WriteGroups(path string, groups [][]byte) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	buf := bufio.NewWriter(file)
	for _, g := range groups {
		_, _ = buf.Write(binary.BigEndian.AppendUint32(nil, uint32(len(g))))
		_, _ = buf.Write(g) // errors are kept for Flush
	}
	return errors.Join(buf.Flush(), file.Close())
}

// ReadGroups returns the groups of a saved log; the sequence of the first one is 1.
func ReadGroups(path string) ([][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var groups [][]byte
	for len(data) > 0 {
		if len(data) < 4 || uint64(len(data)-4) < uint64(binary.BigEndian.Uint32(data)) {
			return groups, fmt.Errorf("%s: group %d: %w", path, len(groups)+1, io.ErrUnexpectedEOF)
		}
		n := binary.BigEndian.Uint32(data)
		groups = append(groups, data[4:4+n])
		data = data[4+n:]
	}
	return groups, nil
}
