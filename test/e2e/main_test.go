package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// binary is the built product; shared is the stack that scenarios share.
var (
	binary string
	shared *stack
)

func TestMain(m *testing.M) {
	host.Main()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "faceoff-e2e-")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary, err = build(dir); err != nil {
		return complain(err)
	}
	if os.Getenv("FACEOFF_E2E_URL") != "" {
		if shared, err = given(); err != nil {
			return complain(err)
		}
		defer shared.close()
		return m.Run()
	}
	p, err := startDev(filepath.Join(dir, "data"))
	if err != nil {
		return complain(err)
	}
	defer p.stop()
	shared = p.stack
	defer shared.close()
	return m.Run()
}

func complain(err error) int {
	_, _ = fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// build builds the binary, unless one is given.
func build(dir string) (string, error) {
	if given := os.Getenv("FACEOFF_BIN"); given != "" {
		return filepath.Abs(given)
	}
	path := filepath.Join(dir, "faceoff")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/faceoff")
	cmd.Dir = filepath.Join("..", "..", "services", "faceoff")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, out)
	}
	return path, nil
}
