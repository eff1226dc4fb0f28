// Command skew builds a program whose wall clock can be set while it runs: time.Now adds the nanoseconds that stand in the file that
// FACEOFF_CHAOS_CLOCK names (eight bytes, the low one first). Its monotonic clock and its timers are the system's.
//
// It compiles the standard library with a changed copy of package time, made from the one that is installed; the installation stays as it is.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What is changed in time.Now.
const (
	reading = "\tsec, nsec, mono := runtimeNow()\n"
	skewed  = "\tsec, nsec, mono := skewedNow()\n"
)

// added is what is put beside it.
//
//go:embed skewed.go.txt
var added []byte

// probe prints how far the wall clock and the monotonic clock move when the file is written.
//
//go:embed probe.go.txt
var probe []byte

func main() {
	out := flag.String("o", "", "the program that is made")
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: skew -o PROGRAM PACKAGE")
		os.Exit(2)
	}
	if err := build(*out, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "skew:", err)
		os.Exit(1)
	}
}

func build(out, pkg string) error {
	// Always the same directory: the compiler's cache knows what it has compiled by the paths.
	dir, err := filepath.Abs(filepath.Join(filepath.Dir(out), ".skew"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	overlay, err := patch(dir)
	if err != nil {
		return err
	}
	if err := try(dir, overlay); err != nil {
		return err
	}
	return run("go", "build", "-overlay", overlay, "-o", out, pkg)
}

// patch writes the changed files to dir, and the list of them for the compiler.
func patch(dir string) (overlay string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	src := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	original, err := os.ReadFile(filepath.Join(src, "time.go"))
	if err != nil {
		return "", err
	}
	before, now, found := bytes.Cut(original, []byte("\nfunc Now() Time {\n"))
	if !found || !bytes.HasPrefix(now, []byte(reading)) || bytes.Count(original, []byte(reading)) != 1 {
		return "", fmt.Errorf("%s does not read the clock in time.Now alone, by %q: look at what changed and adapt skew", src, strings.TrimSpace(reading))
	}
	changed := bytes.Join([][]byte{before, bytes.Replace(now, []byte(reading), []byte(skewed), 1)}, []byte("\nfunc Now() Time {\n"))
	files := map[string][]byte{"time.go": changed, "skewed.go": added}
	replace := make(map[string]string)
	for name, content := range files {
		replace[filepath.Join(src, name)] = filepath.Join(dir, name)
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	list, encoding := json.Marshal(map[string]any{"Replace": replace})
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, errors.Join(err, encoding, os.WriteFile(overlay, list, 0o644))
}

// try makes sure that the change does what it should: a program that compiles may still have the system's clock.
func try(dir, overlay string) error {
	source, program := filepath.Join(dir, "probe.go"), filepath.Join(dir, "probe")
	clock := filepath.Join(dir, "clock")
	if err := errors.Join(os.WriteFile(source, probe, 0o644), os.WriteFile(clock, make([]byte, 8), 0o644)); err != nil {
		return err
	}
	if err := run("go", "build", "-overlay", overlay, "-o", program, source); err != nil {
		return err
	}
	return run(program, clock)
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if name != "go" {
		cmd.Env = append(os.Environ(), "FACEOFF_CHAOS_CLOCK="+args[0])
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}
