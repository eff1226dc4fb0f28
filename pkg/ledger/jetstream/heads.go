package jetstream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// headsStream keeps the head of each log as the last message of its subject.
const headsStream = "HEADS"

func headSubject(log string) string { return "heads." + log }

// heads are the ledger.Heads of one log.
type heads struct {
	js       jetstream.JetStream
	log      string
	replicas int
}

// OpenHeads returns where the head of a log is kept. The stream is created if there is none; one that is not as declared
// is refused.
func OpenHeads(ctx context.Context, js jetstream.JetStream, log string, replicas int) (ledger.Heads, error) {
	h := &heads{js: js, log: log, replicas: replicas}
	return h, h.open(ctx)
}

func (h *heads) open(ctx context.Context) error {
	_, err := openStream(ctx, h.js, HeadsConfig(h.replicas))
	return err
}

// Load implements ledger.Heads. It asks the stream's leader.
func (h *heads) Load(ctx context.Context) ([]byte, uint64, error) {
	m, err := getMessage(ctx, h.js.Conn(), headsStream, map[string]any{"last_by_subj": headSubject(h.log)})
	if isCode(err, jetstream.JSErrCodeMessageNotFound) || isCode(err, jetstream.JSErrCodeStreamNotFound) {
		return nil, 0, nil
	}
	return m.Data, m.Seq, err
}

// Save implements ledger.Heads.
func (h *heads) Save(ctx context.Context, head []byte, revision uint64) (uint64, error) {
	msg := &nats.Msg{Subject: headSubject(h.log), Data: head, Header: nats.Header{}}
	ack, err := h.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0))
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return 0, errors.Join(err, h.open(ctx)) // somebody has deleted it: the next to save finds it again
	}
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}
