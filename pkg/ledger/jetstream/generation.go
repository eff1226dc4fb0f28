package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// A log is kept in one stream after another, its generations. Sequences go on from each to the next. A stream ends with a
// last group (ledger.Last), which its writer stores there like any other; then it is sealed, and the next one is created
// to begin with the sequence after. Whoever finds a step missing that has to come first takes it.

// Metadata of streams.
const (
	// metaLast is the sequence of a sealed stream's last group, metaLimit the max_bytes that it had.
	metaLast  = "faceoff_last"
	metaLimit = "faceoff_max_bytes"
	// metaPrevious is the stream that a later generation goes on from, with the sequence and the SHA-256 of its last group.
	metaPrevious     = "faceoff_previous"
	metaPreviousLast = "faceoff_previous_last"
	metaChain        = "faceoff_previous_sha256"
)

// Generation is a stream that holds a part of a log.
type Generation struct {
	// Number from 1 on.
	Number int
	// Stream that it is, with its one subject.
	Stream, Subject string
	// First is the sequence of its first group, there already or not. Last is that of its last, 0 while it goes on.
	First, Last uint64
	// Previous is the hash of the group before First, in hex; empty in the first generation.
	Previous string
}

// named is a generation of a log.
func named(log, subject string, number int) Generation {
	if number == 1 {
		return Generation{Number: 1, Stream: log, Subject: subject, First: 1}
	}
	return Generation{Number: number, Stream: fmt.Sprintf("%s_%d", log, number), Subject: fmt.Sprintf("%s.g%d", subject, number)}
}

// generationOf returns the number of the generation that a stream is of a log; false if it is none.
func generationOf(log, stream string) (int, bool) {
	if stream == log {
		return 1, true
	}
	suffix, ok := strings.CutPrefix(stream, log+"_")
	n, err := strconv.Atoi(suffix)
	return n, ok && err == nil && n > 1 && strconv.Itoa(n) == suffix
}

// config is how the stream of a generation must be.
func (g Generation) config(want jetstream.StreamConfig) jetstream.StreamConfig {
	want.Name, want.Subjects = g.Stream, []string{g.Subject}
	if g.Number > 1 {
		want.FirstSeq = g.First
	}
	return want
}

// errMissing says that a log has no stream yet.
var errMissing = errors.New("there is no stream of the log")

