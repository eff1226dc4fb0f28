package partition

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
)

// MaxPartitions is what the names of the logs have room for.
const MaxPartitions = 100

// battleLog is the name of the battle service's log.
const battleLog = "BATTLE_00"

// Streams is where the logs are stored.
type Streams struct {
	nc       *nats.Conn
	js       natsjs.JetStream
	replica  string
	replicas int
	count    int
	battle   *lateLog
}

// NewStreams makes Streams of count partitions; replicas is the number of copies of each stream.
func NewStreams(nc *nats.Conn, js natsjs.JetStream, replica string, replicas, count int) *Streams {
	return &Streams{nc: nc, js: js, replica: replica, replicas: replicas, count: count, battle: &lateLog{js: js}}
}

// Bind opens, or creates, the logs of all partitions and gives them to the set.
func (s *Streams) Bind(ctx context.Context, set *Set) error {
	if err := s.checkCount(ctx); err != nil {
		return err
	}
	storages := make([]Storage, s.count)
	faults := make([]error, s.count)
	var opening sync.WaitGroup
	for i := range s.count {
		opening.Go(func() { storages[i], faults[i] = s.open(ctx, i) })
	}
	opening.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for i, p := range set.All() {
		p.Bind(storages[i])
	}
	return nil
}

func (s *Streams) open(ctx context.Context, number int) (Storage, error) {
	log, err := jetstream.OpenLog(ctx, s.js, LogName(number), Subject(number), s.replicas)
	if err != nil {
		return Storage{}, err
	}
	lease, err := jetstream.NewLease(ctx, s.js, LogName(number), s.replica)
	if err != nil {
		return Storage{}, err
	}
	return Storage{Log: log, Lease: lease, Peers: jetstream.NewPeers(s.nc), Battle: s.battle}, nil
}

// checkCount refuses to run with another number of partitions than the logs were created with: lives would be looked for
// in partitions that they are not in. Nothing is written before all logs are there, so a log with entries next to one
// that is not there tells.
func (s *Streams) checkCount(ctx context.Context) error {
	written, missing := "", ""
	for i := range s.count {
		stream, err := s.js.Stream(ctx, LogName(i))
		switch {
		case errors.Is(err, natsjs.ErrStreamNotFound):
			missing = LogName(i)
		case err != nil:
			return fmt.Errorf("stream %s: %w", LogName(i), err)
		case stream.CachedInfo().State.LastSeq > 0:
			written = LogName(i)
		}
	}
	if written != "" && missing != "" {
		return fmt.Errorf("log %s has entries and log %s does not exist, so the logs were created with fewer partitions than %d; their number cannot be changed", written, missing, s.count)
	}
	switch _, err := s.js.Stream(ctx, LogName(s.count)); {
	case errors.Is(err, natsjs.ErrStreamNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("stream %s: %w", LogName(s.count), err)
	}
	return fmt.Errorf("log %s exists, so the logs were created with more partitions than %d; their number cannot be changed", LogName(s.count), s.count)
}

// Partition implements replay.Logs.
func (s *Streams) Partition(ctx context.Context, number int) (ledger.Log, error) {
	return jetstream.ReadLog(ctx, s.js, LogName(number))
}

// Battle implements replay.Logs.
func (s *Streams) Battle(context.Context) (ledger.Log, error) { return s.battle, nil }

// lateLog is the battle service's log, which may not be there yet: its reads wait for it.
type lateLog struct {
	js natsjs.JetStream

	mu  sync.Mutex
	log ledger.Log
}

var errNotOurs = errors.New("the battle service's log is the battle service's to write")

func (l *lateLog) open(ctx context.Context) (ledger.Log, error) {
	l.mu.Lock()
	log := l.log
	l.mu.Unlock()
	if log != nil {
		return log, nil
	}
	log, err := jetstream.ReadLog(ctx, l.js, battleLog)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = log
	return log, nil
}

// Append implements ledger.Log.
func (l *lateLog) Append(context.Context, uint64, []byte) error { return errNotOurs }

// Head implements ledger.Log.
func (l *lateLog) Head(ctx context.Context) (uint64, error) {
	log, err := l.open(ctx)
	if err != nil {
		return 0, err
	}
	return log.Head(ctx)
}

// Read implements ledger.Log.
func (l *lateLog) Read(ctx context.Context, seq uint64) ([]byte, error) {
	log, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	return log.Read(ctx, seq)
}

// Tail implements ledger.Log.
func (l *lateLog) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	log, err := l.open(ctx)
	if err != nil {
		return err
	}
	return log.Tail(ctx, from, handle)
}
