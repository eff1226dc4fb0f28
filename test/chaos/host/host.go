// Package host is the client of a host, as one would write it against the docs, in a process of its own: a test runs its own
// program again with orders in the environment. What the client does and is told it writes to its standard output, a JSON line each,
// with a call of its own, so that what it has written outlives a kill.
package host

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
)

// The doors for signs of life.
const (
	REST = "REST"
	GRPC = "gRPC"
	NATS = "NATS"
)

// Orders are what a client has to know. It watches its live by gRPC and sends commands by REST; NATS is needed only for signs of life by it.
type Orders struct {
	REST, GRPC, NATS string // addresses, as in cluster.Doors
	Door             string // for signs of life
	Token            string // of the host
	Live, Session    string
	Renew            time.Duration
}

// Kinds of lines.
const (
	Sign   = "sign"   // a sign of life is about to be sent
	Answer = "answer" // to the sign N
	Told   = "told"   // of something that happened to its live, or of a snapshot
	Rejoin = "rejoin" // of the connection, or of the battle Battle
	There  = "there"  // it is in its connection and its battle, as far as it has a right to
	Gone   = "gone"   // it ends: another session has taken over, or the live has ended
)

// Line is what a client writes.
type Line struct {
	At   int64  `json:"at"` // ns since 1970
	Kind string `json:"kind"`
	N    int    `json:"n,omitempty"` // of a sign, from 1
	// Reason is why a call was refused, empty if it was not; Unanswered if nothing is known.
	Reason string `json:"reason,omitempty"`

	// Of an answer: the log time, the state of presence, the session's fence.
	Now   int64 `json:"now,omitempty"` // ms since 1970
	State int32 `json:"state,omitempty"`
	Fence int64 `json:"fence,omitempty"`

	Battle  string `json:"battle,omitempty"`
	Message []byte `json:"message,omitempty"` // a WatchLiveResponse
}

// Unanswered is the reason of a call that no answer came to.
const Unanswered = "UNANSWERED"

// Heard decodes what a line says that it was told.
func (l Line) Heard() (*gatewayv1.WatchLiveResponse, error) {
	m := new(gatewayv1.WatchLiveResponse)
	return m, proto.Unmarshal(l.Message, m)
}

// Read calls each with every line that a client has written. A last line that it was killed at is left out.
func Read(from io.Reader, each func(Line)) error {
	for lines := bufio.NewReader(from); ; {
		raw, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		var l Line
		if err == nil {
			err = json.Unmarshal(raw, &l)
		}
		if err != nil {
			return fmt.Errorf("line of a host's client: %w", err)
		}
		each(l)
	}
}

const variable = "FACEOFF_TEST_HOST"

// Command is this program as a host's client: it must call Main before it does anything else.
func Command(o Orders) (*exec.Cmd, error) {
	orders, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), variable+"="+string(orders))
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// Main is the client, if this process was started to be one, and does not return then.
func Main() {
	orders, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	var o Orders
	err := json.Unmarshal([]byte(orders), &o)
	if err == nil {
		err = run(o, &writer{to: os.Stdout})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "host's client:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// writer writes lines.
type writer struct {
	mu sync.Mutex
	to io.Writer
}

func (w *writer) say(l Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.At = time.Now().UnixNano()
	raw, err := json.Marshal(l)
	if err == nil {
		_, err = w.to.Write(append(raw, '\n'))
	}
	if err != nil {
		panic(err) // who started it is gone, or its disk is full
	}
}
