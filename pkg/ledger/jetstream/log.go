// Package jetstream keeps a ledger's log in a NATS JetStream stream, its lease in a key-value bucket, and carries
// commands between replicas by NATS requests. What was measured of JetStream is in docs/architecture/ledger.md.
package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Log is a ledger.Log in a stream, or in several, one after another.
type Log struct {
	js      jetstream.JetStream
	nc      *nats.Conn
	name    string
	subject string // of the first generation

	mu          sync.Mutex
	generations []Generation // that are known, oldest first
	seen        uint64       // see sawTo
	void        uint64       // what stands in a stream after its end, up to this sequence
}

// OpenLog creates the stream of a log, or makes sure that those that exist are as declared.
func OpenLog(ctx context.Context, js jetstream.JetStream, name, subject string, replicas int) (*Log, error) {
	return openLog(ctx, js, StreamConfig(name, subject, replicas))
}

func openLog(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (*Log, error) {
	l := &Log{js: js, nc: js.Conn(), name: want.Name, subject: want.Subjects[0]}
	err := l.discover(ctx)
	if errors.Is(err, errMissing) {
		if _, err := openStream(ctx, js, want); err != nil {
			return nil, err
		}
		err = l.discover(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, g := range l.generations {
		if _, err := openStream(ctx, js, g.config(want)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// ReadLog opens another service's log for reading. It waits until that service has created it.
func ReadLog(ctx context.Context, js jetstream.JetStream, name string) (*Log, error) {
	l := &Log{js: js, nc: js.Conn(), name: name}
	for {
		err := l.discover(ctx)
		if err == nil || errors.Is(err, ledger.ErrLog) {
			return l, err
		}
		if ended := pause(ctx, openRetry); ended != nil {
			return nil, fmt.Errorf("stream %s: %w", name, errors.Join(ended, err))
		}
	}
}

// openRetry is the pause before a log that does not exist is looked for again.
const openRetry = 100 * time.Millisecond

// Append implements ledger.Log. It creates the next stream when the group before was the last of its own.
func (l *Log) Append(ctx context.Context, after uint64, group []byte) error {
	g, err := l.reach(ctx, after+1, l.goOn)
	if err != nil {
		return err
	}
	expected := after
	if after < g.First {
		expected = 0 // a later stream knows nothing of the one before
	}
	msg := &nats.Msg{Subject: g.Subject, Data: group, Header: nats.Header{}}
	// Without retries: a publish that got no answer is the ledger's to settle.
	ack, err := l.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(expected), jetstream.WithRetryAttempts(0))
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
	l.see(after+1, group)
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

// Size implements ledger.Sized, of the newest stream.
func (l *Log) Size(ctx context.Context) (used, limit uint64, err error) {
	stream, err := l.js.Stream(ctx, l.newest().Stream)
	if err != nil {
		return 0, 0, err
	}
	info := stream.CachedInfo()
	return info.State.Bytes, uint64(max(info.Config.MaxBytes, 0)), nil
}

// Head implements ledger.Log. What this replica has not seen may be the last group of its stream, so it is looked at.
func (l *Log) Head(ctx context.Context) (uint64, error) {
	for {
		g := l.newest()
		info, err := l.info(ctx, g)
		switch {
		case err != nil && l.gone(ctx, err) && l.newest().Number != g.Number:
			continue
		case err != nil:
			return 0, err
		}
		if last := sealedAt(info); last != 0 {
			l.end(g.Number, last)
			g.Last = last
		}
		if g.Last != 0 {
			l.passed(info.State.LastSeq)
			found, err := l.follow(ctx, g)
			if err != nil {
				return 0, err
			}
			if !found {
				return g.Last, nil
			}
			continue
		}
		last := info.State.LastSeq
		if last > l.sawTo() {
			m, err := getMessage(ctx, l.nc, g.Stream, map[string]any{"seq": last})
			switch {
			case isCode(err, jetstream.JSErrCodeMessageNotFound): // damage, which is for who reads it to find
			case err != nil:
				return 0, err
			case l.see(last, m.Data):
				continue
			}
		}
		return last, nil
	}
}

// info is what the leader of a generation's stream says of it.
func (l *Log) info(ctx context.Context, g Generation) (*jetstream.StreamInfo, error) {
	stream, err := l.js.Stream(ctx, g.Stream)
	if err != nil {
		return nil, err
	}
	info := stream.CachedInfo()
	if err := confirm(info.Cluster); err != nil {
		return nil, fmt.Errorf("stream %s: %w", g.Stream, err)
	}
	return info, nil
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
	raw, err := l.read(ctx, seq)
	if !errors.Is(err, errNotThere) && !l.gone(ctx, err) {
		return raw, err
	}
	// A leader that is cut off has not got it, but then it has no quorum either.
	if _, err := l.Head(ctx); err != nil {
		return nil, err
	}
	raw, err = l.read(ctx, seq)
	if errors.Is(err, errNotThere) && !l.isVoid(seq) {
		return nil, fmt.Errorf("%w: %s has no group %d: %w", ledger.ErrLog, l.name, seq, err)
	}
	return raw, err
}

// errNotThere says that a stream does not have a group.
var errNotThere = errors.New("not there")

func (l *Log) read(ctx context.Context, seq uint64) ([]byte, error) {
	g, beyond, err := l.locate(ctx, seq)
	switch {
	case err != nil:
		return nil, err
	case beyond:
		return nil, errNotThere
	}
	m, err := getMessage(ctx, l.nc, g.Stream, map[string]any{"seq": seq})
	switch {
	case isCode(err, jetstream.JSErrCodeMessageNotFound):
		return nil, fmt.Errorf("%w: %w", errNotThere, err)
	case err != nil:
		return nil, err
	}
	l.see(seq, m.Data)
	return m.Data, nil
}

// message is one of a stream, as its leader knows it.
type message struct {
	Seq  uint64 `json:"seq"`
	Data []byte `json:"data"`
	Hdrs string `json:"hdrs"` // base64
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
	return readMessage(reply.Data)
}

// readMessage reads the answer to a request for a message. One that holds neither a message nor an error must not be taken
// for an empty message.
func readMessage(reply []byte) (message, error) {
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message message             `json:"message"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return message{}, err
	}
	switch {
	case answer.Error != nil:
		return message{}, answer.Error
	case answer.Message.Seq == 0:
		return message{}, errors.New("an answer without a message")
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
	// tailIdle is after how long without a group the leader is asked whether there is one; two beats that are missing are
	// noticed before.
	tailIdle = 3 * time.Second
	// createTime bounds the making of a consumer: while the servers have no leader the request is lost.
	createTime = 2 * time.Second
	// forgetTime is how long a consumer lives that nobody reads, in case its end could not be told.
	forgetTime = 30 * time.Second
)

// Tail implements ledger.Log by a consumer of each stream, made anew from where it stood whenever it breaks. A server passes
// over a message whose file is damaged as if it had never been; what is missing is read from the stream's leader, and a
// group that the leader has not got either ends Tail with ErrLog.
func (l *Log) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	next := from
	for {
		err := l.tail(ctx, &next, handle)
		var fault *handlerError
		switch {
		case errors.As(err, &fault):
			return fault.err
		case err == nil:
			continue // the stream has ended
		}
		l.gone(ctx, err)
		if err := pause(ctx, tailRetry); err != nil {
			return err
		}
	}
}

// handlerError tells a fault of what was read from a fault of reading.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }

// tail reads by one consumer until it breaks, or to the end of its stream. The client's ordered consumer would make itself
// anew, but waits up to 10 s to do so, and for ever when handle takes so long that the client drops the news of its
// reconnection.
func (l *Log) tail(ctx context.Context, next *uint64, handle func(uint64, []byte) error) error {
	ctx, broken := context.WithCancel(ctx)
	defer broken()
	defer l.atReconnect(broken)() // what was on its way is lost, and the consumer may be gone with its server
	g, err := l.streamOf(ctx, *next)
	switch {
	case errors.Is(err, ledger.ErrLog):
		return &handlerError{err}
	case err != nil:
		return err
	}
	consumer, err := l.consume(ctx, g.Stream, *next)
	if err != nil {
		return err
	}
	defer l.forget(g.Stream, consumer)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(256), jetstream.PullHeartbeat(tailBeat), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for delivered := uint64(1); ; delivered++ {
		msg, err := l.receive(ctx, messages, next, handle)
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
		seq := meta.Sequence.Stream
		if err := l.fill(ctx, next, seq-1, handle); err != nil {
			return err
		}
		if seq < *next {
			continue // the consumer's server had not yet come as far
		}
		last := l.see(seq, msg.Data())
		if err := handle(seq, msg.Data()); err != nil {
			return &handlerError{err}
		}
		*next++
		if last {
			return nil
		}
	}
}

// streamOf returns the generation to read from a sequence on. It waits until there is one.
func (l *Log) streamOf(ctx context.Context, next uint64) (Generation, error) {
	g, err := l.reach(ctx, next, l.await)
	if err != nil || g.Last != 0 || next <= l.sawTo()+1 {
		return g, err
	}
	// The group before may have been the last.
	if _, err := l.Head(ctx); err != nil {
		return g, err
	}
	return l.reach(ctx, next, l.await)
}

// errPassedOver says that a consumer has not brought what its stream has; it was read from the leader.
var errPassedOver = errors.New("the consumer has passed over groups")

// receive returns the consumer's next message. While there is none it looks whether there should be.
func (l *Log) receive(ctx context.Context, messages jetstream.MessagesContext, next *uint64, handle func(uint64, []byte) error) (jetstream.Msg, error) {
	for {
		waiting, done := context.WithTimeout(ctx, tailIdle)
		msg, err := messages.Next(jetstream.NextContext(waiting))
		done()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return msg, err
		}
		head, err := l.Head(ctx)
		if err != nil || head < *next {
			continue // asked again
		}
		if err := l.fill(ctx, next, head, handle); err != nil {
			return nil, err
		}
		return nil, errPassedOver
	}
}

// fill reads the groups up to last that the consumer has not brought.
func (l *Log) fill(ctx context.Context, next *uint64, last uint64, handle func(uint64, []byte) error) error {
	for *next <= last {
		asking, cancel := context.WithTimeout(ctx, tailIdle)
		group, err := l.Read(asking, *next)
		cancel()
		if err == nil {
			err = handle(*next, group)
		} else if !errors.Is(err, ledger.ErrLog) {
			return err
		}
		if err != nil {
			return &handlerError{err}
		}
		*next++
	}
	return nil
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
func (l *Log) consume(ctx context.Context, stream string, from uint64) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, createTime)
	defer cancel()
	return l.js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       from,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: forgetTime,
		Replicas:          1,
		MemoryStorage:     true,
	})
}

// forget deletes a consumer, if that can be told now; nothing waits for it.
func (l *Log) forget(stream string, consumer jetstream.Consumer) {
	_ = l.nc.PublishRequest("$JS.API.CONSUMER.DELETE."+stream+"."+consumer.CachedInfo().Name, l.nc.NewInbox(), nil)
}
