package gateway

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// conn is a connection of the REST listener. It keeps the head of the next request as it came, because net/http takes
// heads that a proxy in front of us may read differently, and then does not tell what they were.
type conn struct {
	net.Conn
	release func() // gives the place back

	mu sync.Mutex
	// ahead is what has come after the body of the last request. It is never more than a head and net/http's buffer.
	ahead []byte
	// body is how much of the last request's body is still to come.
	body int64
	// last: there is no next request on this connection.
	last bool
}

// Close implements net.Conn.
func (c *conn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// CloseWrite lets net/http end a connection so that its answer arrives even if not all of the request was read.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.last {
		c.keep(b[:n])
	}
	return n, err
}

// keep keeps what comes after the body that is still to come.
func (c *conn) keep(b []byte) {
	of := min(int64(len(b)), c.body)
	c.body -= of
	c.ahead = append(c.ahead, b[of:]...)
}

// begin looks at the head of the request that net/http has just read, whose body has the given length, -1 if it tells
// its end itself.
func (c *conn) begin(body int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	end, err := endOfHead(c.ahead)
	if err != nil || body < 0 {
		c.last, c.ahead = true, nil
		return err
	}
	came := c.ahead[end:]
	c.ahead, c.body = nil, body
	c.keep(came)
	return nil
}

var (
	errLines  = errors.New("lines must end with CR LF")
	errFold   = errors.New("headers must not be folded")
	errFrames = errors.New("Content-Length and Transfer-Encoding exclude each other")
)

// endOfHead returns where the body of a request begins. The error tells that RFC 9112 allows to read the head in more than
// one way (sections 2.2, 5.2 and 6.3).
func endOfHead(b []byte) (int, error) {
	before := len(b)
	b = bytes.TrimLeft(b, "\r\n") // net/http passes over blank lines after a POST
	before -= len(b)
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, errLines
	}
	var hasLength, hasEncoding bool
	for line := range bytes.SplitSeq(b[:end], []byte("\r\n")) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return 0, errLines
		}
		if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			return 0, errFold
		}
		name, _, _ := bytes.Cut(line, []byte(":"))
		hasLength = hasLength || bytes.EqualFold(name, []byte("Content-Length"))
		hasEncoding = hasEncoding || bytes.EqualFold(name, []byte("Transfer-Encoding"))
	}
	if hasLength && hasEncoding {
		return 0, errFrames
	}
	return before + end + len("\r\n\r\n"), nil
}

type connKey struct{}

// withConn puts a connection into the context of its requests.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// strict refuses requests whose head can be read in more than one way.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok {
			if err := c.begin(r.ContentLength); err != nil {
				w.Header().Set("Connection", "close")
				http.Error(w, "400 Bad Request: "+err.Error(), http.StatusBadRequest)
				return
			}
		}
		if r.ContentLength < 0 {
			w.Header().Set("Connection", "close") // conn does not look for the end of such a body
		}
		next.ServeHTTP(w, r)
	})
}
