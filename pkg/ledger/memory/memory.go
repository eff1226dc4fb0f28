// Package memory keeps a log in memory, for tests and simulations of one process.
package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Log is a ledger.Log. Several ledgers may share one.
type Log struct {
	mu      sync.Mutex
	groups  [][]byte
	bytes   uint64
	limit   uint64 // 0 for none
	changed chan struct{}
}

// NewLog makes an empty Log.
func NewLog() *Log {
	return &Log{changed: make(chan struct{})}
}

// ErrWrongSequence is Append's answer when the log has moved on.
var ErrWrongSequence = errors.New("wrong last sequence")

// Append implements ledger.Log.
func (l *Log) Append(ctx context.Context, after uint64, group []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if head := uint64(len(l.groups)); head != after {
		return fmt.Errorf("%w: %d", ErrWrongSequence, head)
	}
	if l.limit > 0 && l.bytes+uint64(len(group)) > l.limit {
		return fmt.Errorf("%w: %d of %d bytes are taken", ledger.ErrFull, l.bytes, l.limit)
	}
	l.bytes += uint64(len(group))
	l.groups = append(l.groups, bytes.Clone(group))
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

// Limit sets the most bytes that the log may take, 0 for no limit.
func (l *Log) Limit(bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = bytes
}

// Size implements ledger.Sized.
func (l *Log) Size(ctx context.Context) (used, limit uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes, l.limit, ctx.Err()
}

// Head implements ledger.Log.
func (l *Log) Head(ctx context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.groups)), ctx.Err()
}

// Read implements ledger.Log.
func (l *Log) Read(ctx context.Context, seq uint64) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < 1 || seq > uint64(len(l.groups)) {
		return nil, fmt.Errorf("%w: no group %d", ledger.ErrLog, seq)
	}
	return l.groups[seq-1], ctx.Err()
}

// Tail implements ledger.Log.
func (l *Log) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	for seq := from; ; {
		l.mu.Lock()
		changed := l.changed
		var group []byte
		if seq <= uint64(len(l.groups)) {
			group = l.groups[seq-1]
		}
		l.mu.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if group == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		if err := handle(seq, group); err != nil {
			return err
		}
		seq++
	}
}

// Heads are the ledger.Heads of one log.
type Heads struct {
	mu       sync.Mutex
	head     []byte
	revision uint64
}

// NewHeads makes empty Heads.
func NewHeads() *Heads { return new(Heads) }

// Load implements ledger.Heads.
func (h *Heads) Load(ctx context.Context) ([]byte, uint64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head, h.revision, ctx.Err()
}

// Save implements ledger.Heads.
func (h *Heads) Save(ctx context.Context, head []byte, revision uint64) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if revision != h.revision {
		return 0, fmt.Errorf("%w: %d", ErrWrongSequence, h.revision)
	}
	h.head = bytes.Clone(head)
	h.revision++
	return h.revision, nil
}

// leaseTTL is how long a lease lives that is not renewed.
const leaseTTL = 2 * time.Second

// Leases is where the replicas of a process take their leases.
type Leases struct {
	mu    sync.Mutex
	taken map[string]taken
}

type taken struct {
	holder string
	until  time.Time
}

// NewLeases makes a place for leases.
func NewLeases() *Leases {
	return &Leases{taken: make(map[string]taken)}
}

// Lease returns a replica's handle on the lease of a log.
func (l *Leases) Lease(log, replica string) ledger.Lease {
	return &lease{all: l, log: log, replica: replica}
}

// NewLease makes a lease that nobody else can take.
func NewLease(replica string) ledger.Lease {
	return NewLeases().Lease("", replica)
}

type lease struct {
	all          *Leases
	log, replica string
}

func (l *lease) Self() string { return l.replica }

func (l *lease) Hold(ctx context.Context) (string, error) {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	t := l.all.taken[l.log]
	if now := time.Now(); t.holder == l.replica || !now.Before(t.until) {
		t = taken{holder: l.replica, until: now.Add(leaseTTL)}
		l.all.taken[l.log] = t
	}
	return t.holder, ctx.Err()
}

func (l *lease) Holder(ctx context.Context) (string, error) {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	if t := l.all.taken[l.log]; time.Now().Before(t.until) {
		return t.holder, ctx.Err()
	}
	return "", ctx.Err()
}

func (l *lease) Release(context.Context) error {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	if l.all.taken[l.log].holder == l.replica {
		delete(l.all.taken, l.log)
	}
	return nil
}

// Peers carries commands between the replicas of one process.
type Peers struct {
	mu       sync.Mutex
	handlers map[string]func(context.Context, []byte) []byte
}

// NewPeers makes Peers.
func NewPeers() *Peers {
	return &Peers{handlers: make(map[string]func(context.Context, []byte) []byte)}
}

// Serve implements ledger.Peers.
func (p *Peers) Serve(ctx context.Context, name, replica string, handle func(context.Context, []byte) []byte) error {
	key := name + "/" + replica
	p.mu.Lock()
	p.handlers[key] = handle
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	delete(p.handlers, key)
	p.mu.Unlock()
	return ctx.Err()
}

// Forward implements ledger.Peers.
func (p *Peers) Forward(ctx context.Context, name, replica string, request []byte) ([]byte, error) {
	p.mu.Lock()
	handle := p.handlers[name+"/"+replica]
	p.mu.Unlock()
	if handle == nil {
		return nil, fmt.Errorf("replica %s does not answer", replica)
	}
	reply := make(chan []byte, 1)
	go func() { reply <- handle(ctx, request) }()
	select {
	case r := <-reply:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Stores is where the replicas of a process find logs.
type Stores struct {
	leases *Leases
	peers  *Peers

	mu      sync.Mutex
	logs    map[string]*Log
	heads   map[string]*Heads
	snaps   map[string]*Snapshots
	created map[string]bool
}

// NewStores makes empty Stores.
func NewStores() *Stores {
	return &Stores{
		leases: NewLeases(), peers: NewPeers(), logs: make(map[string]*Log), heads: make(map[string]*Heads),
		snaps: make(map[string]*Snapshots), created: make(map[string]bool),
	}
}

// Replica returns the ledger.Stores of one replica.
func (s *Stores) Replica(id string) ledger.Stores {
	return replicaStores{s, id}
}

// Log returns a log by its name; an empty one if nobody has used it.
func (s *Stores) Log(name string) *Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs[name] == nil {
		s.logs[name] = NewLog()
	}
	return s.logs[name]
}

type replicaStores struct {
	all     *Stores
	replica string
}

func (r replicaStores) Open(_ context.Context, name, _ string) (ledger.Store, error) {
	log := r.all.Log(name)
	r.all.mu.Lock()
	r.all.created[name] = true
	if r.all.heads[name] == nil {
		r.all.heads[name], r.all.snaps[name] = NewHeads(), NewSnapshots()
	}
	heads, snaps := r.all.heads[name], r.all.snaps[name]
	r.all.mu.Unlock()
	return ledger.Store{
		Log: log, Heads: heads, Snapshots: snaps, Lease: r.all.leases.Lease(name, r.replica), Peers: r.all.peers,
	}, nil
}

func (r replicaStores) Stat(ctx context.Context, name string) (head uint64, exists bool, err error) {
	r.all.mu.Lock()
	exists = r.all.created[name]
	r.all.mu.Unlock()
	if !exists {
		return 0, false, nil
	}
	head, err = r.all.Log(name).Head(ctx)
	return head, true, err
}

func (r replicaStores) Other(name string) ledger.Log { return r.all.Log(name) }
