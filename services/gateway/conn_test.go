package gateway

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestHeads(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]error{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                                               nil,
		"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n":                                       nil,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{\n}":                     nil,
		"GET / HTTP/1.1\r\nHost: x\r\nX-Note:\r\n\r\n":                                    nil,
		"GET / HTTP/1.1\nHost: x\n\n":                                                     errLines,
		"GET / HTTP/1.1\r\nHost: x\n\r\n\r\n":                                             errLines,
		"GET / HTTP/1.1\r\nHost: x\r\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n":                errLines,
		"GET / HTTP/1.1\r\nHost: x\r\nX-Note: a\r\n b\r\n\r\n":                            errFold,
		"GET / HTTP/1.1\r\nHost: x\r\n\tb\r\n\r\n":                                        errFold,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-length: 2\r\ntransfer-encoding: x\r\n\r\n": errFrames,
	} {
		if _, err := endOfHead([]byte(head)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", head, err, want)
		}
	}
}

// FuzzHead: of a request that net/http takes and that is not refused here, the body begins where net/http says, however
// the bytes come in.
func FuzzHead(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\nrest",
		"POST /v1/lives HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n \r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\n\r\n",
		"GET / HTTP/1.1\r\n\r\n\r\n", "GET / HTTP/1.0\r\nA:\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r", "\r\n\r\n",
	} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		in := bufio.NewReaderSize(bytes.NewReader(data), len(data)+16)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		head := len(data) - in.Buffered()
		end, err := endOfHead(data)
		if err == nil && end != head {
			t.Fatalf("the body begins at %d, net/http says %d", end, head)
		}
		if err == nil && len(r.TransferEncoding) > 0 && r.Header.Get("Content-Length") != "" {
			t.Fatal("two lengths pass")
		}
		// The rest is what comes ahead of the next request, in pieces of any size.
		whole, pieces := &conn{}, &conn{}
		whole.keep(data)
		for b := data; len(b) > 0; b = b[min(len(b), int(size)+1):] {
			pieces.keep(b[:min(len(b), int(size)+1)])
		}
		body := max(r.ContentLength, 0)
		if a, b := whole.begin(body), pieces.begin(body); !errors.Is(a, b) || !bytes.Equal(whole.ahead, pieces.ahead) || whole.body != pieces.body {
			t.Fatalf("at once: %v, %q, %d; in pieces: %v, %q, %d", a, whole.ahead, whole.body, b, pieces.ahead, pieces.body)
		}
		if err == nil && whole.body > 0 && len(whole.ahead) > 0 {
			t.Fatalf("%q comes ahead of a body that is still to come", whole.ahead)
		}
	})
}

// TestBodiesOnOneConnection: where one request ends the next begins, whatever stands in the bodies and however it comes.
func TestBodiesOnOneConnection(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ConnContext: withConn, Handler: strict(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			body, _ := io.ReadAll(r.Body)
			_, _ = fmt.Fprintf(w, "%x", sha256.Sum256(body))
		}
	}))}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(limitConnections(lis, 10)) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	body := strings.Repeat("\n \n\r\n\r\n", 1000)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	request := func(path string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 7000\r\n\r\n" + body
	}
	all := strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n"+request("/read")+request("/")+"\r\n", 20)
	for _, size := range []int{len(all), 1000, 17} {
		c, err := net.Dial("tcp", lis.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for b := all; b != ""; b = b[min(len(b), size):] {
				_, _ = io.WriteString(c, b[:min(len(b), size)])
			}
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Note: a\r\n b\r\n\r\n")
		}()
		in := bufio.NewReader(c)
		for i := range 61 {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("answer %d, pieces of %d: %v", i, size, err)
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			want := http.StatusOK
			if i == 60 {
				want = http.StatusBadRequest
			}
			if err != nil || resp.StatusCode != want || i%3 == 1 && string(got) != sum {
				t.Fatalf("answer %d, pieces of %d: %d %q %v", i, size, resp.StatusCode, got, err)
			}
		}
		_ = c.Close()
	}
}
