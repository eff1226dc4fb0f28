package badinput

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// frames is an HTTP/2 connection that sends whatever frames it is told to.
type frames struct {
	t      *testing.T
	conn   net.Conn
	framer *http2.Framer
	fields *hpack.Encoder
	block  bytes.Buffer
}

// connect opens an HTTP/2 connection for the length of the test.
func connect(t *testing.T, addr string) *frames {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	f := &frames{t: t, conn: conn, framer: http2.NewFramer(conn, conn)}
	f.framer.AllowIllegalWrites = true
	f.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.fields = hpack.NewEncoder(&f.block)
	f.must(conn.SetDeadline(time.Now().Add(2 * patience)))
	_, err = io.WriteString(conn, http2.ClientPreface)
	f.must(err)
	f.must(f.framer.WriteSettings())
	for {
		frame, err := f.framer.ReadFrame()
		f.must(err)
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			f.must(f.framer.WriteSettingsAck())
			return f
		}
	}
}

func (f *frames) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// headers opens a stream with a call's headers. more are "name", "value", …; they replace those that a client of gRPC
// sends, and an empty value leaves one out.
func (f *frames) headers(stream uint32, end bool, method, token string, more ...string) error {
	fields := []string{
		":method", "POST", ":scheme", "http", ":path", method, ":authority", "x",
		"content-type", "application/grpc", "te", "trailers", "authorization", "Bearer " + token,
	}
	for i := 0; i < len(more); i += 2 {
		at := slices.Index(fields, more[i])
		if at < 0 {
			at = len(fields)
			fields = append(fields, "", "")
		}
		copy(fields[at:], more[i:i+2])
	}
	f.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		if fields[i+1] == "" {
			continue
		}
		if err := f.fields.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			return err
		}
	}
	for chunk, first := range f.chunks() {
		last := f.block.Len() == 0
		var err error
		if first {
			err = f.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: chunk, EndStream: end, EndHeaders: last})
		} else {
			err = f.framer.WriteContinuation(stream, last, chunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chunks cuts the header block into frames.
func (f *frames) chunks() iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		for first := true; f.block.Len() > 0; first = false {
			if !yield(f.block.Next(maxFrame), first) {
				return
			}
		}
	}
}

// maxFrame is the most that a frame may hold unless the peer allows more.
const maxFrame = 16 << 10

// data sends bytes as they are. What the peer does not take any more is not sent.
func (f *frames) data(stream uint32, end bool, b []byte) {
	for len(b) > maxFrame {
		if f.framer.WriteData(stream, false, b[:maxFrame]) != nil {
			return
		}
		b = b[maxFrame:]
	}
	_ = f.framer.WriteData(stream, end, b)
}

// message frames a message as gRPC does.
func message(compressed byte, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{compressed}, uint32(len(b))), b...)
}

// outcome is how a call, or its connection, has ended.
type outcome struct {
	http   string // status
	code   codes.Code
	reset  http2.ErrCode // of the stream; -1 if it was not
	goAway string        // of the connection
	closed bool          // without an answer
	status *status.Status
}

const notReset = http2.ErrCode(1<<32 - 1)

// String tells what the outcome was.
func (o outcome) String() string {
	switch {
	case o.goAway != "":
		return "GOAWAY " + o.goAway
	case o.closed:
		return "closed"
	case o.reset != notReset:
		return "RST_STREAM " + o.reset.String()
	}
	return fmt.Sprintf("HTTP %s, %s: %s", o.http, o.code, o.status.Message())
}

// outcome reads until a stream has ended, or the connection has. Data is taken off the flow.
func (f *frames) outcome(stream uint32) outcome {
	f.t.Helper()
	o := outcome{code: codes.OK, reset: notReset, status: status.New(codes.OK, "")}
	for {
		frame, err := f.framer.ReadFrame()
		if err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				f.t.Fatalf("stream %d has no outcome", stream)
			}
			o.closed = true
			return o
		}
		if away, ok := frame.(*http2.GoAwayFrame); ok && away.ErrCode != http2.ErrCodeNo {
			o.goAway = away.ErrCode.String() + " " + string(away.DebugData())
			return o
		}
		if frame.Header().StreamID != stream {
			continue
		}
		switch frame := frame.(type) {
		case *http2.RSTStreamFrame:
			o.reset = frame.ErrCode
			return o
		case *http2.MetaHeadersFrame:
			o.read(frame)
			if frame.StreamEnded() {
				return o
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				return o
			}
		}
	}
}

func (o *outcome) read(frame *http2.MetaHeadersFrame) {
	var message string
	for _, h := range frame.Fields {
		switch h.Name {
		case ":status":
			o.http = h.Value
		case "grpc-status":
			n, _ := strconv.Atoi(h.Value)
			o.code = codes.Code(n)
		case "grpc-message":
			message = h.Value
		case "grpc-status-details-bin":
			raw, _ := base64.RawStdEncoding.DecodeString(h.Value)
			full := new(spb.Status)
			if proto.Unmarshal(raw, full) == nil {
				o.status = status.FromProto(full)
				return
			}
		}
	}
	if o.code != codes.OK {
		o.status = status.New(o.code, message)
	}
}
