// Package ledgertest is the conformance suite of ledger: it attacks a ledger on any implementation of its log.
package ledgertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// patience bounds every wait of the suite; it is far beyond what any of them takes.
const patience = 30 * time.Second

// Run attacks ledgers on the logs that open makes, each empty, with what is kept beside them. Leases and peers are the
// suite's own.
func Run(t *testing.T, open func(t *testing.T) ledger.Store) {
	runLog(t, open)
	runHeads(t, open)
	runSnapshots(t, open)
}

func runLog(t *testing.T, open func(t *testing.T) ledger.Store) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T, *Faulty)
	}{
		{"commands are decided, folded, and folded again after a restart", testRestart},
		{"the same command again gets the first answer", testRepeat},
		{"a repeat on another replica gets the first answer", testRepeatElsewhere},
		{"a refusal is kept if its command has an id", testRefusal},
		{"an answer without events rests on the group it was decided in", testNothingToDo},
		{"a lost answer is settled from the log", testLostAnswer},
		{"a lost request is decided again", testLostRequest},
		{"a delayed first copy that lands after the retry is refused", testDelayedCopyLosesToRetry},
		{"a delayed first copy that lands before the retry stands", testDelayedCopyWins},
		{"no refusal is given at a contested position", testNoRefusalWhileContested},
		{"a crash between publish and answer", testCrashAfterPublish},
		{"two writers at once", testTwoWriters},
		{"a paused writer that wakes up changes nothing", testPausedWriter},
		{"a takeover leaves nothing under way that was sent before", testTakeoverBehindRival},
		{"an idle writer meets the deadlines that a rival has set", testDeadlineOfRival},
		{"a stale writer does not refuse", testStaleWriterDoesNotRefuse},
		{"a follower forwards and reads its own writes", testForward},
		{"clocks that jump", testClockJumps},
		{"deadlines come due after a restart", testDeadline},
		{"a machine that panics", testPanic},
		{"a command that is too large", testTooLarge},
		{"groups stay within their bounds", testBounds},
		{"a void group is passed over by all", testVoidGroup},
		{"a damaged log stops the partition", testDamage},
		{"a command whose time is over is not decided", testNotAfter},
		{"a feed hands over every group and catches up", testFeed},
		{"a lost reply to a read stops nothing", testLostReadReply},
		{"what was refused elsewhere is not carried out by a writer that wakes up", testRefusedElsewhere},
		{"a repeat of a refusal, or of nothing to do, gets the same", testAnswerKept(here)},
		{"a delayed copy of a refused command gets the refusal after a restart", testAnswerKept(afterRestart)},
		{"a delayed copy of a refused command gets the refusal after a takeover", testAnswerKept(afterTakeover)},
		{"refusals outlive a takeover by a clock that is ahead", testAnswerKept(afterJump)},
		{"a refusal through a follower is kept", testRefusalForwarded},
		{"a refusal without a clear answer of the log is settled", testRefusalUnknown},
		{"a refusal that says much is cut", testLongRefusal},
		{"many refusals stay within the bounds of a group", testManyRefusals},
		{"log time does not go behind a refusal", testRefusalTime},
		{"a decision that cannot be is damage", testImpossibleDecision},
		{"a writer among another's groups answers", testNotStarved},
		{"answers outlive a takeover by a clock that is ahead", testAnswersAfterJump},
		{"a feed that starts before a void group passes it over", testFeedBeforeVoid},
		{"a replica that stops in mid-append still answers", testStopInMidAppend},
		{"a log that lost its tail stops who had read it", testLostTail},
		{"a log that is damaged under a writer with effects stops it", testDamageWhileWriting},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			attack.run(t, &Faulty{Log: open(t).Log})
		})
	}
}

// replica is one running ledger.
type replica struct {
	*ledger.Ledger[Command, Event]
	counters *Counters
	stop     func()
	ready    chan struct{}
	failed   chan error
}

type setup struct {
	log       ledger.Log
	heads     ledger.Heads
	snapshots ledger.Snapshots
	pace      ledger.Pace
	lease     ledger.Lease
	peers     ledger.Peers
	clock     ledger.Clock
	told      *told
	wall      func() time.Time
	during    func(context.Context)
}

// start runs a replica until the test ends or stop is called, and waits until it is ready.
func start(t *testing.T, s setup) *replica {
	t.Helper()
	r := launch(t, s)
	r.waitReady(t)
	return r
}

func launch(t *testing.T, s setup) *replica {
	t.Helper()
	if s.lease == nil {
		s.lease = memory.NewLease("r1")
	}
	if s.peers == nil {
		s.peers = memory.NewPeers()
	}
	if s.told == nil {
		s.told = new(told)
	}
	r := &replica{counters: new(Counters), ready: make(chan struct{}), failed: make(chan error, 1)}
	r.Ledger = ledger.New(ledger.Config[Command, Event]{
		Name: "TEST",
		Store: ledger.Store{
			Log: s.log, Heads: s.heads, Snapshots: s.snapshots, Pace: s.pace, Lease: s.lease, Peers: s.peers, Clock: s.clock,
		},
		Machine: r.counters, Codec: Codec{}, State: r.counters.State(), Wall: s.wall, WhileWriting: s.during,
		Logger: slog.New(s.told), Metrics: s.told,
		Grows: func(c Command) bool { return c.New },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})

	go func() {
		defer close(done)
		if err := r.Run(ctx, func() { close(r.ready) }); err != nil {
			r.failed <- err
		}
	}()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)

	return r
}

func (r *replica) waitReady(t *testing.T) {
	t.Helper()
	select {
	case <-r.ready:
	case err := <-r.failed:
		t.Fatalf("stopped: %v", err)
	case <-time.After(patience):
		t.Fatal("not ready")
	}
}

func (r *replica) total(key string) (n int64) {
	r.View(func() { n = r.counters.Total(key) })
	return n
}

func (r *replica) want(t *testing.T, key string, total int64) {
	t.Helper()
	if got := r.total(key); got != total {
		t.Fatalf("%s is %d, want %d", key, got, total)
	}
}

// waitFor waits until a counter has a value in committed state.
func (r *replica) waitFor(t *testing.T, key string, total int64) {
	t.Helper()
	ctx := patiently(t)
	for seq := r.Applied(); r.total(key) != total; seq++ {
		if err := r.WaitApplied(ctx, seq+1); err != nil {
			t.Fatalf("%s is %d, want %d", key, r.total(key), total)
		}
	}
}

func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func add(id, key string, n int64) ledger.Command[Command] {
	return ledger.Command[Command]{ID: id, Body: Command{Key: key, Add: n}}
}

func (r *replica) must(t *testing.T, c ledger.Command[Command]) ledger.Result[Event] {
	t.Helper()
	res, err := r.Submit(patiently(t), c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return res
}

func wantRefused(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *es.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != reason {
		t.Fatalf("got %v, want refusal %s", err, reason)
	}
}

func head(t *testing.T, log ledger.Log) uint64 {
	t.Helper()
	n, err := log.Head(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkChain makes sure that every group holds the hash of the one before.
func checkChain(t *testing.T, log ledger.Log) {
	t.Helper()
	var before []byte
	for seq := uint64(1); seq <= head(t, log); seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			t.Fatal(err)
		}
		if string(g.GetPrevious()) != string(before) {
			t.Fatalf("group %d does not fit the one before", seq)
		}
		sum := sha256.Sum256(raw)
		before = sum[:]
	}
}
