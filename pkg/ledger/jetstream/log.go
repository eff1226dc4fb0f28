// Package jetstream keeps a ledger's log in a NATS JetStream stream, its lease in a key-value bucket, and carries
// commands between replicas by NATS requests. What was measured of JetStream is in docs/architecture/ledger.md.
package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Log is a ledger.Log in a stream.
type Log struct {
	js      jetstream.JetStream
	nc      *nats.Conn
	name    string
	subject string
}

// OpenLog creates the stream of a log, or makes sure that the one that exists is as declared.
func OpenLog(ctx context.Context, js jetstream.JetStream, name, subject string, replicas int) (*Log, error) {
	return openLog(ctx, js, StreamConfig(name, subject, replicas))
}

func openLog(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (*Log, error) {
	if _, err := openStream(ctx, js, want); err != nil {
		return nil, err
	}
	return &Log{js: js, nc: js.Conn(), name: want.Name, subject: want.Subjects[0]}, nil
}

// ReadLog opens another service's log for reading. It waits until that service has created it.
func ReadLog(ctx context.Context, js jetstream.JetStream, name string) (*Log, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		stream, err := js.Stream(ctx, name)
		if err == nil {
			return &Log{js: js, nc: js.Conn(), name: name, subject: stream.CachedInfo().Config.Subjects[0]}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("stream %s: %w", name, errors.Join(ctx.Err(), err))
		}
	}
}

// Append implements ledger.Log.
func (l *Log) Append(ctx context.Context, after uint64, group []byte) error {
	msg := &nats.Msg{Subject: l.subject, Data: group, Header: nats.Header{}}
	// Without retries: a publish that got no answer is the ledger's to settle.
	ack, err := l.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(after), jetstream.WithRetryAttempts(0))
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", ledger.ErrNotStored, err)
	case noRoom(err):
		return fmt.Errorf("%w: %w", ledger.ErrFull, err)
	case err != nil:
		return err
	case ack.Sequence != after+1:
		return fmt.Errorf("stored at %d instead of %d", ack.Sequence, after+1)
	}
	return nil
}

// Answers to a publish that was refused before anything was stored or proposed to other servers.
const (
	codeAccountFull jetstream.ErrorCode = 10002
	codeServerFull  jetstream.ErrorCode = 10023
	// codeStoreFailed is certain only with the stream's own limit as its reason.
	codeStoreFailed jetstream.ErrorCode = 10077
	maxBytesReached                     = "maximum bytes exceeded"
)

// noRoom reports whether a publish was refused because there is no room.
func noRoom(err error) bool {
	answer, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return false
	}
	switch answer.ErrorCode {
	case codeAccountFull, codeServerFull:
		return true
	case codeStoreFailed:
		return answer.Description == maxBytesReached
	}
	return false
}

// Size implements ledger.Sized.
func (l *Log) Size(ctx context.Context) (used, limit uint64, err error) {
	stream, err := l.js.Stream(ctx, l.name)
	if err != nil {
		return 0, 0, err
	}
	info := stream.CachedInfo()
	return info.State.Bytes, uint64(max(info.Config.MaxBytes, 0)), nil
}

// Head implements ledger.Log.
func (l *Log) Head(ctx context.Context) (uint64, error) {
	stream, err := l.js.Stream(ctx, l.name)
	if err != nil {
		return 0, err
	}
	info := stream.CachedInfo()
	if err := confirm(info.Cluster); err != nil {
		return 0, fmt.Errorf("stream %s: %w", l.name, err)
	}
	return info.State.LastSeq, nil
}

// quorumTime is how recently a leader must have heard of a majority: less than the 4 s after which the others elect
// another one (nats-server, minElectionTimeout).
const quorumTime = 3 * time.Second

// confirm makes sure that what a stream says of itself comes from its leader, and that the others still follow it. A
// replica that starts, or has lost the others, may answer too, and a leader that is cut off believes in itself for 10 s
// and more: what they take for the head may be far behind.
func confirm(c *jetstream.ClusterInfo) error {
	if c == nil || c.Leader != "" && len(c.Replicas) == 0 {
		return nil // there is one copy
	}
	heard := 1
	for _, r := range c.Replicas { // all but the one that answers
		if r.Name == c.Leader {
			return fmt.Errorf("answered by a follower of %s", c.Leader)
		}
		if r.Active > 0 && r.Active < quorumTime {
			heard++
		}
	}
	if all := len(c.Replicas) + 1; c.Leader == "" || heard <= all/2 {
		return fmt.Errorf("no quorum: leader %q, %d of %d replicas heard", c.Leader, heard, all)
	}
	return nil
}

