package jetstream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/events"
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
	}
}

// LimitEvents sets how long and how much the stream EVENTS keeps if Events creates it; without it, or with 0, there is no limit.
func (s *Stores) LimitEvents(maxAge time.Duration, maxBytes int64) {
	s.eventsMaxAge, s.eventsMaxBytes = maxAge, maxBytes
}

// Events returns where the events of a context are kept, and where the mark of its log is.
func (s *Stores) Events(log, context string) (events.Stream, ledger.Heads) {
	config := EventsConfig(s.replicas, s.eventsMaxAge, s.eventsMaxBytes)
	return &eventsOf{js: s.js, context: context, config: config}, &heads{js: s.js, log: "EVENTS_" + log, replicas: s.replicas}
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

// Store implements events.Stream.
func (s *eventsOf) Store(ctx context.Context, e events.Event, after uint64) (uint64, error) {
	msg := &nats.Msg{Subject: e.Subject(), Data: e.Data, Header: e.Headers()}
	ack, err := s.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequenceForSubject(after, s.all()), jetstream.WithRetryAttempts(0))
	switch {
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		_, fault := openStream(ctx, s.js, s.config)
		return 0, errors.Join(err, fault)
	case err != nil:
		return 0, err
	case ack.Stream != eventsStream:
		return 0, fmt.Errorf("the stream %s has taken an event", ack.Stream)
	}
	return ack.Sequence, nil
}
