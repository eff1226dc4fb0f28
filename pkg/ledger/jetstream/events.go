package jetstream

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// eventsStream keeps what others are told of the logs.
const eventsStream = "EVENTS"

// Limits of the stream EVENTS where nothing else is set.
const (
	EventsMaxAge   = 7 * 24 * time.Hour
	EventsMaxBytes = 1 << 30
)

// EventsConfig is how the stream of the integration events must be: on file; what is too old or too much goes, oldest
// first, so that it is never full. 0 stands for no limit.
func EventsConfig(replicas int, maxAge time.Duration, maxBytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:         eventsStream,
		Description:  "Faceoff: what has happened, one message for each event, for whoever subscribes",
		Subjects:     []string{"events.*.*.*"},
		Storage:      jetstream.FileStorage,
		Replicas:     replicas,
		Retention:    jetstream.LimitsPolicy,
		Discard:      jetstream.DiscardOld,
		MaxAge:       maxAge,
		MaxBytes:     maxBytes,
		DenyDelete:   true,
		DenyPurge:    true,
		AllowDirect:  true,
		MaxConsumers: -1,

		AllowAtomicPublish: true,
	}
}

// LimitEvents sets how long and how much the stream EVENTS keeps if Events creates it; without it, or with 0, there is no limit.
func (s *Stores) LimitEvents(maxAge time.Duration, maxBytes int64) {
	s.eventsMaxAge, s.eventsMaxBytes = maxAge, maxBytes
}

// Events returns where the events of a context are kept, and where the mark of its log is.
func (s *Stores) Events(log, context string) (events.Stream, ledger.Heads) {
	config := EventsConfig(s.replicas, s.eventsMaxAge, s.eventsMaxBytes)
	return &eventsOf{js: s.js, context: context, config: config}, s.marks(log)
}

func (s *Stores) marks(log string) *heads {
	return &heads{js: s.js, log: "EVENTS_" + log, replicas: s.replicas}
}

// eventsOf are the events.Stream of one context.
type eventsOf struct {
	js      jetstream.JetStream
	context string
	config  jetstream.StreamConfig
}

// all are the subjects of the context's events. Every publish expects the last message of all of them: projectors of one context
// exclude each other, and those of others do not matter.
func (s *eventsOf) all() string { return "events." + s.context + ".>" }

// Last implements events.Stream. It makes the stream if there is none.
func (s *eventsOf) Last(ctx context.Context) (events.Last, error) {
	m, err := getMessage(ctx, s.js.Conn(), eventsStream, map[string]any{"last_by_subj": s.all()})
	switch {
	case isCode(err, jetstream.JSErrCodeMessageNotFound):
		return events.Last{}, nil
	case isCode(err, jetstream.JSErrCodeStreamNotFound):
		_, err := openStream(ctx, s.js, s.config)
		return events.Last{}, err
	case err != nil:
		return events.Last{}, err
	}
	id, err := headerOf(m.Hdrs, events.HeaderID)
	return events.Last{ID: id, Seq: m.Seq}, err
}

// headerOf reads a header of a stored message.
func headerOf(encoded, name string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		if textproto.CanonicalMIMEHeaderKey(key) == textproto.CanonicalMIMEHeaderKey(name) {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("a message without the header %s", name)
}

// Store implements events.Stream. Several events are an atomic batch of JetStream: the server syncs them together.
func (s *eventsOf) Store(ctx context.Context, all []events.Event, after uint64) (uint64, error) {
	batch := ids.New()
	for i, e := range all {
		msg := &nats.Msg{Subject: e.Subject(), Data: e.Data, Header: e.Headers()}
		if i == 0 {
			msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(after, 10))
			msg.Header.Set(jetstream.ExpectedLastSubjSeqSubjHeader, s.all())
		}
		if len(all) > 1 {
			msg.Header.Set("Nats-Batch-Id", batch)
			msg.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		}
		if i < len(all)-1 {
			if err := s.js.Conn().PublishMsg(msg); err != nil {
				return 0, err
			}
			continue
		}
		if len(all) > 1 {
			msg.Header.Set("Nats-Batch-Commit", "1")
		}
		return s.commit(ctx, msg)
	}
	return 0, errors.New("no events")
}

// commit publishes the last message, or the only one, and returns its sequence.
func (s *eventsOf) commit(ctx context.Context, msg *nats.Msg) (uint64, error) {
	reply, err := s.js.Conn().RequestMsgWithContext(ctx, msg)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		_, fault := openStream(ctx, s.js, s.config)
		return 0, errors.Join(err, fault)
	case err != nil:
		return 0, err
	}
	return readAck(reply.Data)
}

// readAck reads the answer to a publish.
func readAck(reply []byte) (seq uint64, err error) {
	var ack struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	err = json.Unmarshal(reply, &ack)
	switch {
	case err != nil:
		return 0, err
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Stream != eventsStream || ack.Sequence == 0:
		return 0, fmt.Errorf("the stream %q has taken an event", ack.Stream)
	}
	return ack.Sequence, nil
}
