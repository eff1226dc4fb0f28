//go:build linux

package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// write writes a file, synced or not.
func write(t *testing.T, path string, synced bool) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if !synced {
		return
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := errors.Join(file.Sync(), dir.Sync()); err != nil {
		t.Fatal(err)
	}
}

func TestPowerCutLosesWhatIsNotSynced(t *testing.T) {
	t.Parallel()
	if err := CanCutPower(t.TempDir()); err != nil {
		t.Log("not here:", err)
		return
	}
	dir := t.TempDir()
	v, err := newVolume(filepath.Join(dir, "image"), filepath.Join(dir, "mnt"))
	t.Cleanup(func() {
		if err := v.unmount(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	synced, lost := filepath.Join(v.dir, "synced"), filepath.Join(v.dir, "lost")
	write(t, synced, true)
	write(t, lost, false)
	if err := v.cutPower(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.dir, "late"), nil, 0o644); !errors.Is(err, syscall.EIO) {
		t.Errorf("a write without power: %v", err)
	}
	if err := errors.Join(v.unmount(), v.mount()); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(synced); string(data) != "kept" {
		t.Errorf("what was synced is %q, %v", data, err)
	}
	if data, err := os.ReadFile(lost); len(data) > 0 {
		t.Errorf("what was not synced is %q, %v", data, err)
	}
}

func TestMountsOfDeadHarnessAreGivenBack(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	if err := CanCutPower(t.TempDir()); err != nil {
		t.Log("not here:", err)
		return
	}
	// Nobody holds the lock of this one.
	dead := filepath.Join(parent, "run-dead")
	if err := os.Mkdir(dead, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dead, claimed), false)
	v, err := newVolume(filepath.Join(dead, "image"), filepath.Join(dead, "mnt"))
	if err != nil {
		t.Fatal(err)
	}
	alive, release, err := Claim(parent, "run-*")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if mounts, err := mountsBelow(dead); err != nil || len(mounts) > 0 {
		t.Errorf("still mounted: %v, %v", mounts, err)
		_ = v.unmount()
	}
	second, releaseSecond, err := Claim(parent, "run-*")
	if err != nil || second == alive {
		t.Fatalf("%s, %v", second, err)
	}
	releaseSecond()
	if _, err := os.Stat(filepath.Join(alive, claimed)); err != nil {
		t.Errorf("the claim of one that lives: %v", err)
	}
}

func TestDiskIsSlowAndFails(t *testing.T) {
	t.Parallel()
	if err := CanHarmDisks(t.TempDir()); err != nil {
		t.Log("not here:", err)
		return
	}
	dir := t.TempDir()
	below, above := filepath.Join(dir, "below"), filepath.Join(dir, "above")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := newDisk(below, above)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.unmount(); err != nil {
			t.Error(err)
		}
	})
	write(t, filepath.Join(above, "file"), true)
	if data, err := os.ReadFile(filepath.Join(below, "file")); string(data) != "kept" {
		t.Errorf("below there is %q, %v", data, err)
	}

	synced := func(path string) error {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_SYNC, 0o644)
		if err != nil {
			return err
		}
		_, err = file.WriteString("more")
		return errors.Join(err, file.Close())
	}
	for name, sync := range map[string]func() error{
		"fsync": func() error {
			file, err := os.OpenFile(filepath.Join(above, "file"), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			return errors.Join(file.Sync(), file.Close())
		},
		"O_SYNC of an old file": func() error { return synced(filepath.Join(above, "file")) },
		"O_SYNC of a new file":  func() error { return synced(filepath.Join(above, "new")) },
	} {
		d.Slow(slow)
		began := time.Now()
		if err := sync(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took < slow {
			t.Errorf("%s took %v", name, took)
		}
		d.Slow(0)
		d.FailSync()
		if err := sync(); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s on a disk that fails: %v", name, err)
		}
		if err := sync(); err != nil {
			t.Errorf("%s after one that failed: %v", name, err)
		}
		_ = os.Remove(filepath.Join(above, "new"))
	}
}
