package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Table is how every stream must be that is kept for logs: those of the logs, that of their heads, that of their snapshots,
// the bucket of the leases, and that of what others are told. replicas is how many servers keep each, maxBytes how large a log
// may grow, 0 for no limit.
func Table(logs []ledger.LogName, replicas int, maxBytes int64) []jetstream.StreamConfig {
	var all []jetstream.StreamConfig
	for _, l := range logs {
		all = append(all, logConfig(l.Name, l.Subject, replicas, maxBytes))
	}
	return append(all, HeadsConfig(replicas), SnapshotsConfig(replicas), leasesConfig(replicas),
		EventsConfig(replicas, EventsMaxAge, EventsMaxBytes))
}

// StreamConfig is how the stream of a log must be: on file, nothing ever deleted, no feature by which a message could
// disappear. One subject, so that the stream's sequence is the log's.
func StreamConfig(name, subject string, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:         name,
		Description:  "Faceoff: group-committed log, written by its service alone",
		Subjects:     []string{subject},
		Storage:      jetstream.FileStorage,
		Replicas:     replicas,
		Retention:    jetstream.LimitsPolicy,
		Discard:      jetstream.DiscardNew,
		DenyDelete:   true,
		DenyPurge:    true,
		AllowDirect:  true,
		MaxConsumers: -1,
	}
}

// logConfig is StreamConfig with a limit, 0 for none.
func logConfig(name, subject string, replicas int, maxBytes int64) jetstream.StreamConfig {
	c := StreamConfig(name, subject, replicas)
	c.MaxBytes = maxBytes
	return c
}

// HeadsConfig is how the stream of the heads must be: on file as the logs are, one message for each of them.
func HeadsConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              headsStream,
		Description:       "Faceoff: how far each log has come, as its writer last saved it",
		Subjects:          []string{headSubject("*")},
		Storage:           jetstream.FileStorage,
		Replicas:          replicas,
		Retention:         jetstream.LimitsPolicy,
		MaxMsgsPerSubject: 1,
		DenyDelete:        true,
		DenyPurge:         true,
		MaxConsumers:      -1,
	}
}

// leasesConfig is how the stream must be that makes the bucket of the leases: in memory, keys run out.
func leasesConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              "KV_" + leaseBucket,
		Description:       "Faceoff: which replica should write a log; nothing depends on it being right",
		Subjects:          []string{"$KV." + leaseBucket + ".>"},
		Storage:           jetstream.MemoryStorage,
		Replicas:          replicas,
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew,
		MaxMsgsPerSubject: 1,
		MaxAge:            leaseTTL,
		Duplicates:        leaseTTL,
		DenyDelete:        true,
		AllowRollup:       true,
		AllowDirect:       true,
		MaxConsumers:      -1,
	}
}

// openStream creates a stream, or makes sure that the one that exists is as wanted. Where it ends is the operator's
// business and not compared.
func openStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := js.CreateStream(ctx, want)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		stream, err = js.Stream(ctx, want.Name)
	}
	if isCode(err, codeInsufficientStorage) {
		err = fmt.Errorf("the server has no room left for the %d bytes that the stream may take (max_file_store): %w", want.MaxBytes, err)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", want.Name, err)
	}
	want.MaxBytes = stream.CachedInfo().Config.MaxBytes
	want.MaxAge = limitsOf(stream.CachedInfo().Config, want).MaxAge
	want.Sealed = sealedAt(stream.CachedInfo()) != 0 // the log has gone on elsewhere
	if err := verify(stream.CachedInfo(), want); err != nil {
		return nil, fmt.Errorf("stream %s is not as declared: %w", want.Name, err)
	}
	return stream, nil
}

// limitsOf leaves how long events are kept as an operator has set it; of other streams that is declared.
func limitsOf(is, want jetstream.StreamConfig) jetstream.StreamConfig {
	if want.Name == eventsStream {
		want.MaxAge = is.MaxAge
	}
	return want
}

// codeInsufficientStorage is the answer to a stream whose max_bytes the server cannot reserve.
const codeInsufficientStorage jetstream.ErrorCode = 10047

// verify says what is not as wanted.
func verify(info *jetstream.StreamInfo, want jetstream.StreamConfig) error {
	var differs []error
	for _, d := range compare(info, want) {
		differs = append(differs, errors.New(d.String()))
	}
	return errors.Join(differs...)
}

// Difference is a property of a stream that is not as declared.
type Difference struct {
	Property string `json:"property"`
	Is       string `json:"is"`
	Want     string `json:"want"`
	// change makes it as declared; nil if that could lose what is stored, or cannot be.
	change func(*jetstream.StreamConfig)
}

// Safe reports whether Apply changes it.
func (d Difference) Safe() bool { return d.change != nil }

// String implements fmt.Stringer.
func (d Difference) String() string {
	return fmt.Sprintf("%s is %s, must be %s", d.Property, d.Is, d.Want)
}

