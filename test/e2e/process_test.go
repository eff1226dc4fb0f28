package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// process is a `faceoff dev` that can be killed and started again on the same data and addresses.
type process struct {
	stack *stack
	data  string
	cmd   *exec.Cmd
	log   *tail
	ended chan struct{} // closed when cmd has
}

// startDev starts `faceoff dev` on free ports.
func startDev(data string) (*process, error) {
	p := &process{data: data}
	if err := p.start("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	return p, nil
}

// start runs the process until it says that it is ready.
func (p *process) start(http, grpc, nats string) error {
	p.log = new(tail)
	p.cmd = exec.Command(binary, "dev", "--http", http, "--grpc", grpc, "--nats", nats, "--data", p.data)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	lines := make(chan []string, 1)
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		var redis string
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			line := scanner.Text()
			if i := strings.Index(line, "redis://"); i >= 0 {
				redis, _, _ = strings.Cut(line[i:], " ")
			}
			if rest, ok := strings.CutPrefix(line, "ready "); ok {
				lines <- append(strings.Fields(rest), "redis="+redis)
			}
		}
		_ = p.cmd.Wait()
	}()
	select {
	case fields := <-lines:
		if p.stack == nil {
			p.stack, err = dial(fields)
			return err
		}
		return p.stack.moveRedis(fields)
	case <-p.ended:
		return fmt.Errorf("faceoff dev ended: %s", p.log)
	case <-time.After(20 * time.Second):
		p.stop()
		return fmt.Errorf("faceoff dev is not ready: %s", p.log)
	}
}

// kill ends the process as a power cut would, as far as a process can tell.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// restart starts it again where it was, and waits until the test's own connection to its NATS is there again: nothing is sent without.
func (p *process) restart() error {
	err := p.start(strings.TrimPrefix(p.stack.HTTP, "http://"), p.stack.GRPC, strings.TrimPrefix(p.stack.NATS, "nats://"))
	if err != nil {
		return err
	}
	again := p.stack.nats.StatusChanged(nats.CONNECTED)
	defer p.stack.nats.RemoveStatusListener(again)
	if p.stack.nats.IsConnected() {
		return nil
	}
	select {
	case <-again:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("not connected to NATS again: %w", p.stack.nats.LastError())
	}
}

// stop ends the process in an orderly way.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		p.kill()
	}
}

// tail keeps the last lines of a log.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const kept = 64 << 10

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > kept {
		t.buf.Next(t.buf.Len() - kept/2)
	}
	return t.buf.Write(b)
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// faceoff runs the binary and returns its output and its exit code.
func faceoff(args ...string) (out []byte, code int, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &stdout, io.MultiWriter(&stderr, os.Stderr)
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return stdout.Bytes(), exit.ExitCode(), nil
	}
	return stdout.Bytes(), 0, err
}
