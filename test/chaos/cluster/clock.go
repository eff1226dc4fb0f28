//go:build linux

package cluster

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"time"
)

// clockVariable names the file that a skewed program adds to its wall clock: nanoseconds, in eight bytes, the low one first. See test/chaos/skew.
const clockVariable = "FACEOFF_CHAOS_CLOCK"

func (c *Cluster) clock(name string) string { return filepath.Join(c.cfg.Dir, name+".clock") }

// SetClock makes the wall clock of a replica be off. Its monotonic clock goes on as if nothing had happened.
func (c *Cluster) SetClock(name string, by time.Duration) error {
	file, err := os.OpenFile(c.clock(name), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(binary.LittleEndian.AppendUint64(nil, uint64(by.Nanoseconds())))
	return err
}
