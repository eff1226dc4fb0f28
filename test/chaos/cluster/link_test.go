//go:build linux

package cluster

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo is a server that says what it hears, and tells what it has heard.
func echo(t *testing.T) (address string, heard chan string) {
	t.Helper()
	lis, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	heard = make(chan string, 100)
	go func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 100)
				for {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					heard <- string(buf[:n])
					if _, err := conn.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return lis.Addr().String(), heard
}

func newLink(t *testing.T) (l *Link, heard chan string) {
	t.Helper()
	address, heard := echo(t)
	l, err := newLinks()("a", "b", loopback+":0", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	return l, heard
}

// quick is how long an answer may take that is to come, slow how long one is awaited that is not.
const (
	quick = 10 * time.Second
	slow  = 200 * time.Millisecond
)

// say says something on a connection and returns the answer.
func say(conn net.Conn, wait time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 5))
	return err
}

func dialLink(t *testing.T, l *Link) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.proxy.Listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// whole makes sure that new connections are served again.
func whole(t *testing.T, l *Link) {
	t.Helper()
	if err := say(dialLink(t, l), quick); err != nil {
		t.Errorf("after healing: %v", err)
	}
}

func TestCutLinkRefuses(t *testing.T) {
	t.Parallel()
	l, _ := newLink(t)
	before := dialLink(t, l)
	if err := say(before, quick); err != nil {
		t.Fatal(err)
	}
	var heals []func() error
	for range 2 {
		heal, err := l.Cut()
		if err != nil {
			t.Fatal(err)
		}
		heals = append(heals, heal)
	}
	if err := say(before, quick); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection from before: %v", err)
	}
	for _, heal := range heals {
		if conn, err := net.Dial("tcp", l.proxy.Listen); err == nil {
			_ = conn.Close()
			t.Error("a new connection is taken")
		}
		if err := heal(); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, l)
}

func TestDroppedIsNotHeard(t *testing.T) {
	t.Parallel()
	l, heard := newLink(t)
	conn := dialLink(t, l)
	heal, err := l.Drop()
	if err != nil {
		t.Fatal(err)
	}
	if err := say(conn, slow); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answer: %v", err)
	}
	if len(heard) > 0 {
		t.Error("it was heard")
	}
	if err := heal(); err != nil {
		t.Fatal(err)
	}
	whole(t, l)
}

func TestOnlyTheAnswerIsDropped(t *testing.T) {
	t.Parallel()
	l, heard := newLink(t)
	conn := dialLink(t, l)
	heal, err := l.DropAnswers()
	if err != nil {
		t.Fatal(err)
	}
	if err := say(conn, slow); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answer: %v", err)
	}
	await(t, "it is heard", func() bool { return len(heard) > 0 })
	if err := heal(); err != nil {
		t.Fatal(err)
	}
	if err := say(conn, quick); err == nil {
		t.Error("a connection that has lost an answer goes on")
	}
	whole(t, l)
}

func TestResetAndDelayedLinks(t *testing.T) {
	t.Parallel()
	l, _ := newLink(t)
	heal, err := l.Reset()
	if err != nil {
		t.Fatal(err)
	}
	if err := say(dialLink(t, l), quick); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reset: %v", err)
	}
	if err := heal(); err != nil {
		t.Fatal(err)
	}
	heal, err = l.Delay(slow)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := say(dialLink(t, l), quick); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < slow/2 {
		t.Errorf("delayed by %v", took)
	}
	if err := heal(); err != nil {
		t.Fatal(err)
	}
	whole(t, l)
}
