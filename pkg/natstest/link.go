package natstest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// link passes on connections to an address, unless it is cut.
type link struct {
	lis net.Listener
	to  string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{} // both ends of each
}

func newLink(t testing.TB, to string) *link {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{lis: lis, to: to, conns: make(map[net.Conn]struct{})}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return // closed
			}
			serving.Go(func() { l.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = lis.Close()
		l.set(true)
		serving.Wait()
	})
	return l
}

func (l *link) addr() string { return l.lis.Addr().String() }

func (l *link) serve(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer to.Close()
	if !l.hold(from, to) {
		return
	}
	defer l.release(from, to)
	var both sync.WaitGroup
	pass := func(dst, src net.Conn) {
		_, _ = io.Copy(dst, src) // either end may go at any time; then so does the other
		_ = dst.Close()
		_ = src.Close()
	}
	both.Go(func() { pass(to, from) })
	both.Go(func() { pass(from, to) })
	both.Wait()
}

// hold keeps connections in mind, to be closed when the link is cut; false if it is cut now.
func (l *link) hold(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return false
	}
	for _, c := range conns {
		l.conns[c] = struct{}{}
	}
	return true
}

func (l *link) release(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.conns, c)
	}
}

// set cuts the link, or mends it.
func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for c := range l.conns {
			_ = c.Close()
		}
	}
}