// compare compares what the promises of the logs rest on, and where a log ends.
func compare(info *jetstream.StreamInfo, want jetstream.StreamConfig) []Difference {
	got := info.Config
	inMemory := want.Storage == jetstream.MemoryStorage // nothing in it is to be kept
	limit := func(n int64) int64 { return max(n, 0) }
	var found []Difference
	property := func(name string, is, want any, safe bool, change func(*jetstream.StreamConfig)) {
		if is == want {
			return
		}
		d := Difference{Property: name, Is: fmt.Sprint(is), Want: fmt.Sprint(want)}
		if safe {
			d.change = change
		}
		found = append(found, d)
	}
	never := func(name string, is, want any) { property(name, is, want, false, nil) }

	never("subjects", strings.Join(got.Subjects, " "), strings.Join(want.Subjects, " "))
	never("storage", got.Storage, want.Storage)
	never("retention", got.Retention, want.Retention)
	never("sealed", got.Sealed, want.Sealed)
	never("first_seq", max(got.FirstSeq, 1), max(want.FirstSeq, 1))
	never("mirror", got.Mirror != nil, false)
	never("sources", len(got.Sources), 0)
	never("subject_transform", got.SubjectTransform != nil, false)
	never("persist_mode", got.PersistMode, want.PersistMode)
	never("allow_msg_ttl", got.AllowMsgTTL, want.AllowMsgTTL)
	property("replicas", max(got.Replicas, 1), max(want.Replicas, 1), true, func(c *jetstream.StreamConfig) { c.Replicas = want.Replicas })
	property("discard", got.Discard, want.Discard, true, func(c *jetstream.StreamConfig) { c.Discard = want.Discard })
	property("deny_delete", got.DenyDelete, want.DenyDelete, want.DenyDelete, func(c *jetstream.StreamConfig) { c.DenyDelete = true })
	property("deny_purge", got.DenyPurge, want.DenyPurge, want.DenyPurge, func(c *jetstream.StreamConfig) { c.DenyPurge = true })
	property("allow_rollup_hdrs", got.AllowRollup, want.AllowRollup, inMemory || !want.AllowRollup, func(c *jetstream.StreamConfig) { c.AllowRollup = want.AllowRollup })
	property("no_ack", got.NoAck, want.NoAck, !want.NoAck, func(c *jetstream.StreamConfig) { c.NoAck = false })
	property("max_age", got.MaxAge, want.MaxAge, true, func(c *jetstream.StreamConfig) {
		c.MaxAge = want.MaxAge
		if c.MaxAge > 0 {
			c.Duplicates = min(c.Duplicates, c.MaxAge)
		}
	})
	property("allow_atomic", got.AllowAtomicPublish, want.AllowAtomicPublish, true, func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = want.AllowAtomicPublish })
	property("max_msgs_per_subject", limit(got.MaxMsgsPerSubject), limit(want.MaxMsgsPerSubject), want.MaxMsgsPerSubject == 0,
		func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = -1 })
	property("max_msgs", limit(got.MaxMsgs), limit(want.MaxMsgs), want.MaxMsgs == 0, func(c *jetstream.StreamConfig) { c.MaxMsgs = -1 })
	property("max_msg_size", max(got.MaxMsgSize, 0), max(want.MaxMsgSize, 0), want.MaxMsgSize == 0, func(c *jetstream.StreamConfig) { c.MaxMsgSize = -1 })
	property("max_bytes", limit(got.MaxBytes), limit(want.MaxBytes), want.MaxBytes <= 0 || uint64(want.MaxBytes) >= info.State.Bytes,
		func(c *jetstream.StreamConfig) { c.MaxBytes = want.MaxBytes })
	return found
}

// Report is how a stream compares with what is declared of it.
type Report struct {
	Stream string `json:"stream"`
	// Missing: there was none.
	Missing bool `json:"missing"`
	// Differences from what is declared.
	Differences []Difference `json:"differences"`
}

// OK reports whether the stream is as declared.
func (r Report) OK() bool { return !r.Missing && len(r.Differences) == 0 }

// Keep leaves what an operator may have set as it is.
type Keep struct {
	Replicas, MaxBytes bool
	// EventsMaxAge is for the stream of the events alone, as is EventsMaxBytes instead of MaxBytes.
	EventsMaxAge, EventsMaxBytes bool
}

// Compare compares a stream with what is declared of it.
func Compare(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, keep Keep) (Report, error) {
	r, _, err := look(ctx, js, want, keep)
	return r, err
}

// Apply creates a stream that is missing, and changes one that is not as declared. It does neither when a difference
// cannot be mended without losing what is stored: then the error names it. The report says what was found before.
func Apply(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, keep Keep) (Report, error) {
	r, now, err := look(ctx, js, want, keep)
	switch {
	case err != nil || r.OK():
		return r, err
	case r.Missing:
		_, err := openStream(ctx, js, want)
		return r, err
	}
	for _, d := range r.Differences {
		if !d.Safe() {
			return r, fmt.Errorf("stream %s stays as it is: %s, and to change that could lose what is stored", want.Name, d)
		}
		d.change(&now)
	}
	if _, err := js.UpdateStream(ctx, now); err != nil {
		return r, fmt.Errorf("stream %s: %w", want.Name, err)
	}
	return r, nil
}

func look(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, keep Keep) (Report, jetstream.StreamConfig, error) {
	r := Report{Stream: want.Name}
	stream, err := js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		r.Missing = true
		return r, want, nil
	case err != nil:
		return r, want, fmt.Errorf("stream %s: %w", want.Name, err)
	}
	info := stream.CachedInfo()
	if keep.Replicas {
		want.Replicas = info.Config.Replicas
	}
	isEvents := want.Name == eventsStream
	if keep.EventsMaxAge {
		want = limitsOf(info.Config, want)
	}
	if isEvents && keep.EventsMaxBytes || !isEvents && keep.MaxBytes {
		want.MaxBytes = info.Config.MaxBytes
	}
	r.Differences = compare(info, want)
	return r, info.Config, nil
}