// Read implements ledger.Log. It asks the stream's leader: a direct get may be served by a replica that is behind.
func (l *Log) Read(ctx context.Context, seq uint64) ([]byte, error) {
	m, err := getMessage(ctx, l.nc, l.name, map[string]any{"seq": seq})
	if !isCode(err, jetstream.JSErrCodeMessageNotFound) {
		return m.Data, err
	}
	// A leader that is cut off has not got it, but then it has no quorum either.
	if _, err := l.Head(ctx); err != nil {
		return nil, err
	}
	m, err = getMessage(ctx, l.nc, l.name, map[string]any{"seq": seq})
	if isCode(err, jetstream.JSErrCodeMessageNotFound) {
		return nil, fmt.Errorf("%w: %s has no group %d: %w", ledger.ErrLog, l.name, seq, err)
	}
	return m.Data, err
}

// message is one of a stream, as its leader knows it.
type message struct {
	Seq  uint64 `json:"seq"`
	Data []byte `json:"data"`
}

// getMessage asks a stream's leader for a message.
func getMessage(ctx context.Context, nc *nats.Conn, stream string, which map[string]any) (message, error) {
	request, err := json.Marshal(which)
	if err != nil {
		return message{}, err
	}
	reply, err := nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, request)
	if err != nil {
		return message{}, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message message             `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return message{}, err
	}
	if answer.Error != nil {
		return message{}, answer.Error
	}
	return answer.Message, nil
}

// isCode reports whether err is what JetStream answers with that code.
func isCode(err error, code jetstream.ErrorCode) bool {
	answer, ok := errors.AsType[*jetstream.APIError](err)
	return ok && answer.ErrorCode == code
}

const (
	// tailRetry is the pause before a broken consumer is made anew.
	tailRetry = 200 * time.Millisecond
	// tailBeat is how often a consumer without news says that it lives; twice that without a word and it is made anew.
	tailBeat = time.Second
	// createTime bounds the making of a consumer: while the servers have no leader the request is lost.
	createTime = 2 * time.Second
	// forgetTime is how long a consumer lives that nobody reads, in case its end could not be told.
	forgetTime = 30 * time.Second
)

// Tail implements ledger.Log by a consumer, made anew from where it stood whenever it breaks.
func (l *Log) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	next := from
	for {
		err := l.tail(ctx, &next, handle)
		var fault *handlerError
		if errors.As(err, &fault) {
			return fault.err
		}
		timer := time.NewTimer(tailRetry)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// handlerError tells a fault of what was read from a fault of reading.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }

// tail reads by one consumer until it breaks. The client's ordered consumer would make itself anew, but waits up to 10 s to
// do so, and for ever when handle takes so long that the client drops the news of its reconnection.
func (l *Log) tail(ctx context.Context, next *uint64, handle func(uint64, []byte) error) error {
	ctx, broken := context.WithCancel(ctx)
	defer broken()
	defer l.atReconnect(broken)() // what was on its way is lost, and the consumer may be gone with its server
	consumer, err := l.consume(ctx, *next)
	if err != nil {
		return err
	}
	defer l.forget(consumer)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(256), jetstream.PullHeartbeat(tailBeat), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for delivered := uint64(1); ; delivered++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != delivered {
			return fmt.Errorf("consumer of %s: delivery %d came instead of %d", l.name, meta.Sequence.Consumer, delivered)
		}
		switch seq := meta.Sequence.Stream; {
		case seq < *next:
			continue // the consumer's server had not yet come as far
		case seq > *next:
			return &handlerError{fmt.Errorf("%w: %s: group %d is missing", ledger.ErrLog, l.name, *next)}
		}
		if err := handle(*next, msg.Data()); err != nil {
			return &handlerError{err}
		}
		*next++
	}
}

// atReconnect calls do when the connection comes back, once, until end is called.
func (l *Log) atReconnect(do func()) (end func()) {
	states := l.nc.StatusChanged(nats.CONNECTED)
	go func() {
		if _, ok := <-states; ok {
			do()
		}
	}()
	return func() { l.nc.RemoveStatusListener(states) }
}

// consume makes a consumer in memory that hands out groups from a sequence on.
func (l *Log) consume(ctx context.Context, from uint64) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, createTime)
	defer cancel()
	return l.js.CreateConsumer(ctx, l.name, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       from,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: forgetTime,
		Replicas:          1,
		MemoryStorage:     true,
	})
}

// forget deletes a consumer, if that can be told now; nothing waits for it.
func (l *Log) forget(consumer jetstream.Consumer) {
	_ = l.nc.PublishRequest("$JS.API.CONSUMER.DELETE."+l.name+"."+consumer.CachedInfo().Name, l.nc.NewInbox(), nil)
}
