//go:build linux

package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// volume is a file system of its own, in an image, whose power can be cut: what was not synced is lost then.
type volume struct{ image, dir string }

const imageSize = 512 << 20 // sparse; XFS wants 300 MB

// CanCutPower tries it, in a directory, and says why it cannot be done here; nil if it can.
func CanCutPower(dir string) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can mount")
	}
	v, err := newVolume(filepath.Join(dir, "try.img"), filepath.Join(dir, "try"))
	if err == nil {
		err = v.cutPower()
	}
	return errors.Join(err, v.unmount(), os.Remove(v.image), os.Remove(v.dir))
}

// newVolume makes a file system; there is a volume to unmount even if that fails.
func newVolume(image, dir string) (*volume, error) {
	v := &volume{image: image, dir: dir}
	file, err := os.Create(image)
	if err != nil {
		return v, err
	}
	if err := errors.Join(file.Truncate(imageSize), file.Close(), os.Mkdir(dir, 0o755)); err != nil {
		return v, err
	}
	if err := run("mkfs.xfs", "-q", "-f", image); err != nil {
		return v, err
	}
	return v, v.mount()
}

func (v *volume) mount() error { return run("mount", "-t", "xfs", "-o", "loop,nouuid", v.image, v.dir) }

func (v *volume) unmount() error { return unmount(v.dir) }

// unmount unmounts a directory; whoever had it open has been killed, and is gone in a moment.
func unmount(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := unix.Unmount(dir, 0)
		if err == nil || errors.Is(err, unix.EINVAL) { // EINVAL: it is not mounted
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("unmount %s: %w", dir, err)
		}
	}
}

// cutPower stops all that the file system does, at once: nothing that is not on disk gets there any more, its log neither. Everything that uses it gets EIO. It is as new after it was mounted again.
func (v *volume) cutPower() error {
	const (
		goingDown  = 0x8004587d // XFS_IOC_GOINGDOWN
		noLogFlush = 2          // XFS_FSOP_GOING_FLAGS_NOLOGFLUSH
	)
	root, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := unix.IoctlSetPointerInt(int(root.Fd()), goingDown, noLogFlush); err != nil {
		return fmt.Errorf("cut the power of %s: %w", v.dir, err)
	}
	return nil
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// claimed is the name of the file that a harness holds a lock on while it uses the directory that the file is in.
const claimed = "in-use"

// Claim makes a directory for runs, and gives back what harnesses that were killed have left mounted in others of the same pattern. The claim lasts until release is called or the process ends.
func Claim(parent, pattern string) (dir string, release func(), err error) {
	others, err := filepath.Glob(filepath.Join(parent, pattern, claimed))
	if err != nil {
		return "", nil, err
	}
	for _, marker := range others {
		err = errors.Join(err, reclaim(marker))
	}
	if err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp(parent, pattern); err != nil {
		return "", nil, err
	}
	marker, err := os.Create(filepath.Join(dir, claimed))
	if err != nil {
		return "", nil, err
	}
	if err := unix.Flock(int(marker.Fd()), unix.LOCK_EX); err != nil {
		return "", nil, err
	}
	return dir, func() {
		_ = os.Remove(marker.Name())
		_ = marker.Close()
	}, nil
}

// reclaim unmounts what is below a directory whose harness is gone.
func reclaim(marker string) error {
	file, err := os.Open(marker)
	if err != nil {
		return nil // gone by now
	}
	defer file.Close()
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil // in use
	}
	mounts, err := mountsBelow(filepath.Dir(marker))
	if err != nil {
		return err
	}
	for _, dir := range slices.Backward(mounts) { // the last mounted first: it may be on another
		if err := unmount(dir); err != nil {
			return err
		}
	}
	return os.Remove(marker)
}

// mountsBelow returns where something is mounted below a directory, in the order of mounting.
func mountsBelow(dir string) ([]string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var dirs []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			dirs = append(dirs, fields[4])
		}
	}
	return dirs, nil
}
