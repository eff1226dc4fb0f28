//go:build linux

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// restartAfter is how soon a process that ended by itself is started again.
	restartAfter = 300 * time.Millisecond
	// stopTime is how long a process may take to stop: what an orchestrator commonly leaves.
	stopTime = 30 * time.Second
)

// ErrSlowStop says that a process did not stop when it was told to, and was killed.
var ErrSlowStop = errors.New("a process did not stop")

// Process is a program that is kept running as a supervisor would, but for the times when a fault holds it down.
type Process struct {
	Name string

	log     *slog.Logger
	logPath string
	command func() *exec.Cmd
	ready   func(context.Context) error // whether it serves

	mu      sync.Mutex
	changed chan struct{} // closed and made anew when anything below changes
	holds   int           // how many faults hold it down
	ending  bool
	cmd     *exec.Cmd // what runs; nil: nothing
	exits   []Exit

	done chan struct{} // closed when it is not started any more
}

// Exit is an end that nobody asked for.
type Exit struct {
	Process string
	Code    int // -1: by a signal
}

func newProcess(name, dir string, log *slog.Logger, ready func(context.Context) error, command func() *exec.Cmd) *Process {
	p := &Process{
		Name: name, log: log, logPath: filepath.Join(dir, name+".log"), command: command, ready: ready,
		changed: make(chan struct{}), done: make(chan struct{}),
	}
	go p.supervise()
	return p
}

// supervise starts the process whenever it does not run and may.
func (p *Process) supervise() {
	defer close(p.done)
	for p.await(context.Background(), func() bool { return p.ending || p.holds == 0 }) == nil {
		p.mu.Lock()
		if p.ending {
			p.mu.Unlock()
			return
		}
		if p.holds > 0 {
			p.mu.Unlock()
			continue
		}
		cmd, err := p.start()
		if err == nil {
			p.cmd = cmd
			p.change()
		}
		p.mu.Unlock()
		if err != nil {
			p.log.Error("start", "process", p.Name, "error", err)
		} else {
			_ = cmd.Wait() // how it ended is in its state
			p.mu.Lock()
			p.cmd = nil
			if p.holds == 0 && !p.ending {
				p.exits = append(p.exits, Exit{Process: p.Name, Code: cmd.ProcessState.ExitCode()})
				p.log.Info("ended by itself", "process", p.Name, "state", cmd.ProcessState.String())
			}
			p.change()
			p.mu.Unlock()
		}
		pause, cancel := context.WithTimeout(context.Background(), restartAfter)
		_ = p.await(pause, func() bool { return p.ending || p.holds > 0 })
		cancel()
	}
}

// start starts it in a process group of its own that ends with the harness. What it says is appended to its log.
func (p *Process) start() (*exec.Cmd, error) {
	out, err := os.OpenFile(p.logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := p.command()
	cmd.Stdout, cmd.Stderr = out, out
	// The signal is sent when the thread that started it ends; the Go runtime ends threads only that a goroutine has locked.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, cmd.Start()
}

func (p *Process) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// await waits until is, which is called with the lock held, says so.
func (p *Process) await(ctx context.Context, is func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := is(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Down ends the process by a signal and holds it down until Up has been called as often as Down. It waits for the end.
func (p *Process) Down(signal syscall.Signal) error {
	p.mu.Lock()
	p.holds++
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(signal) // it may have ended just now
	}
	p.change()
	p.mu.Unlock()
	return p.awaitEnd()
}

// awaitEnd waits until the process has ended; one that does not by itself is killed.
func (p *Process) awaitEnd() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	gone := func() bool { return p.cmd == nil }
	if p.await(ctx, gone) == nil {
		return nil
	}
	p.Signal(syscall.SIGKILL)
	_ = p.await(context.Background(), gone)
	return fmt.Errorf("%w: %s, after %v", ErrSlowStop, p.Name, stopTime)
}

// Up lets a process run again.
func (p *Process) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds--
	p.change()
}

// Signal sends a signal to the process if it runs.
func (p *Process) Signal(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(signal)
	}
}

// freezeTime bounds the wait for a process to stand still; it takes less than a millisecond.
const freezeTime = 10 * time.Second

// freeze stops the process, if it runs, and returns when none of its threads does anything any more but wait for the disk.
func (p *Process) freeze() error {
	p.mu.Lock()
	cmd := p.cmd
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	deadline := time.Now().Add(freezeTime)
	for {
		still, err := standsStill(cmd.Process.Pid)
		if err != nil || still {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not stand still", p.Name)
		}
		runtime.Gosched()
	}
}

// standsStill reports whether each thread of a process is stopped, waits for the disk, or is gone.
func standsStill(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false, err
	}
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // gone
		}
		// Behind the name, which is in parentheses and may hold anything, is the state.
		if i := bytes.LastIndexByte(stat, ')'); i < 0 || i+2 >= len(stat) || !strings.ContainsRune("TtDZX", rune(stat[i+2])) {
			return false, nil
		}
	}
	return true, nil
}

// end ends the process for good.
func (p *Process) end() {
	p.mu.Lock()
	p.ending = true
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
	}
	p.change()
	p.mu.Unlock()
	<-p.done
}

// Exits are the ends that nobody asked for.
func (p *Process) Exits() []Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Exit(nil), p.exits...)
}

// Ready waits until the process serves.
func (p *Process) Ready(ctx context.Context) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.Name, err)
		}
	}
}

// prober asks without keeping connections: who answers may be another process by the next time.
var prober = &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// answers asks a URL, which answers 200 when a process serves.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := prober.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	}
}
