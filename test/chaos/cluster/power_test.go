//go:build linux

package cluster

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// appendTo is the variable that makes the test binary append numbers to the file that it names, sync each one and then say it.
const appendTo = "FACEOFF_CHAOS_TEST_APPEND_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(appendTo); path != "" {
		fmt.Println(appendNumbers(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func appendNumbers(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	for n := uint64(1); err == nil; n++ {
		if _, err = file.Write(binary.BigEndian.AppendUint64(nil, n)); err == nil {
			err = file.Sync()
		}
		if err == nil {
			fmt.Println(n)
		}
	}
	return err
}

// What was said to be synced before the power was cut is there afterwards, wherever the cut comes.
func TestPowerCutKeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := CanCutPower(dir); err != nil {
		t.Log("not here:", err)
		return
	}
	v, err := newVolume(filepath.Join(dir, "image"), filepath.Join(dir, "mnt"))
	t.Cleanup(func() {
		if err := v.unmount(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for cut := range 10 {
		cutWhileAppending(t, dir, v, strconv.Itoa(cut))
	}
}

func cutWhileAppending(t *testing.T, dir string, v *volume, name string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(v.dir, name)
	n := &Node{volume: v}
	n.Process = newProcess(name, dir, slog.New(slog.DiscardHandler), nil, func() *exec.Cmd {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), appendTo+"="+path)
		return cmd
	})
	defer n.end()
	said := func() []byte {
		data, _ := os.ReadFile(filepath.Join(dir, name+".log")) // there is none yet
		return data
	}
	await(t, "something is appended", func() bool { return bytes.Count(said(), []byte("\n")) > 5 })
	restore, err := CutPower(n)
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := bytes.Count(said(), []byte("\n"))
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range acknowledged {
		if want := binary.BigEndian.AppendUint64(nil, uint64(i+1)); len(kept) < 8*(i+1) || !bytes.Equal(kept[8*i:8*i+8], want) {
			t.Fatalf("cut %s: %d numbers were acknowledged, %d bytes are kept", name, acknowledged, len(kept))
		}
	}
}
