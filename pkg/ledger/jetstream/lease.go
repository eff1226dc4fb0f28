package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

const (
	leaseBucket = "LEASES"
	// leaseTTL is how long a lease lives that is not renewed.
	leaseTTL = 2 * time.Second
)

// lease is a key of a bucket in memory whose keys run out: a lease must not outlive the server that knows it, and costs
// no disk write. A server that starts anew has no bucket; whoever misses it makes it again.
type lease struct {
	js           jetstream.JetStream
	kv           jetstream.KeyValue
	log, replica string
	replicas     int

	mu       sync.Mutex
	revision uint64 // of our own hold; 0 if another's or nobody's
}

// NewLease returns a replica's handle on the lease of a log; replicas is how many servers keep it.
func NewLease(ctx context.Context, js jetstream.JetStream, log, replica string, replicas int) (ledger.Lease, error) {
	l := &lease{js: js, log: log, replica: replica, replicas: replicas}
	if err := l.bind(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// bind makes the bucket if there is none.
func (l *lease) bind(ctx context.Context) error {
	if _, err := openStream(ctx, l.js, leasesConfig(l.replicas)); err != nil {
		return err
	}
	kv, err := l.js.KeyValue(ctx, leaseBucket)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", leaseBucket, err)
	}
	l.kv = kv
	return nil
}

func (l *lease) Self() string { return l.replica }

// Hold renews the lease if it is ours, else takes it if it is free, else says whose it is.
func (l *lease) Hold(ctx context.Context) (string, error) { return l.ask(ctx, l.hold) }

// Holder says whose the lease is.
func (l *lease) Holder(ctx context.Context) (string, error) { return l.ask(ctx, l.holder) }

// ask makes sure that there is a bucket, and asks it.
func (l *lease) ask(ctx context.Context, do func(context.Context) (string, error)) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kv == nil {
		if err := l.bind(ctx); err != nil {
			return "", err
		}
	}
	holder, err := do(ctx)
	if err != nil {
		l.kv = nil // it may be gone; the next call makes sure
	}
	return holder, err
}

func (l *lease) hold(ctx context.Context) (string, error) {
	if l.revision != 0 {
		revision, err := l.kv.Update(ctx, l.log, []byte(l.replica), l.revision)
		if err == nil {
			l.revision = revision
			return l.replica, nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) && !isCode(err, jetstream.JSErrCodeStreamWrongLastSequence) {
			return "", err
		}
		l.revision = 0
	}
	revision, err := l.kv.Create(ctx, l.log, []byte(l.replica))
	switch {
	case err == nil:
		l.revision = revision
		return l.replica, nil
	case !errors.Is(err, jetstream.ErrKeyExists):
		return "", err
	}
	return l.holder(ctx)
}

func (l *lease) holder(ctx context.Context) (string, error) {
	entry, err := l.kv.Get(ctx, l.log)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return "", nil // it ran out
	case err != nil:
		return "", err
	case string(entry.Value()) == l.replica:
		l.revision = entry.Revision() // taken by a call whose answer was lost
	}
	return string(entry.Value()), nil
}

func (l *lease) Release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revision == 0 || l.kv == nil {
		return nil
	}
	err := l.kv.Delete(ctx, l.log, jetstream.LastRevision(l.revision))
	l.revision = 0
	return err
}

// Peers carries commands between replicas as requests on ledger.<log>.<replica>.
type Peers struct {
	nc *nats.Conn
}

// NewPeers makes Peers on a connection.
func NewPeers(nc *nats.Conn) *Peers {
	return &Peers{nc: nc}
}

func peerSubject(log, replica string) string {
	return "ledger." + log + "." + replica
}

// Serve implements ledger.Peers.
func (p *Peers) Serve(ctx context.Context, log, replica string, handle func(context.Context, []byte) []byte) error {
	sub, err := p.nc.SubscribeSync(peerSubject(log, replica))
	if err != nil {
		return err
	}
	var handling sync.WaitGroup
	defer handling.Wait()
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil:
			_ = sub.Unsubscribe() // nothing is lost by what still comes: its sender tries again
			return ctx.Err()
		case err != nil:
			return err
		}
		handling.Go(func() { _ = m.Respond(handle(ctx, m.Data)) }) // no answer reads as unknown to who asked
	}
}

// Forward implements ledger.Peers.
func (p *Peers) Forward(ctx context.Context, log, replica string, request []byte) ([]byte, error) {
	reply, err := p.nc.RequestWithContext(ctx, peerSubject(log, replica), request)
	if err != nil {
		return nil, err
	}
	return reply.Data, nil
}
