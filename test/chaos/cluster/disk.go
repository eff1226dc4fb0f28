//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Disk passes a directory through to another one, and can be slow and fail.
type Disk struct {
	server *fuse.Server

	mu    sync.Mutex
	delay time.Duration
	fail  int
}

// CanHarmDisks tries it, in a directory, and says why it cannot be done here; nil if it can.
func CanHarmDisks(dir string) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can mount")
	}
	try := filepath.Join(dir, "try")
	d, err := newDisk(dir, try)
	if err == nil {
		err = d.unmount()
	}
	return errors.Join(err, os.Remove(try))
}

// newDisk shows what is in below at dir.
func newDisk(below, dir string) (*Disk, error) {
	d := new(Disk)
	root, err := fs.NewLoopbackRoot(below)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	// Nothing is remembered: a power cut may change what is below.
	d.server, err = fs.Mount(dir, d.wrapNode(root), &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, FsName: "faceoff-chaos", Name: "chaos"}})
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	return d, nil
}

// Slow makes every sync take longer by d; 0 for as fast as it is.
func (d *Disk) Slow(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = by
}

// FailSync makes the next sync fail.
func (d *Disk) FailSync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail++
}

// Heal has no sync fail any more that was to.
func (d *Disk) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = 0
}

func (d *Disk) unmount() error { return d.server.Unmount() }

func (d *Disk) sync() syscall.Errno {
	d.mu.Lock()
	delay, fails := d.delay, d.fail > 0
	if fails {
		d.fail--
	}
	d.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	if fails {
		return syscall.EIO
	}
	return 0
}

// node hands out files whose syncs the disk decides on.
type node struct {
	*fs.LoopbackNode
	disk *Disk
}

func (d *Disk) wrapNode(ops fs.InodeEmbedder) fs.InodeEmbedder {
	return &node{LoopbackNode: ops.(*fs.LoopbackNode), disk: d}
}

func (n *node) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	return n.disk.wrapNode(ops)
}

func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	handle, fuseFlags, errno := n.LoopbackNode.Open(ctx, flags)
	return n.wrapFile(handle, flags), fuseFlags, errno
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode, handle, fuseFlags, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return inode, n.wrapFile(handle, flags), fuseFlags, errno
}

func (n *node) wrapFile(handle fs.FileHandle, flags uint32) fs.FileHandle {
	if loopback, ok := handle.(*fs.LoopbackFile); ok {
		return &file{LoopbackFile: loopback, disk: n.disk, synced: flags&syscall.O_SYNC != 0}
	}
	return handle
}

type file struct {
	*fs.LoopbackFile
	disk   *Disk
	synced bool // each write is
}

// PassthroughFd keeps the kernel from passing by: it would talk to the file below by itself.
func (f *file) PassthroughFd() (int, bool) { return 0, false }

func (f *file) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	if errno := f.disk.sync(); errno != 0 {
		return errno
	}
	return f.LoopbackFile.Fsync(ctx, flags)
}

func (f *file) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if f.synced {
		if errno := f.disk.sync(); errno != 0 {
			return 0, errno
		}
	}
	return f.LoopbackFile.Write(ctx, data, off)
}

// Writev is Write: the bridge prefers it.
func (f *file) Writev(ctx context.Context, data [][]byte, off int64) (uint32, syscall.Errno) {
	if f.synced {
		if errno := f.disk.sync(); errno != 0 {
			return 0, errno
		}
	}
	return f.LoopbackFile.Writev(ctx, data, off)
}