// discover finds the generations that exist.
func (l *Log) discover(ctx context.Context) error {
	var numbers []int
	names := l.js.StreamNames(ctx)
	for name := range names.Name() {
		if n, ok := generationOf(l.name, name); ok {
			numbers = append(numbers, n)
		}
	}
	switch err := names.Err(); {
	case err != nil:
		return fmt.Errorf("streams of %s: %w", l.name, err)
	case len(numbers) == 0:
		return fmt.Errorf("%w %s", errMissing, l.name)
	}
	slices.Sort(numbers)
	var found []Generation
	for _, n := range numbers {
		stream, err := l.js.Stream(ctx, named(l.name, "", n).Stream)
		if err != nil {
			return fmt.Errorf("stream %s: %w", named(l.name, "", n).Stream, err)
		}
		g := l.described(n, stream.CachedInfo())
		if i := len(found) - 1; i >= 0 {
			if found[i].Number != n-1 || found[i].Last != 0 && found[i].Last != g.First-1 {
				return fmt.Errorf("%w: stream %s does not go on from %s", ledger.ErrLog, g.Stream, found[i].Stream)
			}
			found[i].Last = g.First - 1
		}
		found = append(found, g)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := &found[len(found)-1]
	if n := len(l.generations); n > 0 && l.generations[n-1].Number == newest.Number {
		newest.Last = max(newest.Last, l.generations[n-1].Last) // it may not be sealed yet
	}
	l.generations = found
	l.seen = max(l.seen, newest.First-1)
	return nil
}

// described is a generation as its stream tells of it.
func (l *Log) described(number int, info *jetstream.StreamInfo) Generation {
	g := named(l.name, l.subject, number)
	g.Subject = info.Config.Subjects[0]
	g.First = max(info.Config.FirstSeq, 1)
	g.Previous = info.Config.Metadata[metaChain]
	g.Last = sealedAt(info)
	return g
}

// sealedAt is the sequence of the last group of a stream that is sealed; 0 if it is not.
func sealedAt(info *jetstream.StreamInfo) uint64 {
	last, err := strconv.ParseUint(info.Config.Metadata[metaLast], 10, 64)
	if err != nil || !info.Config.Sealed {
		return 0
	}
	return last
}

// Generations returns the generations of the log that exist, oldest first.
func (l *Log) Generations(ctx context.Context) ([]Generation, error) {
	if err := l.discover(ctx); err != nil {
		return nil, err
	}
	if _, err := l.Head(ctx); err != nil { // a last group may stand at its end already
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.generations), nil
}

// Begin implements ledger.Begun.
func (l *Log) Begin(ctx context.Context) (first uint64, previous [32]byte, err error) {
	if err := l.discover(ctx); err != nil {
		return 0, previous, err
	}
	l.mu.Lock()
	g := l.generations[0]
	l.mu.Unlock()
	if n, err := hex.Decode(previous[:], []byte(g.Previous)); g.Number > 1 && (err != nil || n != len(previous)) {
		return 0, previous, fmt.Errorf("%w: stream %s does not say what it goes on from", ledger.ErrLog, g.Stream)
	}
	return g.First, previous, nil
}

// newest is the last generation that is known.
func (l *Log) newest() Generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.generations[len(l.generations)-1]
}

// find returns the generation that has the group at seq, or will have it. beyond: that is a later one than are known.
func (l *Log) find(seq uint64) (g Generation, beyond bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g = range slices.Backward(l.generations) {
		if seq >= g.First {
			return g, g.Last != 0 && seq > g.Last, nil
		}
	}
	return g, false, fmt.Errorf("%w: %s begins with group %d; group %d was dropped, and only `faceoff streams restore` can put it back",
		ledger.ErrLog, l.name, g.First, seq)
}

// locate is find that looks for what was put back since.
func (l *Log) locate(ctx context.Context, seq uint64) (g Generation, beyond bool, err error) {
	if g, beyond, err = l.find(seq); err == nil {
		return g, beyond, nil
	}
	if err := l.discover(ctx); err != nil {
		return g, false, err
	}
	return l.find(seq)
}

// see notes a group that was read or stored, and reports whether it is the last of its stream.
func (l *Log) see(seq uint64, group []byte) (last bool) {
	last = ledger.Last(group)
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := &l.generations[len(l.generations)-1]; seq >= g.First {
		l.seen = max(l.seen, seq)
		if last && (g.Last == 0 || seq < g.Last) {
			g.Last = seq
		}
	}
	return last
}

// passed notes that a stream which has ended holds groups up to seq: those after its end are not part of the log.
func (l *Log) passed(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.void = max(l.void, seq)
}

// isVoid reports whether a head that was read before may have been seq although the log has no such group.
func (l *Log) isVoid(seq uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return seq <= l.void
}

// sawTo is how far the groups of the newest generation are known, so that none of them can be its last unnoticed.
func (l *Log) sawTo() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// end notes where a generation has ended.
func (l *Log) end(number int, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := &l.generations[len(l.generations)-1]; g.Number == number {
		g.Last = last
	}
}

// follow looks for the generation after g, which has ended.
func (l *Log) follow(ctx context.Context, g Generation) (found bool, err error) {
	stream, err := l.js.Stream(ctx, named(l.name, l.subject, g.Number+1).Stream)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, l.took(l.described(g.Number+1, stream.CachedInfo()), g)
}

