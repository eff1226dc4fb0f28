//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// counter is a process that adds a line to a file whenever it starts, then does what the shell is told.
func counter(t *testing.T, then string) (p *Process, starts func() int) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "starts")
	starts = func() int {
		data, _ := os.ReadFile(file) // none yet: no start
		return strings.Count(string(data), "\n")
	}
	ready := func(context.Context) error {
		if starts() == 0 {
			return errors.New("it has not started")
		}
		return nil
	}
	p = newProcess("counter", dir, slog.New(slog.DiscardHandler), ready, func() *exec.Cmd {
		return exec.Command("sh", "-c", fmt.Sprintf("echo >>%s; %s", file, then))
	})
	t.Cleanup(p.end)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, starts
}

// await polls for a condition.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatal("never: " + what)
		}
	}
}

const forever = "exec sleep 1000"

func TestProcessIsDownUntilEveryFaultIsOver(t *testing.T) {
	t.Parallel()
	p, starts := counter(t, forever)
	for range 2 {
		if err := p.Down(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	p.Up()
	// A process that ended by itself would be back by now.
	down, cancel := context.WithTimeout(t.Context(), 2*restartAfter)
	defer cancel()
	if err := p.await(down, func() bool { return p.cmd != nil }); err == nil {
		t.Error("it runs while it is held down")
	}
	p.Up()
	await(t, "a second start", func() bool { return starts() == 2 })
	if exits := p.Exits(); len(exits) > 0 {
		t.Errorf("ends that were asked for are told as %v", exits)
	}
}

func TestProcessThatEndsIsStartedAgain(t *testing.T) {
	t.Parallel()
	p, starts := counter(t, "exit 3")
	await(t, "three starts", func() bool { return starts() >= 3 })
	if exits := p.Exits(); len(exits) < 2 || exits[0].Code != 3 {
		t.Errorf("its ends are %v", exits)
	}
}

func TestPausedProcessCanBeKilled(t *testing.T) {
	t.Parallel()
	p, starts := counter(t, forever)
	p.Signal(syscall.SIGSTOP)
	if err := p.Down(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.Up()
	await(t, "a second start", func() bool { return starts() == 2 })
}
