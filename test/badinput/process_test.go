package badinput

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// product is the path of the built binary.
var product string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "faceoff-badinput-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = build(dir)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "badinput:", err)
		return 1
	}
	return m.Run()
}

// build builds the binary, unless one is given.
func build(dir string) (err error) {
	if given := os.Getenv("FACEOFF_BIN"); given != "" {
		product, err = filepath.Abs(given)
		return err
	}
	product = filepath.Join(dir, "faceoff")
	cmd := exec.Command("go", "build", "-o", product, "./cmd/faceoff")
	cmd.Dir = filepath.Join("..", "..", "services", "faceoff")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the binary: %w\n%s", err, out)
	}
	return nil
}

// process is one service of the product.
type process struct {
	name    string
	metrics string // address
	ended   chan struct{}
	log     *log
}

// start starts a service for the length of the test.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{name: name, metrics: freeAddr(t), ended: make(chan struct{}), log: new(log)}
	cmd := exec.Command(product, append([]string{name, "--metrics", p.metrics}, args...)...)
	cmd.Stderr = p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s does not stop:\n%s", name, p.log.all())
			_ = cmd.Process.Kill()
			<-p.ended
		}
	})
	return p
}

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) awaitReady(t *testing.T) {
	t.Helper()
	await(t, p.name+" is ready", func() error {
		if !p.alive() {
			t.Fatalf("%s has ended:\n%s", p.name, p.log.all())
		}
		_, err := get("http://" + p.metrics + "/readyz")
		return err
	})
}

// held is what a process holds: goroutines, and open files with its connections.
type held struct{ goroutines, files int }

// holds asks the process on a connection of its own, so that asking always costs the same.
func (p *process) holds() (h held, err error) {
	text, err := get("http://" + p.metrics + "/metrics")
	if err != nil {
		return h, err
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, " ")
		switch name {
		case "go_goroutines":
			h.goroutines, err = strconv.Atoi(value)
		case "process_open_fds":
			h.files, err = strconv.Atoi(value)
		}
		if err != nil {
			return h, err
		}
	}
	if h.goroutines == 0 || h.files == 0 {
		err = errors.New("the metrics do not say what the process holds")
	}
	return h, err
}

// get returns the body of a page.
func get(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}

// patience is how long anything may take that should happen at once.
const patience = 30 * time.Second

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() error) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited %v until %s: %v", patience, what, err)
		}
	}
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	return lis.Addr().String()
}

// log keeps what a process writes to its standard error.
type log struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	read int // how much of it complaints has looked at
}

// Write implements io.Writer.
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// complaints are the lines since the last call that tell of a fault: errors, and what is no record, such as a panic.
func (l *log) complaints() (bad []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.buf.String()[l.read:]
	fresh = fresh[:strings.LastIndexByte(fresh, '\n')+1]
	l.read += len(fresh)
	for line := range strings.Lines(fresh) {
		if !strings.HasPrefix(line, "{") || strings.Contains(line, `"level":"ERROR"`) {
			bad = append(bad, line)
		}
	}
	return bad
}
