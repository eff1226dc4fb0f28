package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Stores is the ledger.Stores of one replica in JetStream.
type Stores struct {
	js       jetstream.JetStream
	replica  string
	replicas int
	maxBytes int64
	pace     ledger.Pace

	eventsMaxAge   time.Duration
	eventsMaxBytes int64
}

// NewStores makes the Stores of a new replica; replicas is how many servers keep each stream, 1, 3 or 5.
func NewStores(nc *nats.Conn, replicas int) (*Stores, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	return &Stores{js: js, replica: ids.New(), replicas: replicas, pace: ledger.Pace{Turn: make(chan struct{}, 1)}}, nil
}

// LimitLogs sets how large a log may grow that Open creates, in bytes; without it, or with 0, there is no limit.
func (s *Stores) LimitLogs(maxBytes int64) { s.maxBytes = maxBytes }

// PaceSnapshots sets how often snapshots are made of the logs that are opened after it; see ledger.Pace.
func (s *Stores) PaceSnapshots(bytes int64, every time.Duration) {
	s.pace.Bytes, s.pace.Every = bytes, every
}

// Open implements ledger.Stores.
func (s *Stores) Open(ctx context.Context, name, subject string) (ledger.Store, error) {
	log, err := openLog(ctx, s.js, logConfig(name, subject, s.replicas, s.maxBytes))
	if err != nil {
		return ledger.Store{}, err
	}
	heads, err := OpenHeads(ctx, s.js, name, s.replicas)
	if err != nil {
		return ledger.Store{}, err
	}
	snapshots, err := OpenSnapshots(ctx, s.js, name, s.replicas)
	if err != nil {
		return ledger.Store{}, err
	}
	lease, err := NewLease(ctx, s.js, name, s.replica, s.replicas)
	if err != nil {
		return ledger.Store{}, err
	}
	return ledger.Store{
		Log: log, Heads: heads, Snapshots: snapshots, Pace: s.pace,
		Lease: lease, Peers: NewPeers(s.js.Conn()), Clock: log,
	}, nil
}

// Stat implements ledger.Stores.
func (s *Stores) Stat(ctx context.Context, name string) (head uint64, exists bool, err error) {
	log := &Log{js: s.js, nc: s.js.Conn(), name: name}
	switch err := log.discover(ctx); {
	case errors.Is(err, errMissing):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	}
	stream, err := s.js.Stream(ctx, log.newest().Stream)
	if err != nil {
		return 0, false, fmt.Errorf("stream of %s: %w", name, err)
	}
	return stream.CachedInfo().State.LastSeq, true, nil
}

// Heads returns where the head of a log is kept, if it is kept anywhere.
func (s *Stores) Heads(name string) ledger.Heads {
	return &heads{js: s.js, log: name, replicas: s.replicas}
}

// Snapshots returns where the snapshots of a log are kept, if any are kept.
func (s *Stores) Snapshots(name string) ledger.Snapshots {
	return &snapshots{js: s.js, log: name, replicas: s.replicas}
}

// Other implements ledger.Stores.
func (s *Stores) Other(name string) ledger.Log {
	return &otherLog{js: s.js, name: name}
}

// otherLog is a log of another service, opened when it is first read.
type otherLog struct {
	js   jetstream.JetStream
	name string

	mu  sync.Mutex
	log *Log
}

func (o *otherLog) open(ctx context.Context) (*Log, error) {
	o.mu.Lock()
	log := o.log
	o.mu.Unlock()
	if log != nil {
		return log, nil
	}
	log, err := ReadLog(ctx, o.js, o.name)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = log
	return log, nil
}

// Append implements ledger.Log.
func (o *otherLog) Append(context.Context, uint64, []byte) error {
	return fmt.Errorf("%w: %s is another service's to write", ledger.ErrNotStored, o.name)
}

// Head implements ledger.Log.
func (o *otherLog) Head(ctx context.Context) (uint64, error) {
	log, err := o.open(ctx)
	if err != nil {
		return 0, err
	}
	return log.Head(ctx)
}

// Begin implements ledger.Begun.
func (o *otherLog) Begin(ctx context.Context) (first uint64, previous [32]byte, err error) {
	log, err := o.open(ctx)
	if err != nil {
		return 0, previous, err
	}
	return log.Begin(ctx)
}

// Read implements ledger.Log.
func (o *otherLog) Read(ctx context.Context, seq uint64) ([]byte, error) {
	log, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	return log.Read(ctx, seq)
}

// Tail implements ledger.Log.
func (o *otherLog) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	log, err := o.open(ctx)
	if err != nil {
		return err
	}
	return log.Tail(ctx, from, handle)
}
