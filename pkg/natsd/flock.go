//go:build unix

package natsd

import (
	"os"
	"syscall"
)

// flock takes the file for this process, or fails at once if another has it. The kernel gives it up when the process ends,
// however that happens.
func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