// took notes the generation after g.
func (l *Log) took(next, g Generation) error {
	if next.First != g.Last+1 {
		return fmt.Errorf("%w: stream %s begins with %d, but %s ended with %d", ledger.ErrLog, next.Stream, next.First, g.Stream, g.Last)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if newest := l.generations[len(l.generations)-1]; newest.Number == g.Number {
		l.generations = append(l.generations, next)
		l.seen = g.Last
	}
	return nil
}

// goOn seals the stream of g, which has ended, and creates the next one, as far as nobody has yet.
func (l *Log) goOn(ctx context.Context, g Generation) error {
	if found, err := l.follow(ctx, g); found || err != nil {
		return err
	}
	last, err := getMessage(ctx, l.nc, g.Stream, map[string]any{"seq": g.Last})
	if err != nil {
		return fmt.Errorf("the last group of stream %s: %w", g.Stream, err)
	}
	old, err := l.seal(ctx, g)
	if err != nil {
		return fmt.Errorf("seal stream %s: %w", g.Stream, err)
	}
	next := named(l.name, l.subject, g.Number+1)
	next.First = g.Last + 1
	hash := sha256.Sum256(last.Data)
	next.Previous = hex.EncodeToString(hash[:])
	limit, _ := strconv.ParseInt(old.Metadata[metaLimit], 10, 64)
	if err := l.create(ctx, next, old.Replicas, limit); err != nil {
		return err
	}
	return l.took(next, g)
}

// create makes the stream of a generation, as far as nobody has yet.
func (l *Log) create(ctx context.Context, g Generation, replicas int, maxBytes int64) error {
	want := g.config(StreamConfig("", "", replicas))
	want.MaxBytes = maxBytes
	if g.Number > 1 {
		want.Metadata = map[string]string{
			metaPrevious: named(l.name, "", g.Number-1).Stream, metaPreviousLast: strconv.FormatUint(g.First-1, 10), metaChain: g.Previous,
		}
	}
	_, err := openStream(ctx, l.js, want)
	return err
}

// seal has a stream that has ended take nothing any more, and gives back the room that was reserved for it.
func (l *Log) seal(ctx context.Context, g Generation) (jetstream.StreamConfig, error) {
	stream, err := l.js.Stream(ctx, g.Stream)
	if err != nil {
		return jetstream.StreamConfig{}, err
	}
	c := stream.CachedInfo().Config
	if sealedAt(stream.CachedInfo()) != 0 {
		return c, nil
	}
	c.Metadata = maps.Clone(c.Metadata)
	if c.Metadata == nil {
		c.Metadata = make(map[string]string)
	}
	c.Metadata[metaLast] = strconv.FormatUint(g.Last, 10)
	c.Metadata[metaLimit] = strconv.FormatInt(max(c.MaxBytes, 0), 10)
	c.Sealed, c.MaxBytes = true, -1
	_, err = l.js.UpdateStream(ctx, c)
	return c, err
}

// reach returns the generation that has the group at seq, or will have it, however many have come since.
func (l *Log) reach(ctx context.Context, seq uint64, goOn func(context.Context, Generation) error) (Generation, error) {
	for {
		g, beyond, err := l.locate(ctx, seq)
		if err != nil || !beyond {
			return g, err
		}
		if err := goOn(ctx, g); err != nil {
			return g, err
		}
	}
}

// await waits for the generation after g, which has ended: its writer creates it.
func (l *Log) await(ctx context.Context, g Generation) error {
	for {
		found, err := l.follow(ctx, g)
		if found || errors.Is(err, ledger.ErrLog) {
			return err
		}
		if err := pause(ctx, tailRetry); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gone reports whether err says that a stream does not exist. Then the generations are looked up anew: one that was read
// may have been dropped since.
func (l *Log) gone(ctx context.Context, err error) bool {
	if !errors.Is(err, jetstream.ErrStreamNotFound) && !isCode(err, jetstream.JSErrCodeStreamNotFound) {
		return false
	}
	return l.discover(ctx) == nil
}
