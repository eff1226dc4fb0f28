package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// snapshotsStream keeps the snapshots of all logs, each in messages of a subject of its own.
const snapshotsStream = "SNAPSHOTS"

const (
	// snapshotChunk is what one message holds: no more than a group, so that no group waits longer than for another one.
	snapshotChunk = 256 << 10
	// snapshotTimeout bounds the exchange of one message.
	snapshotTimeout = 5 * time.Second
)

// SnapshotsConfig is how the stream of the snapshots must be: on file as the logs are, but what is in it may be deleted: no
// more is lost than time, as long as no stream of a log has been dropped.
func SnapshotsConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:         snapshotsStream,
		Description:  "Faceoff: state of the logs, to start from",
		Subjects:     []string{"snapshots.*.*.*"},
		Storage:      jetstream.FileStorage,
		Replicas:     replicas,
		Retention:    jetstream.LimitsPolicy,
		AllowDirect:  true,
		MaxConsumers: -1,
	}
}

// snapshots are the ledger.Snapshots of one log.
type snapshots struct {
	js       jetstream.JetStream
	log      string
	replicas int
}

// OpenSnapshots returns where the snapshots of a log are kept. The stream is created if there is none, and again with a
// snapshot if somebody has deleted it; one that is not as declared is refused.
func OpenSnapshots(ctx context.Context, js jetstream.JetStream, log string, replicas int) (ledger.Snapshots, error) {
	s := &snapshots{js: js, log: log, replicas: replicas}
	return s, s.open(ctx)
}

func (s *snapshots) open(ctx context.Context) error {
	_, err := openStream(ctx, s.js, SnapshotsConfig(s.replicas))
	return err
}

func (s *snapshots) subject(id ledger.SnapshotID) string {
	return fmt.Sprintf("snapshots.%s.%020d.%s", s.log, id.Seq, id.Name)
}

// List implements ledger.Snapshots.
func (s *snapshots) List(ctx context.Context) (list []ledger.SnapshotID, err error) {
	stream, err := s.js.Stream(ctx, snapshotsStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(fmt.Sprintf("snapshots.%s.*.*", s.log)))
	if err != nil {
		return nil, err
	}
	for subject := range info.State.Subjects {
		parts := strings.Split(subject, ".")
		seq, err := strconv.ParseUint(parts[2], 10, 64)
		if err != nil {
			continue // nobody of ours has written that
		}
		list = append(list, ledger.SnapshotID{Seq: seq, Name: parts[3]})
	}
	return list, nil
}

// Save implements ledger.Snapshots. What a crash leaves lacks its end.
func (s *snapshots) Save(ctx context.Context, seq uint64, r io.Reader) (ledger.SnapshotID, error) {
	id := ledger.SnapshotID{Seq: seq, Name: ids.New()}
	err := s.save(ctx, s.subject(id), r)
	if err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotTimeout)
		defer cancel()
		_ = s.Delete(clean, id) // else the next snapshot has it deleted
	}
	return id, err
}

func (s *snapshots) save(ctx context.Context, subject string, r io.Reader) error {
	chunk := make([]byte, snapshotChunk)
	for {
		n, err := io.ReadFull(r, chunk)
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		if n > 0 {
			if err := s.put(ctx, subject, chunk[:n]); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// put stores one message, without retries: it must not be there twice.
func (s *snapshots) put(ctx context.Context, subject string, chunk []byte) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	_, err := s.js.Publish(ctx, subject, chunk, jetstream.WithRetryAttempts(0))
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		if err = s.open(ctx); err == nil {
			_, err = s.js.Publish(ctx, subject, chunk, jetstream.WithRetryAttempts(0))
		}
	}
	return err
}

// Open implements ledger.Snapshots.
func (s *snapshots) Open(ctx context.Context, id ledger.SnapshotID) (io.ReadCloser, error) {
	octx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	stream, err := s.js.Stream(octx, snapshotsStream)
	if err != nil {
		return nil, err
	}
	return &snapshotReader{ctx: ctx, stream: stream, subject: s.subject(id), next: 1}, nil
}

// Delete implements ledger.Snapshots.
func (s *snapshots) Delete(ctx context.Context, id ledger.SnapshotID) error {
	stream, err := s.js.Stream(ctx, snapshotsStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(s.subject(id)))
}

// snapshotReader reads the messages of one subject. A replica of the stream that is behind may be asked: what it lacks
// looks like a snapshot that is cut off.
type snapshotReader struct {
	ctx     context.Context
	stream  jetstream.Stream
	subject string
	next    uint64
	chunk   []byte
}

func (r *snapshotReader) Read(p []byte) (int, error) {
	if len(r.chunk) == 0 {
		ctx, cancel := context.WithTimeout(r.ctx, snapshotTimeout)
		defer cancel()
		m, err := r.stream.GetMsg(ctx, r.next, jetstream.WithGetMsgSubject(r.subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		r.chunk, r.next = m.Data, m.Sequence+1
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

func (r *snapshotReader) Close() error { return nil }
